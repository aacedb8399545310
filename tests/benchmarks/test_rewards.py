"""The benchmark of verdicts on runs that learn from rewards, on made-up labeled runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmarks import diagnosis
from benchmarks.verdicts.rewards import labeled_rewards, missed, tables
from benchmarks.verdicts.rivals.rewards import DOCTORS
from diagnostics.synthetic import make

KINDS = {
    "healthy-rewards": ("healthy", "learns"),
    "healthy-rewards-solved": ("healthy", "finished"),
    "reward-stays-dead": ("unstable", "collapsed"),
    "no-reward-signal": ("broken", "no signal"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four labeled runs as a program of another kind would leave them: a table with TRL's tags."""
    rows = []
    for kind, (label, detail) in KINDS.items():
        run = make(kind, 0.8, 0.03, seed=1)
        curves = {name: curve for name, curve in run.curves.items() if len(curve) == 100}
        with (tmp_path / f"{kind}.csv").open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["step", *curves])
            steps = run.curves["reward"].steps
            out.writerows([step, *(c.values[at] for c in curves.values())] for at, step in enumerate(steps))
        rows.append({"id": kind, "file": f"{kind}.csv", "label": label, "detail": detail})
    (tmp_path / "labels.json").write_text(json.dumps(rows))
    return tmp_path


def test_collapses_are_found_and_solved_runs_pass_where_others_alarm(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert diagnosis.main(["--runs", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "called by its label: 4 of 4" in said
    runs = labeled_rewards(folder)
    solved = next(item.run for item in runs if item.name == "healthy-rewards-solved")
    assert {name for name, alarm in DOCTORS.items() if alarm(solved)} >= {"rldoctor", "rlprobe"}
    assert not missed(runs)


def test_a_collapse_that_is_not_found_is_a_miss(folder: Path):
    rows = json.loads((folder / "labels.json").read_text())
    rows[0]["detail"] = "collapsed"
    (folder / "labels.json").write_text(json.dumps(rows))
    runs = labeled_rewards(folder)
    assert missed(runs)
    assert any(line.startswith("tuner") for line in tables(runs))
