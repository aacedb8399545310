"""No code from a run's files: models with code of their own, and pickles, that would leave a file behind."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from diagnostics.model.message import message
from tests.tuner import hostile, smallest
from tests.tuner.inspector.material import a_study
from tuner.cli import main
from tuner.config.library_logging import quiet
from tuner.config.study_file import load_spec
from tuner.config.trust import FLAG, code_lines, is_run_file, without_code
from tuner.errors import SpecError
from tuner.inspector.jobs.next_study import next_study
from tuner.study.patch_lines import patch_of
from tuner.study.results import Paragraph
from tuner.training.checkpoints import is_whole, last_whole
from tuner.training.merge import merge
from tuner.training.run_config import own_config
from tuner.training.train import train


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "code-has-run"


@pytest.fixture
def evil(tmp_path: Path, small_model: Path, marker: Path) -> Path:
    return hostile.model(tmp_path / "evil", small_model, marker)


WAYS: tuple[dict[str, Any], ...] = (
    {"trust_remote_code": True},
    {"trust_remote_code": "yes"},
    {"model_init_kwargs": {"trust_remote_code": True}},
    {"model_init_kwargs": '{"trust_remote_code": true}'},
    {"model_init_kwargs": {"a": [{"trust_remote_code": 1}]}},
    {"dataset_kwargs": {"x": {"trust_remote_code": "on"}}},
    {"model_init_kwargs": {"weights_only": False}},
    {"attn_implementation": "who/kernel"},
    {"env": {"LD_PRELOAD": "evil.so"}},
    {"reward_funcs": ["evil.py:f"]},
    {"reward_funcs": "os.system"},
)


@pytest.mark.parametrize("way", WAYS)
def test_a_run_s_own_file_cannot_ask_for_code(
    tmp_path: Path, evil: Path, small_rows: Path, marker: Path, way: dict[str, Any]
) -> None:
    file = smallest.study_file(tmp_path, evil, small_rows, **way)
    for name in ("config.yaml", "run/next.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        (path.parent / "trainer_state.json").write_text("{}")
        path.write_text(file.read_text())
        assert is_run_file(path)
        with pytest.raises(SpecError, match=FLAG) as caught:
            load_spec(path)
        assert next(iter(way)) in str(caught.value) and "\n" not in str(caught.value)
        for command in ("train", "study"):
            assert main([command, str(path), "--out", str(tmp_path / "out")]) == 2
    assert not marker.exists()


@pytest.mark.parametrize("way", WAYS)
def test_the_next_run_of_a_hostile_run_asks_for_no_code(tmp_path: Path, way: dict[str, Any]) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"method": "sft", "learning_rate": 1e-4, **way}))
    own = own_config(tmp_path)
    assert own is not None and code_lines(own) == [] and own["learning_rate"] == 1e-4
    assert without_code({"a": {"trust_remote_code": True, "b": 1}}) == {"a": {"b": 1}}


def test_a_link_to_a_run_s_file_is_one(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sft.yaml").symlink_to(tmp_path / "config.yaml")
    (tmp_path / "mine" / "own.yaml").touch()
    assert is_run_file(tmp_path / "mine" / "sft.yaml") and not is_run_file(tmp_path / "mine" / "own.yaml")


@pytest.mark.long
def test_a_study_s_review_brings_no_code_into_the_next_study() -> None:
    patch = patch_of("model_init_kwargs: {trust_remote_code: true}\nstudy: {space: {lora_r: [4, 8]}}\n")
    made = next_study(a_study(), None, [Paragraph("Wider", ("…",), patch)])
    assert "trust_remote_code" not in made and "lora_r" in made
    assert patch_of("a: &a [1, 2]\nb: [*a, *a]\n") == {} == patch_of("[" * 20_000) == patch_of("x: " + "y" * 200_000)


def test_lines_that_run_nothing_stay() -> None:
    plain = {"trust_remote_code": False, "attn_implementation": "sdpa", "env": {"OMP_NUM_THREADS": 1}, "seed": 0}
    assert code_lines(plain) == [] and without_code(plain) == plain


def test_without_the_flag_no_model_runs_its_code_and_the_line_names_it(
    tmp_path: Path, evil: Path, small_rows: Path, marker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = smallest.study_file(tmp_path, evil, small_rows)
    assert main(["train", str(file), "--out", str(tmp_path / "out")]) == 2
    assert FLAG in capsys.readouterr().err
    assert not marker.exists()


def test_the_user_s_own_file_or_the_flag_is_believed(
    tmp_path: Path, evil: Path, small_rows: Path, marker: Path
) -> None:
    path = smallest.study_file(tmp_path, evil, small_rows, trust_remote_code=True)
    assert not is_run_file(path) and load_spec(path).config["trust_remote_code"]
    path = smallest.study_file(tmp_path, evil, small_rows)
    path.rename(tmp_path / "config.yaml")
    train(load_spec(tmp_path / "config.yaml", trust_remote_code=True), {}, tmp_path / "run")
    assert marker.exists()  # so the tests above would have seen it


@pytest.mark.parametrize("way", WAYS[:4])
def test_merging_somebody_s_run_runs_none_of_its_code(
    make: Any, tmp_path: Path, evil: Path, marker: Path, way: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    train(make(), {}, run)
    path = run / "adapter" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": str(evil), **way}))
    (run / "config.yaml").write_text(yaml.safe_dump({"method": "sft", "model_name_or_path": str(evil), **way}))
    assert main(["merge", str(run), str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert not marker.exists() and not (tmp_path / "out").exists()
    assert said.count("\n") == 1 and (FLAG in said or "adapter" in said)


def test_merging_with_the_flag_runs_it(make: Any, tmp_path: Path, evil: Path, marker: Path) -> None:
    train(make(), {}, tmp_path / "run")
    path = tmp_path / "run" / "adapter" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": str(evil)}))
    assert main(["merge", str(tmp_path / "run"), str(tmp_path / "out"), FLAG]) == 0
    assert marker.exists()


@pytest.mark.parametrize("kind", ["archive", "pickle"])
@pytest.mark.parametrize("place", ["adapter", "base"])
def test_a_pickle_among_the_weights_of_a_merge_is_one_line(
    make: Any, tmp_path: Path, small_model: Path, marker: Path, place: str, kind: str
) -> None:
    run = tmp_path / "run"
    train(make(), {}, run)
    if place == "adapter":
        folder, name = run / "adapter", "adapter_model"
    else:
        folder, name = tmp_path / "base", "pytorch_model"
        hostile.shutil.copytree(small_model, folder)
        (folder / "model.safetensors").unlink()
        path = run / "adapter" / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": str(folder)}))
    (folder / f"{name}.safetensors").unlink(missing_ok=True)
    poison(folder / f"{name}.bin", marker, kind)
    with quiet(), pytest.raises(SpecError, match="pickle") as caught:
        merge(run, tmp_path / "out")
    assert "\n" not in str(caught.value) and not marker.exists() and not (tmp_path / "out").exists()


def test_a_pickle_among_the_weights_of_a_model_to_train_is_one_line(
    make: Any, tmp_path: Path, small_model: Path, marker: Path
) -> None:
    base = tmp_path / "base"
    hostile.shutil.copytree(small_model, base)
    (base / "model.safetensors").unlink()
    hostile.archive(base / "pytorch_model.bin", marker)
    with pytest.raises(SpecError, match="pickle"):
        train(make(model_name_or_path=str(base)), {}, tmp_path / "run")
    assert not marker.exists()


def poison(path: Path, marker: Path, kind: str) -> None:
    if kind == "archive":
        hostile.archive(path, marker)
    else:
        path.write_bytes(pickle.dumps(hostile.Touch(marker)))


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory, small_model: Path, small_rows: Path) -> tuple[Any, Path]:
    """The spec and the folder of a run that was cut off after its second checkpoint."""
    folder = tmp_path_factory.mktemp("cut")
    spec = smallest.study(folder, small_model, small_rows, max_steps=4, eval_steps=2, save_steps=2)
    train(spec, {}, folder / "run", keep_checkpoints=True)
    for name in ("diagnosis.json", "trainer_state.json"):
        (folder / "run" / name).unlink()
    assert is_whole(folder / "run" / "checkpoint-2") and is_whole(folder / "run" / "checkpoint-4")
    return spec, folder / "run"


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
@pytest.mark.parametrize("kind", ["archive", "pickle"])
def test_a_pickle_in_a_checkpoint_leads_to_the_one_before(
    cut: tuple[Any, Path], tmp_path: Path, marker: Path, name: str, kind: str
) -> None:
    run = hostile.shutil.copytree(cut[1], tmp_path / "run")
    poison(run / "checkpoint-4" / name, marker, kind)
    assert last_whole(run) == run / "checkpoint-2"
    assert not marker.exists()


STATES = (
    *("[]", "5", '{"global_step": "x"}', '{"log_history": 5}', '{"log_history": [5]}'),
    *(
        '{"log_history": [{"step": "a"}]}',
        '{"stateful_callbacks": "x"}',
        '{"stateful_callbacks": {"TrainerControl": 5}}',
    ),
    *('{"best_model_checkpoint": 7}', '{"best_metric": "x"}', '{"epoch": []}', '{"global_step": -3}'),
    *('{"no_such_field": 1}', '{"max_steps": NaN}', "[" * 100_000),
)


def damaged(whole: Path, state: str) -> str:
    """The trainer state with the fields of ``state``, or ``state`` itself where it is not a mapping."""
    return json.dumps(json.loads(whole.read_text()) | json.loads(state)) if state.startswith("{") else state


@pytest.mark.parametrize("state", STATES)
def test_a_trainer_state_of_wrong_types_leads_to_the_checkpoint_before(
    cut: tuple[Any, Path], tmp_path: Path, state: str
) -> None:
    run = hostile.shutil.copytree(cut[1], tmp_path / "run")
    path = run / "checkpoint-4" / "trainer_state.json"
    path.write_text(damaged(path, state))
    assert last_whole(run) == run / "checkpoint-2"


def test_training_continues_from_the_checkpoint_before(cut: tuple[Any, Path], tmp_path: Path, marker: Path) -> None:
    run = hostile.shutil.copytree(cut[1], tmp_path / "run")
    poison(run / "checkpoint-4" / "optimizer.pt", marker, "archive")
    trained = train(cut[0], {}, run)
    assert trained.last_step == 4
    assert message("resumed-after-cut", step=2) in trained.notes
    run = hostile.shutil.copytree(cut[1], tmp_path / "none-left")
    for step in (2, 4):
        path = run / f"checkpoint-{step}" / "trainer_state.json"
        path.write_text(damaged(path, '{"log_history": 5}'))
    assert train(cut[0], {}, run).last_step == 4  # from the beginning
    assert not marker.exists()


def test_the_archive_of_these_tests_is_one_that_torch_would_read(tmp_path: Path, marker: Path) -> None:
    import torch

    path = hostile.archive(tmp_path / "a.pt", marker)
    assert zipfile.is_zipfile(path)
    torch.load(path, weights_only=False)
    assert marker.exists()
