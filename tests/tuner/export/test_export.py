"""``tuner export``: a real run of a small model, its parts, and what becomes of those that cannot be made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner import hostile, smallest
from tests.tuner.export import hub
from tests.tuner.inspector.material import a_study, write_study
from tuner.cli import main
from tuner.config.library_logging import quiet
from tuner.export.agreement import agreement
from tuner.export.gguf import CHECKOUT, write_gguf
from tuner.export.model_card import hub_name
from tuner.export.vllm import rank_to_serve
from tuner.messages.en import CARD
from tuner.training.generation import Sample
from tuner.training.merge import merge
from tuner.training.train import train

CONVERTER = """
import json, sys
from pathlib import Path
model, out, form = Path(sys.argv[1]), Path(sys.argv[3]), sys.argv[5]
assert (sys.argv[2], sys.argv[4]) == ("--outfile", "--outtype") and (model / "tokenizer.json").exists()
if form == "f16":
    raise NotImplementedError("no such tensor")
assert not any("auto_map" in json.loads(path.read_text()) for path in model.glob("*.json"))
out.write_bytes(b"GGUF" + form.encode())
"""
QUANTIZER = "#!/bin/sh\ntest -f $1 && printf 'GGUF%s' $3 > $2\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, small_model: Path, small_rows: Path) -> Path:
    """A run that was asked questions."""
    folder = tmp_path_factory.mktemp("exported")
    spec = smallest.study(
        folder,
        small_model,
        small_rows,
        lora_target_modules="all-linear",
        study={"space": {"learning_rate": [1e-2, 1e-3]}, "exact_match_rows": 6},
    )
    train(spec, {}, folder / "Run 1")
    return folder / "Run 1"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up llama.cpp, whose files are none that can be loaded."""
    folder = tmp_path / "llama.cpp"
    (folder / "build" / "bin").mkdir(parents=True)
    (folder / "convert_hf_to_gguf.py").write_text(CONVERTER)
    (folder / "build" / "bin" / "llama-quantize").write_text(QUANTIZER)
    (folder / "build" / "bin" / "llama-quantize").chmod(0o755)
    monkeypatch.setenv(CHECKOUT, str(folder))
    return folder


def exported(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, str]:
    status = main(["export", *map(str, words)])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_each_part_is_made_and_answers_as_the_run_did(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    status, said = exported(capsys, run, out, "--to", "card,vllm,merged,ollama")
    assert status == 0 and said.count("6 of 6 held-out answers are the same") == 2
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "merged", "ollama", "vllm"]
    assert (out / "merged" / "model.safetensors").exists() and not list(tmp_path.glob(".*.part"))
    script = (out / "vllm" / "serve.sh").read_text()
    assert "--max-lora-rank 8 --lora-modules run-1=./adapter" in script and os.access(
        out / "vllm" / "serve.sh", os.X_OK
    )
    modelfile = (out / "ollama" / "Modelfile").read_text()
    assert modelfile.startswith("FROM ../merged\nTEMPLATE ") and 'PARAMETER stop "<|im_end|>"' in modelfile
    assert "PARAMETER num_ctx 256" in modelfile


