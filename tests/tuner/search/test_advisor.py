from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from diagnostics.model.records import Advice
from tuner.search.advisor import next_move
from tuner.search.proposer import TRUST_REGION, advice_of
from tuner.search.trial_view import TrialView

SPACE = {"learning_rate": FloatDistribution(1e-7, 1e-3, log=True)}
UP = Advice("learning_rate", None, None, 3.0, "preferences-not-learned", "", 0.5)


def runs(*known: tuple[float, float, Sequence[Advice]]) -> list[TrialView]:
    """Trials of (rate, loss, advice)."""
    return [
        TrialView(
            number, {"learning_rate": rate}, loss, advice=tuple(advice), proposer=advice_of("x"), parent=number - 1
        )
        for number, (rate, loss, advice) in enumerate(known)
    ]


def proposed(trials: list[TrialView]) -> float:
    move = next_move(trials, SPACE)
    assert move is not None
    return float(move.settings["learning_rate"])


def test_the_rate_rises_further_from_a_run_that_has_not_begun_to_learn_though_it_is_worse_by_chance():
    trials = runs((5e-7, 0.6874, [UP]), (1.5e-6, 0.6931, [UP]))
    assert proposed(trials) == pytest.approx(4.5e-6)
    assert next_move(trials, SPACE).parent == 1


def test_the_rate_does_not_rise_further_from_a_clearly_worse_run():
    assert proposed(runs((5e-7, 0.6874, [UP]), (1.5e-6, 0.75, [UP]))) < 1.5e-6


def test_the_rate_stops_rising_where_the_verdict_no_longer_advises_it():
    assert proposed(runs((5e-7, 0.6874, [UP]), (1.5e-6, 0.6931, []))) < 1.5e-6


def test_the_rate_rises_no_further_than_the_space():
    assert proposed(runs((3e-4, 0.6874, [UP]), (9e-4, 0.6931, [UP]))) == pytest.approx(1e-3)


@pytest.mark.parametrize("label", ["unstable", "healthy"])
def test_a_loss_past_the_edge_of_stability_says_nothing_about_the_rates_below(label: str):
    low, best, far = runs((1e-6, 3.9, []), (1e-5, 3.1, []), (1e-4, 4.7, []))
    rate = proposed([low, best, replace(far, label=label)])
    assert (rate == pytest.approx(5e-5)) == (label == "unstable")
    assert (rate < 1e-5) == (label == "healthy")


def advice(knob: str, old: float, new: float, because: str, confidence: float) -> Advice:
    return Advice(knob, old, new, None, because, "", confidence)


WIDE = {
    "learning_rate": FloatDistribution(1e-5, 1e-2, log=True),
    "batch_size": CategoricalDistribution([4, 8, 16]),
    "lora_r": IntDistribution(4, 64, log=True),
}
HERE = {"learning_rate": 1e-3, "batch_size": 8, "lora_r": 8}


def bracketed(*more: TrialView, advised: Sequence[Advice]) -> list[TrialView]:
    """A best trial with one step tried on either side, and what else was tried."""
    sides = [TrialView(1, HERE | {"learning_rate": 3e-4}, 1.1), TrialView(2, HERE | {"learning_rate": 3e-3}, 1.1)]
    return [TrialView(0, HERE, 1.0, advice=tuple(advised)), *sides, *more]


def test_the_surer_advice_is_followed_first():
    advised = [advice("lora_r", 8, 16, "capacity-short", 0.4), advice("batch_size", 8, 4, "too-few-updates", 0.7)]
    assert next_move(bracketed(advised=advised), WIDE).settings["batch_size"] == 4


def test_a_rule_whose_advice_brought_nothing_comes_after_one_that_was_not_followed():
    advised = [advice("lora_r", 8, 16, "capacity-short", 0.5), advice("batch_size", 8, 4, "too-few-updates", 0.7)]
    lost = TrialView(3, HERE | {"batch_size": 16}, 1.2, proposer=advice_of("too-few-updates"), parent=0)
    assert next_move(bracketed(advised=advised), WIDE).settings["batch_size"] == 4
    assert next_move(bracketed(lost, advised=advised), WIDE).settings["lora_r"] == 16


def test_other_settings_are_changed_before_the_rate_is_refined():
    uneven = [TrialView(0, HERE, 1.0), TrialView(1, HERE | {"learning_rate": 3e-4}, 1.02)]
    uneven += [TrialView(2, HERE | {"learning_rate": 3e-3}, 1.4)]
    move = next_move(uneven, WIDE)
    assert move.settings["learning_rate"] == 1e-3
    assert move.settings["batch_size"] == 4
    only_rate = {"learning_rate": WIDE["learning_rate"]}
    assert 3e-4 < next_move(uneven, only_rate).settings["learning_rate"] < 1e-3


@pytest.mark.parametrize("method", ["dpo", "sft"])
def test_a_step_that_lost_by_no_more_than_seeds_differ_is_tried_again_from_another_place(method: str):
    lost = TrialView(3, HERE | {"batch_size": 4}, 1.1, proposer=TRUST_REGION, parent=0)
    better = TrialView(4, HERE | {"lora_r": 16}, 0.9, proposer=TRUST_REGION, parent=0)
    trials = [replace(trial, method=method) for trial in bracketed(lost, better, advised=[])]
    around = [replace(trial, settings=trial.settings | {"lora_r": 16}, loss=1.0) for trial in trials[1:3]]
    around = [replace(trial, number=5 + n, proposer=TRUST_REGION, parent=4) for n, trial in enumerate(around)]
    move = next_move([*trials, *around], WIDE)
    assert move is not None
    assert (move.settings["lora_r"], move.settings["batch_size"]) != (16, 8)
    assert (move.settings["batch_size"] == 4) == (method == "dpo")
