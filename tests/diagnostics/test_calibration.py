"""How sure a verdict is: monotone, modest, and less sure where less was seen."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics import RULES, Curve, Run, diagnose
from diagnostics.diagnosis.calibration import DEFAULT, MAX_CONFIDENCE, PIVOT, combine
from diagnostics.model.records import Label
from diagnostics.synthetic import make


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


def test_healthy_is_less_sure_with_few_points_kinds_or_a_rule_nearly_found():
    full = DEFAULT.no_fault(3, 50, nearly=False)
    assert full > DEFAULT.no_fault(3, 5, nearly=False)
    assert full > DEFAULT.no_fault(2, 50, nearly=False) > DEFAULT.no_fault(1, 50, nearly=False)
    assert full > DEFAULT.no_fault(3, 50, nearly=True)
    assert DEFAULT.no_fault(3, 0, nearly=False) == 0.0


def test_more_evaluations_make_a_healthy_verdict_surer():
    sure = [diagnose(make("healthy-sft", evals=evals, logs=20)).confidence for evals in (4, 8, 20)]
    assert sure == sorted(sure)
    assert sure[0] < sure[-1]


def test_a_run_near_a_limit_is_healthy_less_surely_with_the_borderline_fault():
    fall = [2.0, 1.5, 1.2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    calm = diagnose(history(fall))
    near = diagnose(history([*fall[:5], 1.01, 1.02, 1.03, 1.055, 1.055]))
    assert (calm.label, near.label) == (Label.HEALTHY, Label.HEALTHY)
    assert near.confidence < 0.75 * calm.confidence
    assert calm.borderline is None
    assert (near.borderline.rule, near.borderline.label) == ("eval-loss-rises", Label.OVERFIT)
    assert near.borderline.measured["rise"] == pytest.approx(0.051, abs=5e-4)


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
