"""How sure a verdict is: monotone, modest, and less sure where less was seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diagnostics import RULES, Curve, Run, diagnose
from diagnostics.diagnosis.calibration import (
    DEFAULT,
    MAX_CONFIDENCE,
    PIVOT,
    Health,
    LookedHealth,
    RewardHealth,
    combine,
)
from diagnostics.diagnosis.diagnose import diagnose_with_basis
from diagnostics.diagnosis.nearly import LOOKS_SO
from diagnostics.model.records import Label
from diagnostics.model.settings import Settings
from diagnostics.synthetic import make
from tests.diagnostics.cases import always


def history(held: list[float], train: list[float] | None = None) -> Run:
    seen = train or list(np.linspace(2.0, 0.5, len(held)))
    return Run("history", {"train_loss": Curve.from_points(range(len(seen)), seen), "eval_loss": eval_curve(held)})


def eval_curve(held: list[float]) -> Curve:
    return Curve.from_points(range(len(held)), held)


def test_the_map_rises_and_never_claims_certainty():
    sure = [DEFAULT.fault(x) for x in np.linspace(0.0, 1.0, 50)]
    assert sure == sorted(sure)
    assert sure[0] == 0.0
    assert sure[-1] <= MAX_CONFIDENCE < 1.0


def test_a_weak_rule_stays_weak():
    assert DEFAULT.fault(PIVOT) == pytest.approx(PIVOT, abs=0.01)
    assert all(DEFAULT.fault(rule.confidence) <= 0.3 for rule in RULES if rule.confidence <= 0.3)


@pytest.mark.parametrize("estimate", [0.2, 0.5, 0.8, 0.95])
def test_the_map_can_be_undone(estimate: float):
    assert DEFAULT.estimate(DEFAULT.fault(estimate)) == pytest.approx(estimate, abs=1e-6)


def test_another_sign_of_the_same_fault_removes_doubt():
    assert combine(0.6, []) == pytest.approx(0.6)
    assert 0.6 < combine(0.6, [0.7]) < combine(0.6, [0.7, 0.7]) < 1.0


WELL = Health()


@pytest.mark.parametrize(
    "less",
    [{"points": 1.0}, {"kinds": 2}, {"nearly": True}, {"shown": 0.0}, {"bends": -2.0}, {"rate": -1.0}],
    ids=lambda less: next(iter(less)),
)
def test_healthy_is_less_sure_where_less_speaks_for_it(less: dict[str, float]):
    some = replace(WELL, rate=0.5)
    assert DEFAULT.no_fault(some) > DEFAULT.no_fault(replace(some, **less))


@pytest.mark.parametrize("less", [{"look": -1.0}, {"held_out": False}, {"nearly": True}, {"kinds": 2}, {"shown": 0.5}])
def test_a_healthy_look_is_less_sure_where_less_speaks_for_it(less: dict[str, object]):
    some = LookedHealth(look=1.0, rate=0.5, shown=3.0)
    assert DEFAULT.no_fault(some) > DEFAULT.no_fault(replace(some, **less))


REWARDED = RewardHealth(gained=0.2)


@pytest.mark.parametrize(
    "less", [{"held_out": False}, {"nearly": True}, {"gained": 0.02}], ids=lambda less: next(iter(less))
)
def test_a_healthy_reward_is_less_sure_where_less_speaks_for_it(less: dict[str, float]):
    assert DEFAULT.no_fault(REWARDED) > DEFAULT.no_fault(replace(REWARDED, **less)) + 0.02


def test_a_tiny_gain_or_a_flat_part_for_content_makes_a_healthy_reward_a_coin_or_less():
    unseen = replace(REWARDED, held_out=False)
    assert DEFAULT.no_fault(replace(unseen, gained=0.005)) < 0.55
    assert DEFAULT.no_fault(replace(unseen, nearly=True)) < 0.55
    assert DEFAULT.no_fault(replace(REWARDED, gained=0.01)) == DEFAULT.no_fault(replace(REWARDED, gained=-0.3))
    sound, hollow = diagnose(make("healthy-rewards-parts")), diagnose(make("task-part-stays-flat"))
    assert sound.label is hollow.label is Label.HEALTHY
    assert sound.confidence > hollow.confidence + 0.2


def test_healthy_without_context_is_never_quite_sure():
    some = [replace(WELL, held_out=False), replace(WELL, settings=False)]
    assert all(DEFAULT.no_fault(health) < 0.95 for health in some)
    assert DEFAULT.no_fault(replace(WELL, held_out=False, settings=False)) < 0.65 < DEFAULT.no_fault(WELL)


def test_nothing_logged_or_checked_is_no_verdict():
    assert DEFAULT.no_fault(replace(WELL, points=None)) == DEFAULT.no_fault(replace(WELL, kinds=0)) == 0.0


def test_more_evaluations_make_a_healthy_verdict_surer():
    sure = [diagnose(make("healthy-sft", evals=evals, logs=20)).confidence for evals in (4, 8, 20)]
    assert sure == sorted(sure)
    assert sure[0] < sure[-1]


def test_a_run_near_a_limit_is_healthy_less_surely_with_the_borderline_fault():
    fall = [3.0, 1.6, 1.2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    calm, near = (
        diagnose_with_basis(history(losses), look=always("well", chance))[0]
        for losses, chance in ((fall, 0.95), ([*fall[:5], 1.01, 1.02, 1.03, 1.065, 1.065], 0.6))
    )
    assert (calm.label, near.label) == (Label.HEALTHY, Label.HEALTHY)
    assert near.confidence < 0.75 * calm.confidence
    assert calm.borderline is None
    assert (near.borderline.rule, near.borderline.label) == ("eval-loss-rises", Label.OVERFIT)
    assert near.borderline.measured["rise"] == pytest.approx(0.0615, abs=5e-4)


def test_a_fault_that_was_nearly_found_is_named_where_most_runs_that_look_so_had_it():
    run = history([2.0, 1.5, 1.2, 1.0, 1.0, 1.01, 1.02, 1.03, 1.065, 1.065])
    found, other = (
        diagnose_with_basis(run, look=always("overfit", chance))[0] for chance in (LOOKS_SO + 0.01, LOOKS_SO - 0.01)
    )
    assert (found.label, found.cause) == (Label.OVERFIT, "eval-loss-rises")
    assert 0.3 < found.confidence < 0.95
    assert other.label is not Label.OVERFIT


def test_a_larger_rise_is_a_surer_overfit():
    fall = [2.0, 1.5, 1.2, 1.0, 1.0, 1.0]
    small = diagnose(history([*fall, 1.06, 1.09, 1.1, 1.1]))
    large = diagnose(history([*fall, 1.2, 1.4, 1.6, 1.8]))
    assert (small.label, large.label) == (Label.OVERFIT, Label.OVERFIT)
    assert small.confidence < large.confidence
    assert small.confidence == pytest.approx(small.findings[0].confidence)


def test_looser_limits_stand_beside_limits_of_the_same_name():
    assert all(set(rule.borderline) <= set(rule.limits) for rule in RULES)
    assert any(rule.borderline for rule in RULES if rule.label is Label.OVERFIT)
    for rule in RULES:
        assert all(f"{name} = {value:g}" in rule.explain() for name, value in rule.borderline.items())


def test_a_slow_run_that_was_nearly_found_is_named_where_it_is_likelier_than_none():
    share = np.arange(1, 31) / 30
    usual = Settings(method="sft", use_peft=True, learning_rate=2e-4)  # a rate that says more than a look
    found = []
    for rate in np.linspace(1.5, 4.0, 21):
        slow = 2.0 - 0.3 * (1.0 - np.exp(-rate * share))
        curves = {"train_loss": Curve.from_points(range(30), slow), "eval_loss": Curve.from_points(range(30), slow)}
        found.append(diagnose_with_basis(Run("run", curves, usual)))
    named = [verdict for verdict, basis in found if basis.likelier]
    assert named
    assert all(verdict.label is Label.UNDERFIT and verdict.borderline is None for verdict in named)
    assert all(0.3 < verdict.confidence < 0.95 for verdict in named)
