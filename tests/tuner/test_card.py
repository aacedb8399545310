from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tuner.study.report.study_records import STUDY
from tests.tuner.test_diagnose_html import log
from tuner.cli import main
from tuner.study.report.write import as_json


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".png"}


def test_a_run_gets_its_card_and_its_badge_beside_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    log(tmp_path)
    assert main(["card", str(tmp_path)]) == 0
    assert names(tmp_path) == {"trainer_state.json", "card.svg", "badge.svg"}
    assert str(tmp_path / "card.svg") in capsys.readouterr().out


def test_a_study_gets_a_card_and_out_may_be_a_new_folder(tmp_path: Path):
    (tmp_path / "study.json").write_text(as_json(STUDY), "utf-8")
    for path in (tmp_path, tmp_path / "study.json"):
        out = tmp_path / "new" / path.stem
        assert main(["card", str(path), "--out", str(out)]) == 0
        assert names(out) == {"card.svg"}
        assert "confirmed on 3 of 3" in (out / "card.svg").read_text("utf-8")


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder that takes no files from anybody")
def test_a_folder_that_takes_no_files_is_named_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    log(tmp_path)
    assert main(["card", str(tmp_path), "--out", "/sys/kernel"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tuner: /sys/kernel: ") and said.count("\n") == 1 and ".part" not in said


@pytest.mark.parametrize("content", ["{}", "[]", "{half", json.dumps({"trials": 3})])
def test_a_damaged_study_is_one_line(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "study.json").write_text(content, "utf-8")
    assert main(["card", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_path_without_a_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["card", str(tmp_path / "gone"), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
