"""Losses that overshoot their start, whether or not they come back."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, fired, healthy, noise

DPO = LearningRatePrior(center=7e-6, cap=5e-5, max_blamed=7e-6)
TRAIN = [0.69, 0.50, 0.26, 1.23, 4.13, 1.74, 1.05, 1.47, 1.19, 2.27, 0.56, 0.58, 0.61, 0.63, 0.97, 0.67, 0.36]
"""A preference run at ten times the best rate, over a cosine schedule."""


HELD = [0.69, 1.57, 1.09, 0.74, 0.72]


def overshoots(
    train: list[float], held: list[float] | None = None, rate: float | None = None, first: float = 0.0
) -> bool:
    evals = None if held is None else curve(held, np.linspace(first, len(train), len(held)))
    return fired(
        "loss-overshoots", train_loss=train, settings=Settings(learning_rate=rate), rate_prior=DPO, eval_loss=evals
    )


def test_a_run_that_comes_back_from_far_above_its_start_is_found():
    assert overshoots(TRAIN, HELD)


@pytest.mark.parametrize(("top", "fires"), [(0.73, False), (0.80, True)])
def test_an_evaluation_counts_from_ten_percent_above_the_first_one_on(top: float, fires: bool):
    assert overshoots(TRAIN, [0.69, top, 0.70, 0.69, 0.68]) is fires


def test_training_must_overshoot_too():
    falling = list(0.69 * 0.8 ** np.arange(17))
    assert not overshoots(falling, [0.69, 0.71, 0.90, 1.10, 1.30])


def test_the_scatter_of_single_rows_is_not_an_overshoot():
    rough = list(1.5 * noise(0.3, 40))
    assert not overshoots(rough, [1.50, 1.40, 1.66, 1.42, 1.38, 1.35])


@pytest.mark.parametrize(("high", "fires"), [(2.6, False), (8.0, True)])
def test_noise_is_a_share_of_the_loss_and_larger_where_that_is_high(high: float, fires: bool):
    falling = 2.0 * np.exp(-3.0 * np.arange(40) / 40) * noise(0.2, 40)
    falling[4] = high
    assert overshoots(list(falling), [1.0, 0.9, 0.8, 1.0, 1.2, 1.4], first=2.0) is fires


def test_scattered_evaluations_are_not_an_overshoot():
    rows = 1.5 * noise(0.15, 12, seed=4)
    assert rows[1:].max() > 1.1 * rows[0]
    assert not overshoots(TRAIN, list(rows))


@pytest.mark.parametrize(("times", "fires"), [(2.9, False), (3.1, True)])
def test_without_evaluations_it_counts_at_rates_far_above_the_center(times: float, fires: bool):
    assert overshoots(TRAIN, None, times * 7e-6) is fires


def test_a_late_first_evaluation_does_not_show_the_start():
    with cannot_evaluate("no-early-eval"):
        overshoots(TRAIN, HELD, None, first=4.0)
    assert overshoots(TRAIN, HELD, 1e-3, first=4.0)


def test_a_healthy_fall_is_not_an_overshoot():
    assert not overshoots(list(healthy(40) * noise(0.05, 40)), [2.0, 1.5, 1.3, 1.2, 1.15])
    assert not overshoots(list(healthy(40) * noise(0.05, 40)), None, 1e-3)


BEFORE_THE_FIRST_LOG = [9.7, 8.6, 6.5, 6.6, 6.2, 6.0, 5.9, 5.9, 6.0, 5.8, 5.6, 5.6, 5.4, 5.5, 5.6, 5.5, 5.5, 5.3]
"""It overshot before the first log: the model had begun at 4.8."""


def test_an_overshoot_before_the_first_log_shows_in_losses_that_never_come_down_to_the_start():
    assert overshoots(BEFORE_THE_FIRST_LOG, [4.8, 6.2, 5.9, 5.7, 5.5, 5.5])
    assert not overshoots(BEFORE_THE_FIRST_LOG, [6.0, 6.1, 5.9, 5.7, 5.5, 5.5])


@pytest.mark.parametrize(("end", "fires"), [(1.0, False), (2.2, True)])
def test_held_out_rows_of_another_kind_are_not_an_overshoot(end: float, fires: bool):
    assert overshoots([3.0, 2.9, 2.8, *[2.6] * 15], [0.9 * end, 1.05 * end, end, end, end, end]) is fires
