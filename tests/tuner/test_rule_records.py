from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.errors import BadInput
from tuner.cli import main
from tuner.commands.rule_records import rulebook
from tuner.search.credit import RuleRecord


def study(folder: Path, *records: tuple[str, int, int, int, int]) -> Path:
    names = ("rule", "advised", "helped", "hurt", "even")
    folder.mkdir(parents=True)
    kept = [dict(zip(names, record, strict=True)) for record in records]
    (folder / "study.json").write_text(json.dumps({"name": folder.name, "records": kept}))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    study(tmp_path / "runs" / "a", ("rate-too-low", 3, 2, 0, 1), ("loss-spikes", 1, 0, 0, 0))
    study(tmp_path / "runs" / "deep" / "b", ("rate-too-low", 2, 1, 1, 0))
    return tmp_path / "runs"


def test_the_records_of_all_studies_below_the_paths_add_up(runs: Path):
    book = rulebook([runs])
    assert book.records["rate-too-low"] == RuleRecord("rate-too-low", 5, 3, 1, 1)
    assert book.studies == (str(runs / "a"), str(runs / "deep" / "b"))
    assert rulebook([runs / "a", runs]).records == book.records, "a study that is found twice counts once"
    assert rulebook([runs / "a" / "study.json"]).records["rate-too-low"].advised == 3


def test_the_table_and_the_json_hold_the_same_counts(runs: Path, capsys: Any):
    assert main(["rules", "--record", str(runs)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("2 studies")
    row = next(line for line in text.splitlines() if line.startswith("rate-too-low"))
    assert row.split() == ["rate-too-low", "5", "5", "3", "1", "1", "60", "%"]
    assert main(["rules", "--record", str(runs), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["studies"] == [str(runs / "a"), str(runs / "deep" / "b")]
    assert printed["records"][0] == {
        "rule": "rate-too-low",
        "advised": 5,
        "followed": 5,
        "helped": 3,
        "hurt": 1,
        "even": 1,
    }


def test_one_rule_alone(runs: Path, capsys: Any):
    assert main(["rules", "loss-spikes", "--record", str(runs)]) == 0
    text = capsys.readouterr().out
    assert "loss-spikes" in text and "rate-too-low" not in text
    assert main(["rules", "loss-diverges", "--record", str(runs)]) == 0
    assert "gave no advice" in capsys.readouterr().out


def test_wrong_input_is_one_line(runs: Path, tmp_path: Path, capsys: Any):
    assert main(["rules", "--record", str(tmp_path / "nowhere")]) == 2
    assert str(tmp_path / "nowhere") in capsys.readouterr().err
    assert main(["rules", "rate-to-low", "--record", str(runs)]) == 2
    assert "rate-too-low?" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty"):
        rulebook([runs, tmp_path / "empty"])


@pytest.mark.parametrize("text", ["", "[]", '{"records": 3}', '{"records": [{"rule": "x"}]}', '{"records": null}'])
def test_a_study_that_cannot_be_read_is_named_and_the_others_count(runs: Path, capsys: Any, text: str):
    study(runs / "broken")
    (runs / "broken" / "study.json").write_text(text)
    assert main(["rules", "--record", str(runs)]) == 2
    seen = capsys.readouterr()
    assert "rate-too-low" in seen.out
    assert "broken/study.json: " in seen.err
    assert seen.err.count("\n") == 1


def test_a_rule_that_was_renamed_keeps_its_record(tmp_path: Path):
    study(tmp_path / "old", ("loss-thrown-up", 3, 2, 0, 1))
    study(tmp_path / "new", ("loss-overshoots", 1, 1, 0, 0))
    assert rulebook([tmp_path]).records == {"loss-overshoots": RuleRecord("loss-overshoots", 4, 3, 0, 1)}
