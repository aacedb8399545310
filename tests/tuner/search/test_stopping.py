from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from diagnostics.model.message import message
from diagnostics.model.records import Advice
from tests.tuner.madeup import BATCH, RATE, WARMUP
from tuner.search.distributions import distributions
from tuner.search.run_model.posterior import RunModel
from tuner.search.stopping import MIN_TRIALS, StopDecision, outlook, should_stop
from tuner.search.trial_view import TrialView

LINE = distributions({"learning_rate": RATE})
SPACE = distributions({"learning_rate": RATE, "batch_size": BATCH, "warmup_ratio": WARMUP})
DECADES = np.array([*np.arange(-5.5, -2.0, 0.5), -3.6, -3.3, -3.8, -3.45, -3.7])
"""A ladder, and then the neighborhood of its best rung."""
LOW = (Advice("learning_rate", None, None, 3.0, "rate-too-low", "", 0.5),)


def bowl(x: float) -> float:
    return 1.0 + 0.1 * (x + 3.6) ** 2


def on_line(positions: Any, loss: Callable[[float], float] = bowl, **more: Any) -> list[TrialView]:
    return [TrialView(n, {"learning_rate": 10.0**x}, loss(x), **more) for n, x in enumerate(positions)]


def test_a_rate_that_was_searched_on_all_sides_is_enough():
    found = should_stop(on_line(DECADES), LINE)
    assert found is not None
    assert found.expected < found.noise < 0.02


def test_too_few_trials_are_never_enough():
    assert should_stop(on_line(DECADES[-MIN_TRIALS:]), LINE) is None


def test_a_space_without_a_setting_that_the_model_knows_is_never_enough():
    trials = [TrialView(n, {"weight_decay": n / 100}, 1.0) for n in range(20)]
    assert should_stop(trials, distributions({"weight_decay": WARMUP})) is None


def test_a_best_at_the_end_of_what_was_tried_is_not_enough():
    assert should_stop(on_line(np.linspace(-5.9, -4.2, 14)), LINE) is None


def test_advice_that_was_not_followed_is_not_enough():
    trials = on_line(DECADES)
    advised = [TrialView(t.number, {**t.settings}, t.loss, advice=LOW) for t in trials]
    assert should_stop(trials, LINE) is not None
    far = [t for t in advised if math.log10(t.settings["learning_rate"]) < -4.1]
    assert should_stop(far, LINE) is None


def test_it_must_hold_after_each_of_the_last_trials():
    trials = on_line(DECADES)
    better = TrialView(len(trials), {"learning_rate": 10**-2.1}, 0.9)
    assert should_stop([*trials, better], LINE) is None


def test_running_trials_do_not_count():
    trials = on_line(DECADES[-MIN_TRIALS:])
    assert should_stop([*trials, *(TrialView(20 + n, {}, None, running=True) for n in range(5))], LINE) is None


def test_a_knob_that_never_moved_is_still_to_be_tried():
    settings = {"batch_size": 8, "warmup_ratio": 0.05}
    still = [TrialView(t.number, {**t.settings, **settings}, t.loss) for t in on_line(DECADES)]
    assert should_stop(still, SPACE) is None


def test_what_is_expected_shrinks_as_the_search_closes_in():
    coarse, fine = on_line(np.arange(-6, -1.9, 1.0)), on_line(DECADES)
    found = [outlook(trials, LINE, RunModel(LINE)) for trials in (coarse, fine)]
    assert found[0] is not None and found[1] is not None
    assert found[0].expected > 3 * found[1].expected


def test_noise_that_one_run_does_not_show_is_read_from_how_the_trials_scatter():
    rng = np.random.default_rng(3)
    places = rng.uniform(-4.3, -2.9, 24)
    calm, rough = (on_line(places, lambda x, s=s: bowl(x) + s * rng.standard_normal(), start=1.5) for s in (0.0, 0.03))
    found = [outlook(trials, LINE, RunModel(LINE)) for trials in (calm, rough)]
    assert found[0] is not None and found[1] is not None
    assert found[0].noise < 0.012
    assert 0.02 < found[1].noise < 0.1
    assert should_stop(rough, LINE) is not None


def test_several_seeds_of_one_setting_are_one_setting():
    trials = on_line(DECADES)
    again = [replace(t, number=50 + n, seed=1, loss=bowl(-3.6) + 0.02) for n, t in enumerate(trials[-2:])]
    found = should_stop([*trials, *again], LINE)
    assert found is not None and found.noise > 0.01


def test_what_diverged_does_not_hide_what_is_left():
    trials = on_line(DECADES)
    hot = [TrialView(50 + n, {"learning_rate": 9e-3}, 1e6, diverged=True) for n in range(2)]
    assert should_stop([*hot, *trials], LINE) is not None


def test_the_decision_names_the_metric_the_gain_and_the_noise():
    why = StopDecision(0.00041, 0.0034).why("eval_loss")
    assert why == message("no-gain-in-sight", trials=2, metric="eval_loss", expected=0.00041, noise=0.0034)
