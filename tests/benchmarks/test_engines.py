"""The benchmark of engines: it sees what is lost and repeated, and with Ray or submitit nothing is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.engines import SCENARIOS, STEPS, TRIALS, Left


def study(out: Path, trials: list[dict[str, Any]], logged: list[int]) -> Path:
    """A study's report, and a log with these steps in each of its runs."""
    for trial in trials:
        (out / f"trial-{trial['number']:03d}" / "output").mkdir(parents=True)
        lines = [json.dumps({"step": step}) for step in logged]
        (out / f"trial-{trial['number']:03d}" / "output" / "log.jsonl").write_text("\n".join(lines))
    (out / "study.json").write_text(json.dumps({"trials": trials}))
    return out


def test_what_is_missing_or_trained_twice_is_counted(tmp_path: Path):
    done = [{"number": number, "state": "complete", "value": 1.0} for number in range(TRIALS)]
    whole = Left()
    whole.judge(study(tmp_path / "whole", done, [1, 2, 3, 3, 4]))  # logged, killed before it was saved
    assert not any(whole.failures().values())
    repeated = Left()
    repeated.judge(study(tmp_path / "twice", done, [1, 2, 3, 2, 3, 4]))
    assert len(repeated.repeated) == TRIALS and not repeated.lost
    lost = Left()
    lost.judge(
        study(tmp_path / "lost", [*done[:2], {**done[2], "state": "running", "value": None}], [*range(STEPS)][1:])
    )
    assert len(lost.lost) == 3  # one of four, one without a value, and one run


@pytest.mark.long
@pytest.mark.timeout(900)  # processes load torch and Ray, on a machine that may be busy
@pytest.mark.parametrize(("name", "module"), [("ray", "ray"), ("cluster", "ray"), ("slurm", "submitit")])
def test_nothing_is_lost_repeated_or_left(name: str, module: str, tmp_path: Path):
    pytest.importorskip(module)
    tally = Left()
    SCENARIOS[name](tmp_path / name, tally)
    assert tally.killed and not any(tally.failures().values()), tally.examples()
