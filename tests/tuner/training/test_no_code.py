"""No code from a run's files: models with code of their own, and pickles, that would leave a file behind."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner import hostile, smallest
from tuner.cli import main
from tuner.config.library_logging import quiet
from tuner.config.study_file import load_spec
from tuner.config.trust import FLAG, code_lines, is_run_file, without_code
from tuner.errors import SpecError
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


def cut_run(make: Any, out: Path) -> tuple[Any, Path, Path]:
    """A run with two checkpoints that was cut off: its spec, the older and the newer checkpoint."""
    spec = make(max_steps=4, eval_steps=2, save_steps=2)
    train(spec, {}, out, keep_checkpoints=True)
    for name in ("diagnosis.json", "trainer_state.json"):
        (out / name).unlink()
    return spec, out / "checkpoint-2", out / "checkpoint-4"


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
@pytest.mark.parametrize("kind", ["archive", "pickle"])
def test_a_pickle_in_a_checkpoint_leads_to_the_one_before(
    make: Any, tmp_path: Path, marker: Path, name: str, kind: str
) -> None:
    spec, older, newer = cut_run(make, tmp_path / "run")
    assert is_whole(newer) and is_whole(older)
    poison(newer / name, marker, kind)
    assert last_whole(tmp_path / "run") == older
    run = train(spec, {}, tmp_path / "run")
    assert run.last_step == 4 and "resumed-after-cut" in {note.code for note in run.notes}
    assert not marker.exists()


@pytest.mark.parametrize(
    "state",
    ["[]", "5", '{"global_step": "x"}', '{"log_history": 5}', '{"log_history": [5]}',
     '{"log_history": [{"step": "a"}]}', '{"stateful_callbacks": "x"}',
     '{"stateful_callbacks": {"TrainerControl": 5}}', '{"best_model_checkpoint": 7}',
     '{"best_metric": "x"}', '{"epoch": []}', '{"global_step": -3}', '{"no_such_field": 1}', '{"max_steps": NaN}',
     "[" * 100_000],
)  # fmt: skip
def test_a_trainer_state_of_wrong_types_leads_to_the_checkpoint_before(make: Any, tmp_path: Path, state: str) -> None:
    spec, older, newer = cut_run(make, tmp_path / "run")
    path = newer / "trainer_state.json"
    whole = json.loads(path.read_text())
    path.write_text(json.dumps(whole | json.loads(state)) if state.startswith("{") else state)
    assert last_whole(tmp_path / "run") == older
    assert train(spec, {}, tmp_path / "run").last_step == 4


def test_the_archive_of_these_tests_is_one_that_torch_would_read(tmp_path: Path, marker: Path) -> None:
    import torch

    path = hostile.archive(tmp_path / "a.pt", marker)
    assert zipfile.is_zipfile(path)
    torch.load(path, weights_only=False)
    assert marker.exists()
