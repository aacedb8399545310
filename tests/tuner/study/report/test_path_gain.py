from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.tuner.study.report.study_records import BARE, ONE, STUDY, TRIALS, trial
from tuner.config.direction import Direction
from tuner.search.proposer import ANOTHER_SEED
from tuner.study.report.path_gain import gain_along_path, gain_by_setting, parent_of
from tuner.study.results import TrialState


def batch(number: int, rate: float, size: int, value: float | None, old: int):
    made = trial(number, rate, value, moved={"batch_size": (old, size)})
    return replace(made, settings={**made.settings, "batch_size": size})


def ends(result):
    return [(step.start, step.trial) for step in gain_along_path(result)]


def test_the_gain_is_the_exact_difference_to_the_trial_that_each_came_from():
    steps = gain_along_path(STUDY)
    assert [(step.start, step.trial, step.settings) for step in steps] == [
        (0, 1, ("learning_rate",)),
        (1, 3, ("learning_rate",)),
    ]
    assert [step.gain for step in steps] == pytest.approx([0.3, 0.4])
    assert sum(step.gain for step in steps) == pytest.approx(TRIALS[0].value - TRIALS[3].value)


def test_settings_share_the_gain_by_the_steps_that_moved_them():
    study = replace(STUDY, trials=(*TRIALS, batch(5, 1e-4, 4, 0.65, 8)), best=5)
    assert gain_by_setting(gain_along_path(study)) == pytest.approx({("learning_rate",): 0.7, ("batch_size",): 0.05})


def test_a_setting_that_made_it_worse_has_a_loss_and_comes_last():
    study = replace(STUDY, trials=(*TRIALS, batch(5, 1e-4, 4, 0.8, 8)), best=5)
    assert list(gain_by_setting(gain_along_path(study)).items())[-1] == (("batch_size",), pytest.approx(-0.1))


def test_higher_is_a_gain_where_the_study_maximizes():
    study = replace(STUDY, direction=Direction.MAXIMIZE)
    assert [step.gain for step in gain_along_path(study)] == pytest.approx([-0.3, -0.4])


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_trial_without_a_value_joins_two_moves_into_one_step(value):
    stopped = replace(TRIALS[1], value=value, state=TrialState.PRUNED)
    study = replace(STUDY, trials=(TRIALS[0], stopped, *TRIALS[2:]))
    (step,) = gain_along_path(study)
    assert (step.start, step.trial, step.moved) == (0, 3, {"learning_rate": (1e-5, 1e-4)})
    assert step.gain == pytest.approx(0.7)


def test_where_the_way_back_is_not_known_one_step_leads_there_from_the_file():
    free = replace(trial(5, 2e-4, 0.5), settings={"learning_rate": 2e-4, "batch_size": 4})
    assert ends(replace(STUDY, trials=(*TRIALS, free), best=5)) == [(0, 5)]
    (step,) = gain_along_path(replace(STUDY, trials=(*TRIALS, free), best=5))
    assert step.settings == ("batch_size", "learning_rate")


def test_a_repeat_on_another_seed_comes_from_the_trial_that_it_repeats():
    again = trial(5, 1e-4, 0.69, ANOTHER_SEED)
    study = replace(STUDY, trials=(*TRIALS, again), best=5)
    assert parent_of(study.trials, again) is TRIALS[3]
    assert [step.settings for step in gain_along_path(study)][-1] == ()


@pytest.mark.parametrize("study", [BARE, ONE, replace(STUDY, trials=(replace(TRIALS[0], value=None), *TRIALS[1:]))])
def test_there_is_no_path_without_both_ends(study):
    assert gain_along_path(study) == ()
