"""The signs of slow learning: barely falling, falling straight on."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.detectors.arguments import Losses
from diagnostics.detectors.slow_learning import SlowLimits, learns_slowly
from diagnostics.model.curves import FloatArray
from diagnostics.rules.slow_learning import SLOW
from tests.diagnostics.cases import cannot_evaluate, curve, healthy, noise

LIMITS = SlowLimits(**{key: limit for key, limit in SLOW.items() if key != "min_share_done"})
SHARE = np.arange(1, 101) / 100


def slow(train: FloatArray, held: FloatArray | None = None) -> bool:
    evals = None if held is None else curve(held[4::5], np.arange(5, 101, 5))
    return learns_slowly(Losses(curve(train), evals), LIMITS) is not None


@pytest.mark.parametrize(("lost", "expected"), [(0.0, True), (0.015, True), (0.035, False)])
def test_a_loss_barely_falls_below_two_percent(lost: float, expected: bool):
    shape = 1.0 - lost * (1.0 - np.exp(-8 * (SHARE - 0.01)))
    assert slow(2.0 * shape * noise(0.0005, 100), 2.0 * shape) is expected


def test_a_fall_within_the_first_logs_is_a_fall():
    shape = 1.0 + 0.08 * np.exp(-np.arange(100) / 2)
    assert not slow(shape * noise(0.001, 100), shape)


def test_a_rise_is_not_slow_learning():
    assert not slow(1.0 + 0.1 * SHARE, 1.0 + 0.1 * SHARE)


LINE = 2.0 - 0.5 * SHARE


@pytest.mark.parametrize("scale", [0.0, 0.005, 0.02])
def test_a_straight_line_is_slow_whatever_the_noise_of_training(scale: float):
    assert slow(LINE * noise(scale, 100), LINE)


def test_a_straight_line_in_training_alone_needs_a_clearer_sign():
    assert slow(LINE * noise(0.005, 100))
    bent = 2.0 - 0.5 * SHARE**0.6
    assert slow(bent, bent)
    assert not slow(2.0 - 0.5 * SHARE**0.2)


SHAPES = {
    "power 1": (1 + 30 * SHARE) ** -1.0,
    "power 0.5": (1 + 60 * SHARE) ** -0.5,
    "exponential": np.exp(-5 * SHARE),
    "logarithm": -np.log(SHARE + 0.003) / 6,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("drop", [0.1, 0.5])
def test_the_shapes_of_healthy_curves_are_not_slow(shape: str, drop: float):
    level = 1.0 + drop * SHAPES[shape]
    assert not slow(level * noise(0.01, 100), level)
    assert not slow(level * noise(0.01, 100))


def test_a_held_out_loss_that_flattens_speaks_against_it():
    assert not slow(LINE, healthy())


def test_a_curve_that_falls_at_last_is_slow():
    late = np.where(SHARE < 0.8, 1.8, 1.8 - 4 * (SHARE - 0.8))
    assert slow(late * noise(0.002, 100), late)


@pytest.mark.parametrize("size", [4, 6, 10, 20, 60])
def test_flat_short_runs(size: int):
    assert learns_slowly(Losses(curve(np.full(size, 0.84))), LIMITS) is not None


def test_three_losses_are_too_few():
    with cannot_evaluate("too-few-points", have=3, need=4, what="training losses"):
        learns_slowly(Losses(curve([1, 1, 1])), LIMITS)


def test_a_late_drop_with_the_cool_down_of_the_rate_is_no_slow_learning():
    values = np.where(SHARE < 0.8, 1.3 + 0.7 * np.exp(-8 * SHARE), 1.3 - 0.6 * (SHARE - 0.8))
    trapezoid = curve(np.minimum(1.0, 5 * (1.01 - SHARE)))
    held = curve(values[4::5], np.arange(5, 101, 5))
    assert learns_slowly(Losses(curve(values), held), LIMITS) is not None
    assert learns_slowly(Losses(curve(values), held, trapezoid), LIMITS) is None
    linear = curve(1.01 - SHARE)
    assert learns_slowly(Losses(curve(LINE), curve(LINE[4::5], np.arange(5, 101, 5)), linear), LIMITS) is not None


@pytest.mark.parametrize(("lost", "expected"), [(0.003, True), (0.06, False)])
def test_single_noisy_batches_do_not_hide_that_the_held_out_loss_barely_falls(lost: float, expected: bool):
    held = curve(1.5 * (1.0 - lost * np.linspace(0, 1, 6) ** 0.5), [0, 5, 10, 15, 20, 24])
    assert (learns_slowly(Losses(curve(1.2 * noise(0.2, 24)), held), LIMITS) is not None) is expected


def test_noisy_batches_alone_do_not_show_slow_learning():
    assert learns_slowly(Losses(curve(1.2 * noise(0.2, 24))), LIMITS) is None


def test_the_noise_of_single_batches_does_not_hide_a_held_out_loss_that_stays_from_the_first_step_on():
    rng = np.random.default_rng(3)
    batches = 4.7 * (1.0 + 0.08 * rng.standard_normal(41))
    held = curve(np.array([4.695, 4.692, 4.690, 4.689, 4.688, 4.688]), np.arange(0, 41, 8))
    assert learns_slowly(Losses(curve(batches), held), LIMITS) is not None
    falling = curve(batches - np.linspace(0.0, 1.0, 41))
    assert learns_slowly(Losses(falling, held), LIMITS) is None
