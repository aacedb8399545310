"""One estimate of the rate: what the features say, what the whole run looks like, and the verdict."""

import numpy as np
import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate, RateSide
from diagnostics.model.records import Label
from diagnostics.rate.agreement import with_look, with_verdict
from diagnostics.synthetic import HEALTHY, make

AT = np.asarray(OFFSETS)


def estimate(center: float, sd: float, prior_center: float = 0.0) -> RateEstimate:
    """Evidence around a center that may be wrong, as a fit gives it, beside a wide prior."""
    bell = np.exp(-0.5 * ((AT - center) / sd) ** 2)
    return RateEstimate.of(
        -0.5 * ((AT - prior_center) / 2.0) ** 2, np.log(0.95 * bell / bell.sum() + 0.05 / AT.size), 1e-4
    )


def test_a_run_that_looks_well_is_near_the_best_rate():
    low = estimate(-1.0, 0.5)
    assert low.tells(RateSide.TOO_LOW)
    seen = with_look(low, Outlook(0.98, 0.01, 0.01, 0.0))
    assert low.probability_below(-1.0) > 3 * seen.probability_below(-1.0)
    assert low.median + 0.3 < seen.median < 0.0


def test_two_readings_that_contradict_each_other_tell_neither_side():
    hot = estimate(1.5, 0.4)
    seen = with_look(hot, Outlook(0.005, 0.99, 0.005, 0.0))
    assert hot.tells(RateSide.TOO_HIGH)
    assert not any(map(seen.tells, RateSide))


def test_a_run_that_looks_overfit_says_nothing_of_its_rate():
    raw = estimate(-0.5, 0.6)
    assert with_look(raw, Outlook(0.0, 0.0, 0.0, 1.0)).density == pytest.approx(raw.density, abs=2e-3)


@pytest.mark.parametrize("prior_center", [-2.0, 0.0, 2.0])
def test_a_look_that_agrees_does_not_turn_the_evidence_against_a_prior(prior_center: float):
    raw = estimate(-1.5, 0.4, prior_center)
    seen = with_look(raw, Outlook(0.02, 0.96, 0.02, 0.0))
    assert seen.tells(RateSide.TOO_LOW)
    assert np.argmax(seen.prior) == np.argmax(raw.prior)


@pytest.mark.parametrize("side", RateSide)
@pytest.mark.parametrize("confidence", [0.3, 0.6, 0.9])
def test_a_verdict_makes_surer_and_never_less_sure(side: RateSide, confidence: float):
    for center in (-2.0, -0.5, 0.0, 0.5, 2.0):
        raw = estimate(center, 0.5)
        seen = with_verdict(raw, side, confidence)
        assert seen.chance(side) >= raw.chance(side) - 1e-3
        assert seen.chance(side) >= confidence - 1e-3


def test_how_far_off_a_blamed_rate_is_stays_what_the_evidence_says():
    raw = estimate(-0.4, 0.3)
    seen = with_verdict(raw, RateSide.TOO_LOW, 0.95)
    assert raw.median > seen.median > -0.6


def test_runs_that_are_surely_healthy_are_not_told_another_rate():
    found = [diagnose(make(name, seed=3)) for name in HEALTHY]
    sure = [one.rate for one in found if one.label is Label.HEALTHY and one.confidence >= 0.7 and one.rate is not None]
    assert len(sure) >= 15
    assert not [rate for rate in sure if any(map(rate.tells, RateSide))]
