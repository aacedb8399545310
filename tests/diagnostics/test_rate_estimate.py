"""Where the learning rate stands: the distribution, and what curves of known cause make of it."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics import Curve, Run, Settings, diagnose
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate

AT = np.asarray(OFFSETS)
FLAT = np.zeros(AT.size)


def around(offset: float, sd: float = 0.3) -> RateEstimate:
    return RateEstimate.of(FLAT, -0.5 * ((AT - offset) / sd) ** 2, rate=1e-4)


def test_quantiles_and_probabilities_agree_with_the_distribution():
    found = around(-1.0)
    assert found.median == pytest.approx(-1.0, abs=0.01)
    assert found.interval(0.9) == pytest.approx((-1.0 - 1.645 * 0.3, -1.0 + 1.645 * 0.3), abs=0.02)
    assert found.probability_below(-1.0) == pytest.approx(0.5, abs=0.01)
    assert found.probability_above(-0.7) == pytest.approx(0.16, abs=0.01)
    assert found.factor == pytest.approx(10, rel=0.05)
    assert found.suggested == pytest.approx((1e-3 / 10**0.2, 1e-3 * 10**0.2), rel=0.05)


def test_prior_and_evidence_multiply():
    both = RateEstimate.of(-0.5 * (AT / 0.3) ** 2, -0.5 * ((AT + 1.0) / 0.3) ** 2)
    assert both.median == pytest.approx(-0.5, abs=0.01)
    assert both.suggested is None


def lora(losses: np.ndarray, rate: float = 1e-4, **known: object) -> Run:
    """A run of 200 steps with 10 evaluations, the first before training."""
    steps = np.arange(10.0, 201.0, 10.0)
    at = np.linspace(0, 200, losses.size)
    train = np.interp(steps, at, losses) * np.exp(0.01 * np.random.default_rng(0).standard_normal(steps.size))
    settings = {"method": "sft", "use_peft": True, "learning_rate": rate, "max_steps": 200, **known}
    curves = {"train_loss": Curve.from_points(steps, train), "eval_loss": Curve.from_points(at, losses)}
    return Run("run", curves, Settings.from_mapping(settings))


SHARE = np.linspace(0, 1, 11)


@pytest.mark.parametrize(("lost", "rate"), [(0.0005, 1e-6), (0.002, 3e-6), (0.01, 1e-5)])
def test_a_straight_fall_of_little_is_far_too_low(lost: float, rate: float):
    found = diagnose(lora(2.0 * (1 - lost * SHARE), rate)).rate
    assert found is not None
    assert found.probability_below(-0.5) > 0.95


def test_a_loss_that_is_thrown_up_is_far_too_high():
    found = diagnose(lora(2.0 + 3.0 * np.exp(-3 * SHARE) * (SHARE > 0), 1e-3)).rate
    assert found is not None
    assert found.probability_above(0.3) > 0.95


def test_in_mid_run_a_small_fall_says_nothing_of_a_low_rate():
    found = diagnose(lora(2.0 * (1 - 0.002 * SHARE), max_steps=2000)).rate
    assert found is not None
    assert max(found.evidence[: OFFSETS.index(0.0)]) == found.evidence[0] == 0.0


def test_where_the_loss_is_not_the_objective_there_is_no_estimate():
    assert diagnose(lora(2.0 * (1 - 0.1 * SHARE), method="grpo")).rate is None
