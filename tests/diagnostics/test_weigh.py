"""Findings weighed against one another: one direction of the rate, and held-out losses over single noisy batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diagnostics import Curve, Run, Settings, diagnose
from diagnostics.diagnosis.context import prepare
from diagnostics.diagnosis.diagnose import diagnose_with_basis
from diagnostics.diagnosis.weigh import LEAST_OF_LOW, LEAST_UNSHARED, weigh
from diagnostics.model.evidence import Evidence
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate, RateSide
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.rules import Case
from diagnostics.synthetic import FAULTS, make
from tests.diagnostics.cases import BY_NAME, always, noise

CASE = Case(Settings(), LearningRatePrior(), {})
FOUND = Evidence(0.0, 1.0, {"score": 0.01, "recovered": 1.0})
STEPS = np.arange(1.0, 101)


def estimate(center: float) -> RateEstimate:
    """An estimate around log10(rate / best rate) = center."""
    offsets = np.asarray(OFFSETS)
    return RateEstimate.of(np.zeros(offsets.size), -0.5 * ((offsets - center) / 0.3) ** 2)


def fired(*names: str) -> list:
    return [(BY_NAME[name], FOUND) for name in names]


def names(weighed) -> list[str]:
    return [rule.name for rule, _ in weighed.fired]


@pytest.mark.parametrize(("center", "kept"), [(-1.0, "rate-too-low"), (1.0, "loss-spikes")])
def test_of_two_directions_the_likelier_one_stays(center: float, kept: str):
    found = weigh(fired("loss-spikes", "rate-too-low"), CASE, {}, estimate(center))
    assert names(found) == [kept]
    assert 0.5 < found.share < 1.0


def test_doubt_about_the_direction_lowers_the_share():
    clear, open_ = (
        weigh(fired("loss-spikes", "rate-too-low"), CASE, {}, estimate(center)).share for center in (1.0, 0.0)
    )
    assert open_ < 0.6 < clear


@pytest.mark.parametrize(("hot", "label"), [(0.2, "unknown"), (0.6, "unstable")])
def test_swings_of_single_batches_that_no_look_shares_give_no_label(hot: float, label: str):
    loud = 3.0 * (1.0 + 0.3 * np.random.default_rng(3).standard_normal(150))
    swings = Run("single batches", {"train_loss": Curve.from_points(2.0 * np.arange(1, 151), loud)})
    found, _ = diagnose_with_basis(swings, (BY_NAME["loss-swings"],), look=always("hot", hot))
    assert [finding.rule for finding in found.findings] == ["loss-swings"]
    assert str(found.label) == label
    assert bool(found.advice) is (label == "unstable")


@pytest.mark.parametrize("slow", [0.5, 0.7, 0.99])
def test_no_verdict_of_a_low_rate_is_surer_than_the_look_and_the_estimate(slow: float):
    steps = np.arange(1.0, 61.0)
    loss = 3.4 - 1.2 * (1.0 - (1.0 - steps / 60) ** 2)
    falls = Run("even", {"train_loss": Curve.from_points(steps, loss * noise(0.002, 60))})
    found, basis = diagnose_with_basis(falls, (BY_NAME["fall-follows-rate"],), look=always("slow", slow))
    assert str(found.label) == "underfit"
    assert found.confidence == pytest.approx(basis.share * found.findings[0].confidence)
    read = prepare(falls, None, always("slow", slow)).agreed_rate.chance(RateSide.TOO_LOW)
    assert found.confidence == pytest.approx(min(found.findings[0].confidence, max(slow, read)))
    assert (found.confidence < found.findings[0].confidence) is (slow < 0.8)


def test_that_a_rate_is_too_low_is_as_sure_as_the_look_or_the_estimate():
    surer = estimate(-1.0).chance(RateSide.TOO_LOW)
    assert surer > 0.95
    for center, slow, most in ((-1.0, 0.2, surer), (1.0, 0.2, 0.2), (1.0, 0.7, 0.7)):
        found = weigh(fired("rate-too-low"), CASE, {}, estimate(center), Outlook(0.9 - slow, slow, 0.1, 0.0))
        assert (found.most, found.least) == (pytest.approx(most), 0.0 if slow >= 0.5 else LEAST_OF_LOW)


def test_where_usual_rates_are_known_less_is_asked_of_a_low_rate_that_the_look_does_not_share():
    look, usual = Outlook(0.7, 0.2, 0.1, 0.0), replace(CASE, rate_prior=LearningRatePrior(2e-4))
    assert weigh(fired("rate-too-low"), CASE, {}, estimate(-1.0), look).least == LEAST_OF_LOW
    known = replace(estimate(-1.0), rate=1e-5)
    assert weigh(fired("rate-too-low"), usual, {}, known, look).least == LEAST_UNSHARED


@pytest.mark.parametrize(("passes", "well", "named"), [(1, 0.3, True), (20, 0.3, False), (20, 0.1, True)])
def test_rows_seen_many_times_take_a_look_that_is_surer_of_too_low_a_rate(passes: float, well: float, named: bool):
    look = Outlook(well, 0.95 - well, 0.05, 0.0, passes=passes)
    found = weigh(fired("rate-too-low"), CASE, {}, estimate(-1.0), look)
    assert found.least == (0.0 if named else 1.0)


@pytest.mark.parametrize(("slow", "label"), [(0.4, "unknown"), (0.6, "underfit")])
def test_a_low_rate_that_no_look_shares_gives_no_label_and_says_what_became_of_such_runs(slow: float, label: str):
    steps = np.arange(1.0, 61.0)
    loss = 3.4 - 1.2 * (1.0 - (1.0 - steps / 60) ** 2)
    curves = {"train_loss": loss * noise(0.002, 60), "epoch": steps / 3}
    falls = Run("even", {name: Curve.from_points(steps, values) for name, values in curves.items()})
    found = diagnose_with_basis(falls, (BY_NAME["fall-follows-rate"],), look=always("slow", slow))[0]
    assert str(found.label) == label
    assert [finding.rule for finding in found.findings] == ["fall-follows-rate"]
    told = [note.values["ill"] for note in found.notes if note.code == "looks-slow"]
    assert told == ([pytest.approx(slow)] if label == "unknown" else [])
    assert bool(found.advice) is (label == "underfit")
    assert label == "underfit" or found.findings[0].confidence == pytest.approx(slow)


def test_nothing_outweighs_a_run_that_blew_up():
    found = weigh(fired("loss-diverges", "rate-too-low"), CASE, {}, estimate(-2.0))
    assert names(found) == ["loss-diverges"]
    assert found.share == 1.0


def test_findings_of_one_direction_stand_beside_each_other():
    both = ("loss-spikes", "train-and-eval-jitter")
    assert names(weigh(fired(*both), CASE, {}, estimate(-2.0))) == list(both)


@pytest.mark.parametrize(("scatter", "decides"), [(0.15, False), (0.05, True)])
def test_a_calm_held_out_loss_decides_over_noisy_batches(scatter: float, decides: bool):
    falling = 1.0 + 1.0 / STEPS**0.5
    curves = {
        "train_loss": Curve.from_points(STEPS, falling * noise(scatter, 100)),
        "eval_loss": Curve.from_points(STEPS[9::10], falling[9::10]),
    }
    found = weigh(fired("loss-spikes"), CASE, curves, None)
    assert [rule.name for rule, _ in found.deciding] == (["loss-spikes"] if decides else [])
    assert names(found) == ["loss-spikes"]
    assert found.overruled is not decides
    rising = curves | {"eval_loss": Curve.from_points(STEPS[9::10], falling[9::-1])}
    assert weigh(fired("loss-spikes"), CASE, rising, None).deciding


@pytest.mark.parametrize("cause", FAULTS)
def test_a_report_moves_the_rate_one_way(cause: str):
    for seed in range(2):
        verdict = diagnose(make(cause, 0.75, seed=seed))
        first = [BY_NAME[found.rule] for found in verdict.findings if BY_NAME[found.rule].sets_label]
        fixes = [rule.fixes[0] for rule in first if rule.fixes[0].knob == "learning_rate"]
        assert len({fix.times > 1.0 for fix in fixes if isinstance(fix.times, float)}) <= 1
