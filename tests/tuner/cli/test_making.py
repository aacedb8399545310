from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from diagnostics.errors import BadInput
from diagnostics.formatting import SIGNS
from tests.tuner.cli.command import tuner
from tuner.cli import main
from tuner.commands.init import STARTS, init


def test_the_demo_diagnoses_three_faults_and_writes_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["demo", "--out", str(tmp_path), "--no-browser"]) == 0
    labels = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line[:1] in SIGNS.values()]
    assert labels == ["overfit", "unstable", "underfit"]
    assert opened == []
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert opened == [(tmp_path / "report.html").as_uri()]
    capsys.readouterr()
    assert main(["diagnose", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(run["label"] for run in found) == sorted(labels)


def test_a_study_without_its_teacher_says_how_to_make_it(tmp_path: Path):
    from tuner.config.study_file import load_spec
    from tuner.errors import SpecError

    init("gkd", tmp_path)
    with pytest.raises(SpecError, match=r"make it first: tuner train .*teacher\.yaml$"):
        load_spec(tmp_path / "gkd.yaml")
    (tmp_path / "teacher.yaml").unlink()
    with pytest.raises(SpecError, match=r"no such file or folder, from here or from \S+$"):
        load_spec(tmp_path / "gkd.yaml")


def test_the_command_that_init_names_can_be_typed_as_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "my studies"
    init("gkd", folder)
    said = capsys.readouterr().out.partition("next: ")[2]
    first, then = str(folder / "teacher.yaml"), str(folder / "gkd.yaml")
    assert shlex.split(said) == ["tuner", "train", first, "&&", "tuner", "study", then]


@pytest.mark.parametrize("name", ["größe.yaml", "x" * 300])
def test_a_name_that_the_machine_s_encoding_cannot_write_is_one_line(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "sft.yaml").write_text(
        f"method: sft\nmodel_name_or_path: tuner/tiny\ndataset_name: ./{name}\n", "utf-8"
    )
    for key, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(key, value)
    done = tuner("study", "sft.yaml", cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr


def test_init_writes_a_study_that_loads_and_never_overwrites(tmp_path: Path):
    from tuner.config.methods import TRL_METHODS
    from tuner.config.study_file import load_spec

    assert tuple(STARTS) == tuple(TRL_METHODS)
    (tmp_path / "runs" / "teacher-train" / "model").mkdir(parents=True)
    for method in STARTS:
        assert init(method, tmp_path) == 0
        assert load_spec(tmp_path / f"{method}.yaml").method == method
    (tmp_path / "order_rewards.py").write_text("# mine")
    (tmp_path / "rloo.yaml").unlink()
    with pytest.raises(BadInput, match=r"order_rewards\.py: already exists"):
        init("rloo", tmp_path)
    again = tuner("init", "sft", cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr.startswith("tuner: sft.yaml: ")