def test_a_card_has_front_matter_that_the_hubs_library_reads(run: Path, tmp_path: Path):
    from huggingface_hub import ModelCard

    assert main(["export", str(run), str(tmp_path / "out"), "--to", "card"]) == 0
    text = (tmp_path / "out" / "README.md").read_text()
    card = ModelCard(text)
    assert card.data.pipeline_tag == "text-generation" and "lora" in card.data.tags and card.data.license is None
    assert "learning_rate" in text and str(tmp_path) not in text and "/pytest" not in text


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ({"_name_or_path": "who/base-1B"}, "who/base-1B"),
        ({"_name_or_path": "/home/who/base"}, ""),
        ({"_name_or_path": 3}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_base_model_in_a_folder_has_the_name_that_its_config_knows(tmp_path: Path, named: Any, known: str):
    (tmp_path / "config.json").write_text(json.dumps(named) if named is not None else "{")
    assert hub_name(str(tmp_path)) == known
    assert hub_name(str(tmp_path / "models--who--base-1B" / "snapshots" / "0a1b")) == "who/base-1B"
    assert hub_name("who/base") == "who/base" and hub_name("") == ""


def test_a_card_names_the_hub_s_base_model_of_a_local_one_or_says_that_it_is_not_known(run: Path, tmp_path: Path):
    copy, base = shutil.copytree(run, tmp_path / "copy"), tmp_path / "base"
    base.mkdir()
    adapter = copy / "adapter" / "adapter_config.json"
    adapter.write_text(json.dumps({**json.loads(adapter.read_text()), "base_model_name_or_path": str(base)}))
    for config, known in (({"_name_or_path": "who/base-1B"}, "who/base-1B"), ({}, None)):
        (base / "config.json").write_text(json.dumps(config))
        assert main(["export", str(copy), str(tmp_path / f"out-{known is None}"), "--to", "card"]) == 0
        text = (tmp_path / f"out-{known is None}" / "README.md").read_text()
        assert yaml.safe_load(text.split("---")[1]).get("base_model") == known
        assert (CARD["no-base"] in text) is (known is None) and str(tmp_path) not in text


def test_what_is_not_installed_is_a_line_and_the_other_parts_are_made(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv(CHECKOUT, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    status, said = exported(capsys, run, tmp_path / "out", "--to", "gguf:q8_0,ollama,card")
    assert status == 1 and "convert_hf_to_gguf.py of llama.cpp is not installed" in said
    assert "ollama create run-1 -f ollama/Modelfile" in said
    assert (tmp_path / "out" / "README.md").exists() and not (tmp_path / "out" / "gguf").exists()


def test_gguf_files_are_made_by_the_programs_of_llama_cpp(
    run: Path, tmp_path: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
):
    status, said = exported(capsys, run, tmp_path / "out", "--to", "gguf:q8_0,gguf:q4_k_m,gguf:f16,ollama")
    folder = tmp_path / "out" / "gguf"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "run-1-q8_0.gguf": b"GGUFq8_0",
        "run-1-q4_k_m.gguf": b"GGUFQ4_K_M",
    }
    assert status == 1 and "gguf:f16: not made" in said and "no such tensor" in said
    assert said.count("made and not checked") == 2 and not (tmp_path / "out" / "merged").exists()
    assert (tmp_path / "out" / "ollama" / "Modelfile").read_text().startswith("FROM ../gguf/run-1-q8_0.gguf\n")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--to", "merge"), "did you mean merged?"),
        (("--to", "gguf:q4"), "no number format 'q4'"),
        (("--to", "card:q8_0"), "takes no number format"),
        (("--to", ","), "names nothing to make"),
        (("--to", "card", "--push", "a/b/c"), "is no name of a repository"),
        (("--to", "card", "--push", "me/model"), "HF_TOKEN"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(
    run: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    named: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    status, said = exported(capsys, run, tmp_path / "out", *words)
    assert status == 2 and named in said and said.count("\n") == 1 and not list(tmp_path.iterdir())


def test_there_must_be_something_to_export_and_room_for_it(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for path, named in ((tmp_path / "gone", "no such folder"), (tmp_path, "contains no adapter")):
        status, said = exported(capsys, path, tmp_path / "out", "--to", "merged")
        assert status == 2 and named in said
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    status, said = exported(capsys, run, tmp_path / "full", "--to", "card")
    assert status == 2 and "not empty" in said


def test_a_study_exports_its_winner_and_nothing_outside_its_folder(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study = a_study()
    assert study.winner is not None
    write_study(tmp_path / "study", study)
    shutil.copytree(run, tmp_path / "study" / study.winner.folder, dirs_exist_ok=True)
    status, _ = exported(capsys, tmp_path / "study", tmp_path / "out", "--to", "card")
    card = (tmp_path / "out" / "README.md").read_text()
    assert status == 0 and "## Results" in card and str(study.winner.number) in card and "../" not in card
    trials = tuple(replace(trial, folder=str(run)) for trial in study.trials)
    write_study(tmp_path / "evil", replace(study, trials=trials))
    status, said = exported(capsys, tmp_path / "evil", tmp_path / "other", "--to", "card")
    assert status == 2 and "lies outside this folder" in said and not (tmp_path / "other").exists()


def test_an_export_that_is_cut_leaves_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def cut(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tuner.export.export.as_card", cut)
    assert main(["export", str(run), str(tmp_path / "out"), "--to", "card"]) == 130
    assert not list(tmp_path.iterdir())


def test_a_push_is_one_commit_to_a_private_repository(run: Path, tmp_path: Path):
    assert main(["export", str(run), str(tmp_path / "made"), "--to", "vllm,card"]) == 0
    with hub.serving() as served:
        _with_hub(served.address, hub.TOKEN, "-c", PUSH, tmp_path / "made")
    assert served.private is True and served.commits == 1
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= set(served.files)
    assert not any("serve.sh" in name or name.startswith("vllm") for name in served.files)
    weights = (run / "adapter" / "adapter_model.safetensors").read_bytes()
    assert served.files["adapter_model.safetensors"] == weights


PUSH = """
import sys
from pathlib import Path
from tuner.export.push import push
push(Path(sys.argv[1]), "me/model")
"""


def test_the_command_pushes_what_it_made_and_keeps_the_token_to_itself(run: Path, tmp_path: Path):
    words = ["-m", "tuner", "export", run]
    with hub.serving() as served:
        ended = _with_hub(served.address, hub.TOKEN, *words, tmp_path / "out", "--to", "card", "--push", "me/model")
        refused = _with_hub(
            served.address, "hf_wrong", *words, tmp_path / "other", "--to", "card", "--push", "me/model"
        )
    assert ended.returncode == 0 and f"pushed to {served.address}/me/model" in ended.stdout, ended.stderr
    assert list(served.files) == ["README.md"] == [path.name for path in (tmp_path / "out").iterdir()]
    assert hub.TOKEN not in (tmp_path / "out" / "README.md").read_text() + ended.stdout + ended.stderr
    assert refused.returncode == 2 and "HF_TOKEN is not valid" in refused.stderr and "hf_wrong" not in refused.stderr
    assert refused.stderr.count("\n") == 1 and not (tmp_path / "other").exists()


def test_without_a_network_a_push_is_refused_before_anything_is_made(run: Path, tmp_path: Path):
    words = ["-m", "tuner", "export", run, tmp_path / "out", "--to", "card", "--push", "me/model"]
    ended = _with_hub("http://127.0.0.1:9", hub.TOKEN, *words)
    assert ended.returncode == 2 and "the hub cannot be reached" in ended.stderr and ended.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def _with_hub(address: str, token: str, *words: Any) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the hub's library reads its address once."""
    known = {"HF_ENDPOINT": address, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1"}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **known}
    return subprocess.run([sys.executable, *map(str, words)], env=environment, capture_output=True, text=True)


def test_no_code_of_a_hostile_run_reaches_the_converter(
    tmp_path: Path, small_model: Path, run: Path, checkout: Path, capsys: pytest.CaptureFixture[str]
):
    with quiet():
        model = merge(run, tmp_path / "merged")
    for name in ("config.json", "tokenizer_config.json"):
        content = json.loads((model / name).read_text())
        (model / name).write_text(json.dumps({**content, "auto_map": {"AutoTokenizer": ["who/evil--code.T", None]}}))
    write_gguf(model, tmp_path / "made.gguf", "q8_0")
    assert (tmp_path / "made.gguf").exists() and "auto_map" not in (model / "config.json").read_text()


def test_a_hostile_model_runs_no_code(
    tmp_path: Path, small_model: Path, small_rows: Path, capsys: pytest.CaptureFixture[str]
):
    marker = tmp_path / "code-has-run"
    evil = hostile.model(tmp_path / "evil", small_model, marker)
    (tmp_path / "adapter").mkdir()
    config = {"peft_type": "LORA", "base_model_name_or_path": str(evil), "r": 4, "target_modules": ["q_proj"]}
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    status, said = exported(capsys, tmp_path / "adapter", tmp_path / "out", "--to", "merged")
    assert status == 2 and "--trust-remote-code" in said and not marker.exists() and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "rank"),
    [
        ({}, 8),
        ({"r": 9}, 16),
        ({"rank_pattern": {"q_proj": 40}}, 64),
        ({"use_dora": True}, None),
        ({"modules_to_save": ["lm_head"]}, None),
        ({"bias": "all"}, None),
        ({"r": 600}, None),
        ({"peft_type": "IA3"}, None),
    ],
)
def test_vllm_gets_an_adapter_only_where_it_takes_it(run: Path, tmp_path: Path, change: Any, rank: int | None):
    config = json.loads((run / "adapter" / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps({**config, **change}))
    (tmp_path / "adapter_model.safetensors").symlink_to(run / "adapter" / "adapter_model.safetensors")
    assert rank_to_serve(tmp_path) == rank


def test_answers_that_begin_differently_speak_of_a_broken_tokenizer():
    before = [Sample("", "", text) for text in ("red is it", "green", "blue", "white")]
    rounded = agreement(before, [Sample("", "", text) for text in ("red was it", "green", "black", "grey")])
    broken = agreement(before, [Sample("", "", text) for text in ("red was it", "x", "y", "z")])
    assert (rounded.asked, rounded.same, rounded.alike) == (4, 1, 2)
    assert rounded.holds(rounded=True) and not rounded.holds(rounded=False)
    assert replace(rounded, apart=1).holds(rounded=False)
    assert broken.alike == 1 and not broken.holds(rounded=True)


def test_the_front_matter_of_a_card_names_what_is_on_the_hub(run: Path, tmp_path: Path):
    copy = tmp_path / "run"
    copy.mkdir()
    config = yaml.safe_load((run / "config.yaml").read_text())
    (copy / "config.yaml").write_text(yaml.safe_dump({**config, "dataset_name": "who/rows"}))
    adapter = json.loads((run / "adapter" / "adapter_config.json").read_text())
    (copy / "adapter_config.json").write_text(json.dumps({**adapter, "base_model_name_or_path": "who/base"}))
    assert main(["export", str(copy), str(tmp_path / "out"), "--to", "card"]) == 0
    front = yaml.safe_load((tmp_path / "out" / "README.md").read_text().split("---")[1])
    assert front["base_model"] == "who/base" and front["datasets"] == ["who/rows"]
