"""Findings that the look of a run, or the estimate of its rate, denies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diagnostics.diagnosis.answers import denied
from diagnostics.model.outlook import OTHER, WELL, Outlook
from diagnostics.model.rate_estimate import RateEstimate, RateSide
from tests.diagnostics.cases import BY_NAME, standing


def test_a_finding_is_denied_by_a_look_from_its_limit_on():
    well, hot = Outlook(WELL, 1.0 - WELL, 0.0, 0.0), Outlook(0.1, 0.0, OTHER, 0.9 - OTHER)
    assert well.denies(RateSide.TOO_LOW)
    assert not replace(well, well=WELL - 0.01).denies(RateSide.TOO_LOW)
    assert hot.denies(RateSide.TOO_LOW)
    assert not hot.denies(RateSide.TOO_HIGH)


@pytest.mark.parametrize(
    ("rate", "dropped"),
    [
        (standing(0.91, -1.0), False),
        (standing(0.89, -1.0), True),
        (standing(0.91, -1.0, by_curves=0.89), True),
    ],
)
def test_a_look_that_sees_a_sound_run_denies_no_low_rate_that_the_curves_are_certain_of(
    rate: RateEstimate, dropped: bool
):
    assert denied(BY_NAME["rate-too-low"], rate, Outlook(0.99, 0.01, 0.0, 0.0)) is dropped
    assert denied(BY_NAME["rate-too-low"], rate, Outlook(0.05, 0.0, 0.95, 0.0))


def test_a_look_of_a_hot_run_keeps_its_finding_whatever_the_estimate():
    assert not denied(BY_NAME["rate-too-high"], standing(0.95, -1.0), Outlook(0.1, 0.0, 0.9, 0.0))
    assert denied(BY_NAME["rate-too-high"], standing(0.95, -1.0), Outlook(0.3, 0.0, 0.7, 0.0))


@pytest.mark.parametrize(("chance", "dropped"), [(0.89, False), (0.91, True)])
def test_a_look_of_a_slow_run_keeps_no_finding_at_a_rate_that_is_certainly_too_high(chance: float, dropped: bool):
    assert denied(BY_NAME["rate-too-low"], standing(chance, 1.0), Outlook(0.1, 0.9, 0.0, 0.0)) is dropped


@pytest.mark.parametrize(
    "rule", ["dpo-start-loss-wrong", "start-loss-wrong", "fall-not-shown", "no-better-than-untrained"]
)
def test_a_run_that_looks_thrown_is_no_wrong_start_and_no_run_that_learned_too_little(rule: str):
    assert denied(BY_NAME[rule], None, Outlook(0.02, 0.1, 0.88, 0.0))
    assert not denied(BY_NAME[rule], None, Outlook(0.02, 0.58, 0.4, 0.0))
    assert not denied(BY_NAME[rule], None, None)
    assert not denied(BY_NAME["loss-diverges"], None, Outlook(0.02, 0.1, 0.88, 0.0))
