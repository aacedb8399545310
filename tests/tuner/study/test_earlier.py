"""A study that version 0.1.0 left behind: its files are read, and the study continues.

It has a trial of each kind: complete, repeated on another seed, pruned, failed, and too large for the memory. In the
storage one more was cut.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diagnostics.model.curves import Run
from tests.tuner.madeup import RATE, Bowl, run
from tuner.config.search_space import Choice
from tuner.inspector.study.read import trial_rows
from tuner.study.failure import Failure, FailureKind
from tuner.study.folder import DATABASE, RESULT
from tuner.study.protocols import Report
from tuner.study.report.write import as_html, as_json, as_markdown
from tuner.study.results import StudyResult, TrialState
from tuner.study.stored import load_study
from tuner.study.words import ending, gain_words, paragraph_words, title_words

EARLIER = Path(__file__).parents[2] / "data" / "studies" / "earlier"
FILE = {
    "per_device_train_batch_size": 16,
    "per_device_eval_batch_size": 16,
    "max_length": 512,
    "space": {"learning_rate": RATE, "max_length": Choice((512, 8192))},
    "stop_early": False,
    "seeds": 3,
}
STATES = ["complete"] * 3 + ["infeasible", "failed", "pruned", "pruned", "complete"]


class Small(Bowl):
    """The bowl where rows of 8,192 tokens fit on no device."""

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        if moves["max_length"] == 8192:
            self.calls.append(out.name)
            raise RuntimeError("CUDA out of memory")
        return super().__call__({k: v for k, v in moves.items() if not k.endswith("_limit")}, out, report)


@pytest.fixture
def study() -> StudyResult:
    return load_study(EARLIER / RESULT)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of the study as it was left."""
    (tmp_path / "out").mkdir()
    shutil.copy(EARLIER / RESULT, tmp_path / "out")
    database = sqlite3.connect(tmp_path / "out" / DATABASE)
    database.executescript((EARLIER / "study.sql").read_text())
    database.close()
    return tmp_path / "out"


def test_its_result_is_read_with_the_endings_apart(study: StudyResult):
    assert [trial.state for trial in study.trials] == STATES
    kinds = {trial.number: trial.failure.kind for trial in study.trials if trial.failure}
    assert kinds == {3: FailureKind.OUT_OF_MEMORY, 4: FailureKind.ERROR}
    assert (study.trials[4].failure or Failure(FailureKind.ERROR)).error == "RuntimeError"
    assert study.trials[5].stopped == "1.849 at 50 % of the run, where trial 2 had 1.076"
    assert study.gain is not None and study.gain.claimed and len(study.gain.pairs) == 3
    assert all(point.patch for point in study.review[1:])


def test_its_words_stay_as_they_were(study: StudyResult):
    raw = json.loads((EARLIER / RESULT).read_text())
    assert [ending(trial) for trial in study.trials] == [trial["error"] for trial in raw["trials"]]
    assert [row["why"] != "–" for row in trial_rows(study)] == [bool(t["because"] or t["error"]) for t in raw["trials"]]
    assert study.gain is not None and gain_words(study.gain, study.metric, study.direction) == raw["gain"]["message"]
    doubted = {**raw["gain"], "claimed": False, "message": "no gain is claimed (a doubt): 1 of 1 seeds better"}
    gain = StudyResult.from_dict({**raw, "gain": doubted}).gain
    assert gain is not None and not gain.claimed
    assert gain_words(gain, study.metric, study.direction) == doubted["message"]
    written = [(point["title"], point["text"]) for point in raw["review"]]
    assert [(title_words(point), paragraph_words(point)) for point in study.review] == written


def test_it_is_written_again_with_all_that_it_had(study: StudyResult):
    raw, again = json.loads((EARLIER / RESULT).read_text()), json.loads(as_json(study))
    assert again.keys() >= raw.keys()
    assert {key: again[key] for key in raw if key not in ("trials", "space", "review", "gain")} == {
        key: raw[key] for key in raw if key not in ("trials", "space", "review", "gain")
    }
    for part in ("trials", "review"):
        for new, old in zip(again[part], raw[part], strict=True):
            assert {key: new[key] for key in old} == old
    assert again["gain"] | raw["gain"] == again["gain"]
    assert StudyResult.from_dict(again) == study
    assert as_html(study) and as_markdown(study)


def test_it_continues_with_the_trial_that_was_cut(out: Path, study: StudyResult):
    trainer = Small(evaluations=10)
    result = run(out, trainer, trials=10, **FILE)
    assert dict.fromkeys(trainer.calls[:2]) == {"trial-008": None, "trial-009": None}
    keep = {"folder": "", "host": "", "diagnosis": None}  # its folders lie on the machine that it ran on
    for before, now in zip(study.trials, result.trials, strict=False):
        assert replace(now, **keep) == replace(before, **keep)
    assert not any(trial.state is TrialState.RUNNING for trial in result.trials)
    assert result.gain is not None and len(result.gain.pairs) == 3
    assert load_study(out / RESULT) == StudyResult.from_dict(result.to_dict())
