from pathlib import Path

import pytest

from diagnostics import RULES, diagnose, read
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Label
from tests.tuner.inspector.material import falling, overfitting, write_overfit_run
from tuner.inspector.runs.limits import (
    descriptions,
    diagnosed_by,
    from_address,
    movable,
    moved_rules,
    slider_range,
    to_address,
)

RUNS = [
    Run("a", {name: Curve.from_points(*zip(*points, strict=True)) for name, points in curves.items()})
    for curves in (
        {"train_loss": falling(), "eval_loss": overfitting()},
        {"train_loss": [(k, 3.0 if k < 50 else float("nan")) for k in range(99)]},
        {
            "train_loss": falling(seed=1),
            "rewards_margins": falling(seed=2),
            "rewards_accuracies": falling(seed=3),
            "logps_chosen": falling(seed=4),
            "grad_norm": falling(seed=5),
            "learning_rate": falling(seed=6),
        },
    )
]
RISE = ("eval-loss-rises", "rise")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return read(write_overfit_run(tmp_path / "a.csv"))


def test_a_limit_that_is_moved_changes_the_verdict_and_no_other_rule(run: Run) -> None:
    assert diagnosed_by(run, {}) == diagnose(run)
    assert diagnose(run).cause == "eval-loss-rises"
    milder = diagnosed_by(run, {RISE: 5.0})
    assert "eval-loss-rises" not in [finding.rule for finding in milder.findings]
    assert milder.label is not Label.OVERFIT
    assert [rule.name for rule in moved_rules({RISE: 5.0})] == [rule.name for rule in RULES]


def test_the_rule_table_stays_as_it_is() -> None:
    before = [dict(rule.limits) for rule in RULES]
    moved = moved_rules({RISE: 5.0, ("no-such-rule", "rise"): 1.0, (RISE[0], "no_such_limit"): 1.0})
    assert [dict(rule.limits) for rule in RULES] == before
    changed = [(new.name, dict(new.limits)) for new, old in zip(moved, RULES, strict=True) if new.limits != old.limits]
    assert changed == [(RISE[0], {**next(r for r in RULES if r.name == RISE[0]).limits, "rise": 5.0})]


def test_rules_that_fired_are_offered_first_and_those_that_could_not_be_evaluated_not_at_all(run: Run) -> None:
    verdict = diagnose(run)
    offered = [rule.name for rule in movable(verdict)]
    assert offered[0] == "eval-loss-rises"
    assert not {skipped.rule for skipped in verdict.skipped} & set(offered)
    assert len(offered) > 5


def test_a_limit_that_is_not_the_default_is_described() -> None:
    rise = next(rule for rule in RULES if rule.name == RISE[0]).limits["rise"]
    assert descriptions({RISE: 0.5}) == [f"eval loss rises: rise {rise:g} → 0.5"]
    assert descriptions({RISE: rise, ("no-such-rule", "x"): 1.0}) == []


@pytest.mark.parametrize("value", sorted({value for rule in RULES for value in rule.limits.values()}))
def test_every_limit_of_the_table_can_be_moved_both_ways(value: float) -> None:
    way = slider_range(value)
    assert way.low <= value <= way.high
    assert way.high - way.low >= 8 * way.step or way.whole
    assert way.low < value < way.high or value == 0
    assert (way.high - way.low) / way.step <= 400


@pytest.mark.parametrize(("value", "measured"), [(0.02, 0.32), (0.1, 0.15), (2, 9), (0.02, 1e9), (0.02, float("nan"))])
def test_a_limit_can_be_moved_beyond_what_was_measured_within_reason(value: float, measured: float) -> None:
    way = slider_range(value, measured)
    assert way.low < value < way.high
    assert way.high > measured or way.high >= 40 * value or measured != measured
    assert way.high <= 60 * value


@pytest.mark.long
@pytest.mark.parametrize("end", ["high", "first step"])
def test_no_place_of_any_slider_breaks_the_diagnosis(end: str) -> None:
    for rule in RULES:
        for name, value in rule.limits.items():
            way = slider_range(value)
            at = {"low": way.low, "high": way.high, "first step": way.low + way.step}[end]
            new = int(at) if way.whole else at
            (moved,) = moved_rules({(rule.name, name): new}, [rule])
            assert moved.limits[name] == new
            assert all(diagnose(run, (moved,)).label in Label for run in RUNS)


def test_moved_limits_go_into_an_address_and_come_back() -> None:
    moved = {RISE: 0.72, ("eval-loss-rises", "min_evals"): 7}
    assert from_address(to_address(moved)) == moved


@pytest.mark.parametrize(
    "text", ["", "rise", "eval-loss-rises.rise:x", "eval-loss-rises.rise:nan", "no-rule.rise:1", "eval-loss-rises.no:1"]
)
def test_what_names_no_limit_in_an_address_is_left_out(text: str) -> None:
    assert from_address([text]) == {}
