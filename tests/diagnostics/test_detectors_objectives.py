"""Rules of single losses: each just inside and just outside its limits."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.detectors.objectives import gkd, kto, orpo, reward_model, simpo
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.settings import Settings
from diagnostics.rules import RULES

LIMITS = {rule.name: dict(rule.limits) for rule in RULES}
DONE = Settings(method="kto", max_steps=200, beta=0.5)
SHARE = np.linspace(0.0, 1.0, 40)


def curve(values: object) -> Curve:
    array = np.asarray(values, dtype=np.float64) * np.ones(40)
    return Curve(5.0 * np.arange(1.0, 41.0), array)


@pytest.mark.parametrize(
    ("chosen", "rejected", "loss", "found"),
    [(-6.0, -7.0, 0.5, True), (-4.0, -4.5, 0.5, False), (-6.0, -14.0, 0.4, False), (-6.0, -14.0, 0.49, True)],
)
def test_kto_ran_away_where_both_rewards_are_far_below_0(chosen: float, rejected: float, loss: float, found: bool):
    losses = curve(np.where(SHARE > 0, loss, 0.5))
    evidence = kto.kto_runs_away(
        rewards_chosen=curve(chosen * SHARE.clip(max=0.5) * 2),
        rewards_rejected=curve(rejected * SHARE.clip(max=0.5) * 2),
        train_loss=losses,
        **LIMITS["kto-policy-runs-away"],
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("end", "margin", "found"), [(0.485, 0.1, True), (0.47, 0.1, False), (0.485, 0.3, False)])
def test_kto_hardly_moves_near_its_start(end: float, margin: float, found: bool):
    evidence = kto.kto_hardly_moves(
        train_loss=curve(0.5 - (0.5 - end) * SHARE.clip(max=0.5) * 2),
        rewards_margins=curve(margin),
        settings=DONE,
        **LIMITS["kto-policy-hardly-moves"],
    )
    assert (evidence is not None) is found


def test_kto_is_not_judged_slow_in_mid_run():
    half = Settings(method="kto", max_steps=1000)
    with pytest.raises(NotEnoughPoints):
        kto.kto_hardly_moves(
            train_loss=curve(0.5),
            rewards_margins=curve(0.0),
            settings=half,
            **LIMITS["kto-policy-hardly-moves"],
        )


@pytest.mark.parametrize(("moved", "nll", "found"), [(0.02, 0.2, True), (0.05, 0.2, False), (0.02, 0.02, False)])
def test_the_odds_ratio_part_is_dead_while_the_likelihood_part_falls(moved: float, nll: float, found: bool):
    evidence = orpo.odds_ratio_part_dead(
        log_odds_ratio=curve(-0.65 + np.where(SHARE > 0.5, moved, 0.0)),
        chosen_nll=curve(1.4 * (1.0 - np.where(SHARE > 0.5, nll, 0.0))),
        rewards_accuracies=curve(0.55),
        settings=DONE,
        **LIMITS["odds-ratio-part-dead"],
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("accuracy", "odds", "found"), [(0.1, -0.8, True), (0.3, -0.8, False), (0.1, -0.3, False)])
def test_rejected_answers_that_stay_likelier(accuracy: float, odds: float, found: bool):
    evidence = orpo.rejected_stays_likelier(
        log_odds_chosen=curve(odds), rewards_accuracies=curve(accuracy), **LIMITS["rejected-stays-likelier"]
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("end", "accuracy", "found"), [(1.66, 0.52, True), (1.55, 0.52, False), (1.66, 0.6, False)])
def test_simpo_hardly_learns_by_its_own_start(end: float, accuracy: float, found: bool):
    evidence = simpo.simpo_hardly_learns(
        train_loss=curve(np.where(SHARE > 0.5, end, 1.70)),
        rewards_accuracies=curve(np.where(SHARE > 0.5, accuracy, 0.5)),
        settings=DONE,
        **LIMITS["simpo-hardly-learns"],
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("fall", "margin", "found"), [(0.6, 3.0, True), (0.3, 3.0, False), (0.6, -3.0, False)])
def test_simpo_degenerates_where_chosen_answers_lose_their_likelihood(fall: float, margin: float, found: bool):
    evidence = simpo.simpo_degenerates(
        logps_chosen=curve(-1.0 - np.where(SHARE > 0.5, fall, 0.0)),
        rewards_margins=curve(margin * SHARE),
        **LIMITS["simpo-degenerates"],
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("loss", "margin", "found"), [(0.69, 0.01, True), (0.66, 0.01, False), (0.69, 0.1, False)])
def test_scores_at_chance(loss: float, margin: float, found: bool):
    evidence = reward_model.scores_at_chance(
        train_loss=curve(loss), rewards_margins=curve(margin), settings=DONE, **LIMITS["scores-at-chance"]
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("accuracy", "loss", "found"), [(0.4, 0.3, True), (0.48, 0.3, False), (0.4, 0.6, False)])
def test_scores_below_chance(accuracy: float, loss: float, found: bool):
    evidence = reward_model.scores_below_chance(
        train_loss=curve(loss), eval_rewards_accuracies=curve(accuracy), **LIMITS["scores-below-chance"]
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("rise", "gain", "found"), [(0.1, 0.0, True), (0.005, 0.0, False), (0.1, 0.1, False)])
def test_an_accuracy_that_stays_hides_a_rising_loss(rise: float, gain: float, found: bool):
    late = (SHARE - 0.5).clip(min=0.0) * 2
    evidence = reward_model.accuracy_hides_overfit(
        train_loss=curve(0.69 - 0.5 * SHARE),
        eval_loss=curve(0.69 - 0.1 * SHARE.clip(max=0.5) + rise * 0.64 * late),
        eval_rewards_accuracies=curve(0.7 + gain * late),
        **LIMITS["accuracy-hides-overfit"],
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("score", "found"), [(-12.0, True), (8.0, False)])
def test_scores_drift_far_from_0(score: float, found: bool):
    evidence = reward_model.scores_drift(reward=curve(score), **LIMITS["scores-drift"])
    assert (evidence is not None) is found


@pytest.mark.parametrize(("fall", "found"), [(0.03, True), (0.08, False)])
def test_a_distance_to_the_teacher_that_stays(fall: float, found: bool):
    evidence = gkd.teacher_not_approached(
        train_loss=curve(1.4 * (1.0 - np.where(SHARE > 0.5, fall, 0.0))),
        settings=DONE,
        **LIMITS["teacher-not-approached"],
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(("loss", "beta", "found"), [(0.72, 0.5, True), (0.68, 0.5, False), (5.0, 0.0, False)])
def test_a_divergence_above_its_bound(loss: float, beta: float, found: bool):
    evidence = gkd.distance_above_bound(
        train_loss=curve(loss), settings=Settings(beta=beta), **LIMITS["distance-above-bound"]
    )
    assert (evidence is not None) is found


@pytest.mark.parametrize(
    ("loss", "margin", "rise", "found"),
    [
        (0.19, 2.0, 0.05, True),
        (0.21, 2.0, 0.05, False),
        (0.3, 8.5, 0.05, True),
        (0.3, 7.5, 0.05, False),
        (0.19, 8.5, 0.02, False),
        (0.19, 8.5, None, True),
        (0.19, 7.5, None, False),
    ],
)
def test_kto_memorizes_its_answers(loss: float, margin: float, rise: float | None, found: bool):
    late = (SHARE - 0.5).clip(min=0.0) * 2
    held = None if rise is None else curve(0.45 + 0.05 * (1 - SHARE).clip(min=0.5) + 0.475 * rise * late)
    evidence = kto.kto_memorized(
        train_loss=curve(0.5 - (0.5 - loss) * SHARE.clip(max=0.5) * 2),
        rewards_margins=curve(margin * SHARE.clip(max=0.5) * 2),
        eval_loss=held,
        **LIMITS["kto-answers-memorized"],
    )
    assert (evidence is not None) is found
