"""A rise of the held-out loss that counts: large beside what was learned, or far and upward beside its noise."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve
from tests.diagnostics.cases import curve, evaluate, fired

SHARE = np.arange(1, 41) / 40
FALLING = curve(2.0 * np.exp(-3 * SHARE))


def level_then(rise: float, start: float) -> Curve:
    """Down from ``start`` to 1 in the first third, then up by ``rise``."""
    third = 13
    return curve(np.concatenate([np.linspace(start, 1.0, third), np.linspace(1.0, 1.0 + rise, 40 - third)]))


@pytest.mark.parametrize(
    ("rise", "start", "fires"),
    [(0.04, 1.2, True), (0.04, 1.5, False), (0.09, 1.5, True), (0.09, 4.0, True), (0.015, 1.05, False)],
)
def test_a_small_rise_counts_beside_a_small_descent_only(rise: float, start: float, fires: bool):
    assert fired("eval-loss-rises", eval_loss=level_then(rise, start), train_loss=FALLING) is fires


def jagged(tilt: float, seed: int, scale: float = 0.2) -> Curve:
    wiggle = np.exp(scale * np.random.default_rng(seed).standard_normal(40))
    return curve((0.5 + 1.5 * np.exp(-20 * SHARE) + tilt * SHARE) * wiggle)


def share_found(tilt: float) -> float:
    return float(
        np.mean([fired("eval-loss-rises", eval_loss=jagged(tilt, seed), train_loss=FALLING) for seed in range(100)])
    )


def test_wild_but_level_evaluations_are_seldom_overfit_however_far_training_falls():
    assert share_found(0.0) <= 0.2


def test_wild_evaluations_that_go_up_are():
    assert share_found(0.8) >= 0.9


def test_a_rise_within_wild_noise_is_less_sure():
    plain = evaluate("eval-loss-rises", eval_loss=level_then(0.3, 1.5), train_loss=FALLING)
    wild = next(
        found
        for seed in range(50)
        if (found := evaluate("eval-loss-rises", eval_loss=jagged(0.25, seed), train_loss=FALLING))
    )
    assert wild.strength <= plain.strength


@pytest.mark.parametrize(
    ("since", "left", "first", "fires"),
    [
        ([0.87, 0.91, 0.94, 0.74, 0.79, 0.77, 0.78], 0.09, 0, True),
        ([0.87, 0.91, 0.94, 0.70, 0.79, 0.77, 0.78], 0.09, 0, False),
        ([0.87, 0.91, 0.94, 0.74, 0.79, 0.77, 0.78], 0.60, 0, False),
        ([0.87, 0.91, 0.94, 0.74, 0.79, 0.77, 0.78], 0.09, 5, False),
    ],
    ids=["never better", "better once", "training falls little", "not seen before training"],
)
def test_a_held_out_loss_that_is_never_again_as_low_as_before_training(
    since: list[float], left: float, first: float, fires: bool
):
    held = curve([0.693, *since], first + 10.0 * np.arange(8))
    train = curve(np.geomspace(0.69, left, 70))
    assert fired("eval-loss-rises", eval_loss=held, train_loss=train) is fires


def test_short_noisy_logs_are_not_taken_for_slow_learning():
    def found(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        share = np.arange(1, 9) / 8
        loss = (1.0 + 0.8 * (1.0 + 60 * share) ** -0.8) * np.exp(0.04 * rng.standard_normal(8))
        return fired("still-improving", train_loss=loss)

    assert sum(found(seed) for seed in range(200)) <= 8
