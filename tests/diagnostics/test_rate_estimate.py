"""Where the learning rate stands: the distribution, and what curves of known cause make of it."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics import Curve, Run, Settings, diagnose
from diagnostics.messages import rate_words
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate, RateSide
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report.gauge import gauge_line, rate_gauge
from diagnostics.synthetic import make

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


@pytest.mark.parametrize("step", [0.0005, 1e-4 / 3, 0.0123])
def test_log_densities_are_kept_to_the_digits_that_python_rounds_to(step: float):
    density = -step * np.arange(AT.size)
    found = RateEstimate.of(density, FLAT)
    assert found.prior == tuple(round(float(value), 3) + 0.0 for value in density)


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


@pytest.mark.parametrize("fall", [0.002, 0.05, 0.7])
def test_in_mid_run_nothing_speaks_for_or_against_a_low_rate(fall: float):
    found = diagnose(lora(2.0 * (1 - fall * SHARE), max_steps=2000)).rate
    assert found is not None
    near = OFFSETS.index(0.0)
    assert set(found.evidence[:near]) == {found.evidence[near]}


def test_where_the_loss_is_not_the_objective_there_is_no_estimate():
    assert diagnose(lora(2.0 * (1 - 0.1 * SHARE), method="grpo")).rate is None


# What follows from it


def told(low: float, high: float) -> RateEstimate:
    """An estimate whose prior and evidence agree on an interval."""
    inside = np.where((low <= AT) & (high >= AT), 0.0, -8.0)
    return RateEstimate.of(inside, inside, rate=1e-4)


@pytest.mark.parametrize(
    ("estimate", "side", "denied"),
    [
        (told(-2, -1), RateSide.TOO_HIGH, True),
        (told(-2, -1), RateSide.TOO_LOW, False),
        (told(1, 2), RateSide.TOO_LOW, True),
        (told(-0.3, 0.3), RateSide.TOO_LOW, True),
        (told(-3, 3), RateSide.TOO_LOW, False),
    ],
)
def test_an_estimate_denies_findings_that_blame_the_other_side(estimate: RateEstimate, side: RateSide, denied: bool):
    assert estimate.denies(side) is denied


def test_the_size_of_a_change_is_the_median_within_what_one_change_may_be():
    assert told(-0.8, -0.4).step(RateSide.TOO_LOW) == pytest.approx(10**0.6, rel=0.05)
    assert told(-3, -2).step(RateSide.TOO_LOW) == 10.0
    assert told(0.4, 0.8).step(RateSide.TOO_HIGH) == pytest.approx(10**-0.6, rel=0.05)
    assert told(1.2, 1.4).step(RateSide.TOO_HIGH) == pytest.approx(10**-1.3, rel=0.05)
    assert told(2, 3).step(RateSide.TOO_HIGH) == pytest.approx(1 / 30)
    assert told(-3, 3).step(RateSide.TOO_LOW) is None


def test_a_prior_alone_gives_no_size():
    only_prior = RateEstimate.of(-0.5 * ((AT + 1.5) / 0.3) ** 2, FLAT)
    assert only_prior.chance(RateSide.TOO_LOW) > 0.95
    assert RateEstimate.of(np.asarray(only_prior.prior), -0.5 * ((AT - 1.5) / 1.0) ** 2).step(RateSide.TOO_LOW) is None


@pytest.mark.parametrize("rate", [1e-7, 1e-6, 1e-5])
@pytest.mark.parametrize("batch", [2, 8, 32, 128])
def test_a_rate_far_too_low_is_neither_healthy_nor_unstable_whatever_the_batch(rate: float, batch: int):
    lost = 0.06 * rate / 1e-5
    found = diagnose(lora(2.0 * (1 - lost * SHARE), rate, batch_size=batch))
    assert found.label is Label.UNDERFIT
    assert found.advice[0].factor > 1


def test_a_rate_far_too_high_is_cut_and_not_called_a_short_warmup():
    found = diagnose(make("rate-too-high", 0.6))
    assert (found.label, found.cause) == (Label.UNSTABLE, "rate-too-high")
    assert found.advice[0].knob == "learning_rate"
    assert found.advice[0].factor < 0.6
    assert not any(advice.knob == "learning_rate" and (advice.factor or 1.0) > 1.0 for advice in found.advice)


# In words and drawn


def words(estimate: RateEstimate, label: Label = Label.UNDERFIT) -> str:
    return rate_words(Diagnosis("run", label, None, 0.9, None, rate=estimate))


def test_the_words_name_the_interval_and_the_rates_worth_trying():
    said = words(told(-2, -1))
    assert all(part in said for part in ("10", "100", str(RateSide.TOO_LOW), "90 %", "2e-3"))
    assert str(RateSide.TOO_HIGH) in words(told(1, 2))
    assert words(told(-4, 3)) == ""


@pytest.mark.parametrize("label", [Label.HEALTHY, Label.UNKNOWN])
def test_a_rate_that_leans_to_a_side_is_told_by_its_interval_beside_no_fault(label: Label):
    leaning = told(-1.6, 0.2)
    assert leaning.tells(RateSide.TOO_LOW)
    assert leaning.suggested is not None
    told_lower, suggested = words(leaning), f"{leaning.suggested[0]:.0e}".replace("e-0", "e-")
    assert suggested in told_lower
    kept = words(leaning, label)
    assert kept
    assert suggested not in kept
    assert all(f"times {side}" in kept for side in RateSide)


@pytest.mark.parametrize("label", [Label.OVERFIT, Label.BROKEN])
def test_beside_what_explains_the_curve_otherwise_nothing_is_said(label: Label):
    assert words(told(1, 2), label) == ""


def test_the_gauge_covers_the_interval():
    line = gauge_line(told(-2, -1))
    scale = line[line.index("too low") + 8 : line.rindex(" too high")]
    assert len(scale) == 41
    filled = [k for k, cell in enumerate(scale) if cell in "▒█"]
    assert (filled[0] / 40 * 5 - 3, filled[-1] / 40 * 5 - 3) == pytest.approx((-2, -1), abs=0.15)
    assert rate_gauge(told(-2, -1)).startswith("<svg")
