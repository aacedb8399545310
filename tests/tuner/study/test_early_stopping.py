from __future__ import annotations

import pytest

from diagnostics.model.message import message
from tuner.config.direction import Direction
from tuner.study.early_stopping import EarlyStopping, early_stopping
from tuner.study.results import TrialResult, TrialState

WHY = message("out-of-reach", value=1.5, share=0.25, trial=0, other=1.2, chance=0.01)


def trial(number: int, value: float, **more: object) -> TrialResult:
    return TrialResult(number, {}, value, TrialState.COMPLETE, **more)  # type: ignore[arg-type]


def test_what_was_saved_and_that_no_check_won():
    trials = [trial(0, 1.2), trial(1, 1.5, stopped=WHY), trial(2, 1.4, stopped=WHY), trial(3, 1.3, spared=WHY)]
    assert early_stopping(trials, 0, Direction.MINIMIZE) == EarlyStopping(2, 1.5, 1, 0, 0.0)


def test_a_check_that_won_says_what_would_have_been_lost():
    found = early_stopping([trial(0, 1.2), trial(1, 1.0, spared=WHY)], 1, Direction.MINIMIZE)
    assert found is not None
    assert (found.checked, found.won, found.lost) == (1, 1, pytest.approx(0.2))
    up = early_stopping([trial(0, 0.6), trial(1, 0.8, spared=WHY)], 1, Direction.MAXIMIZE)
    assert up is not None and up.lost == pytest.approx(0.25)


def test_a_run_that_diverged_saves_nothing_that_was_worth_it():
    assert early_stopping([trial(0, 1.2), trial(1, 9.0, stopped=message("diverged"))], 0, Direction.MINIMIZE) is None


def test_it_survives_the_file():
    one = trial(3, 1.3, spared=WHY)
    assert TrialResult.from_dict(one.to_dict()) == one
