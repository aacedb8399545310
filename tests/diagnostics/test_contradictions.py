"""A report contradicts neither itself nor its numbers: one direction, and words that follow the numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from diagnostics import RULES, Curve, Run, Settings, diagnose
from diagnostics.formatting import times
from diagnostics.messages import advice_action, finding_message, fix_in_words, headline, weighed_headline
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report.sections import sections
from diagnostics.rules import Fix
from diagnostics.rules.remedies import RAISE_RATE
from diagnostics.rules.rule import Wording
from diagnostics.synthetic import FAULTS, make
from tests.diagnostics.cases import BY_NAME, evaluate
from tests.diagnostics.test_advice import advice_of, sft

EVERY_FIX = [(rule, fix) for rule in RULES for fix in rule.fixes]
NUMBER_WORDS = re.compile(r"\b(half|halve|quarter|third|tenth|double|twice|triple|two|three|four|ten) (times|of|the)\b")


def rules(found: Diagnosis) -> set[str]:
    return {finding.rule for finding in found.findings}


def flat(**known: object) -> Diagnosis:
    """A run whose losses hardly move."""
    steps = np.arange(1.0, 101)
    values = 1.9 * (1 - 0.005 * steps / 100) * np.exp(0.002 * np.random.default_rng(0).standard_normal(100))
    curves = {
        "train_loss": Curve.from_points(steps, values),
        "eval_loss": Curve.from_points(steps[9::10], values[9::10]),
    }
    settings = {"method": "sft", "use_peft": True, "batch_size": 16, "warmup_ratio": 0.03, **known}
    return diagnose(Run("flat", curves, Settings.from_mapping(settings)))


def test_a_rule_is_silent_beside_those_that_deny_its_premise_only():
    assert rules(flat(learning_rate=1e-5)) == {"rate-too-low"}
    assert rules(flat(learning_rate=2.5e-4, lora_dropout=0.3)) == {"regularization-too-strong"}
    assert rules(flat(learning_rate=2.5e-4, lora_dropout=0.05)) == {"loss-barely-falls"}


def test_rules_name_rules_that_may_set_the_label_in_their_place():
    for rule in RULES:
        assert all(BY_NAME[name].sets_label for name in rule.unless_found)
        assert rule.name not in rule.unless_found


@pytest.mark.parametrize("cause", [name for name in FAULTS if BY_NAME[name].label is Label.UNDERFIT])
def test_no_two_findings_move_the_rate_both_ways_in_one_report(cause: str):
    for strength, seed in product((0.5, 1.0), range(2)):
        found = diagnose(make(cause, strength, seed=seed))
        assert not {"rate-too-low", "loss-barely-falls"} <= rules(found)
        assert len([advice for advice in found.advice if advice.knob == "learning_rate"]) <= 1


@pytest.mark.parametrize(("rule", "fix"), EVERY_FIX, ids=lambda one: getattr(one, "name", getattr(one, "knob", "")))
def test_a_fix_leaves_its_numbers_to_the_advice(rule: object, fix: Fix):
    if isinstance(fix.times, float):
        assert not NUMBER_WORDS.search(fix.description)
    if isinstance(fix.to, float) and fix.to:
        assert not re.search(rf"\b{fix.to:g}\b", fix.description)
    words = fix.in_words()
    assert "{" not in words
    assert "–" not in words


def test_bounded_advice_says_what_it_advises():
    quarter = next(fix for fix in BY_NAME["batch-too-large"].fixes if fix.knob == "batch_size")
    whole, bounded = advice_of(quarter, sft(batch_size=64)), advice_of(quarter, sft(batch_size=8))
    assert (whole.new, bounded.new) == (16, 4)
    assert advice_action(whole) == fix_in_words(quarter.description, 0.25, 16)
    assert advice_action(bounded) == fix_in_words(quarter.description, 0.5, 4) != advice_action(whole)


def test_a_factor_that_rounding_moved_is_shown_as_it_is_named():
    advice = advice_of(RAISE_RATE, sft(learning_rate=3e-5))
    assert advice.factor == pytest.approx(10 / 3)
    verdict = Diagnosis("run", Label.UNDERFIT, "rate-too-low", 0.9, None, advice=(advice,))
    (shown,) = sections(Run("run", {}), verdict).advice
    assert shown.factor == times(3.0)
    assert advice_action(advice) == fix_in_words(advice.fix, 3.0, 1e-4)


def test_a_users_range_shows_in_the_words():
    dropout = next(fix for fix in BY_NAME["gap-grows"].fixes if fix.knob == "lora_dropout")
    found = advice_of(dropout, sft(lora_dropout=0.0), {"lora_dropout": (0.0, 0.03)})
    assert found.new == 0.03
    assert advice_action(found) == fix_in_words(dropout.description, None, 0.03)


@pytest.mark.parametrize("rule", [BY_NAME["rate-too-low"], BY_NAME["batch-too-large"]], ids=lambda rule: rule.name)
def test_a_slow_run_fell_a_little_or_not_at_all_or_is_still_falling(rule):
    still, never, *_ = rule.wordings
    assert rule.message_for({"barely": 0.0, "fall": 0.968}) == still.message
    assert rule.message_for({"barely": 1.0, "fall": 0.0004}) == never.message
    assert rule.message_for({"barely": 1.0, "fall": -0.01}) == never.message
    assert rule.message_for({"barely": 1.0, "fall": 0.0006}) == rule.message


def test_the_first_wording_that_holds_replaces_the_message():
    high = Wording("high {x:.0f}", "above 2", lambda measured: measured["x"] > 2)
    rule = replace(BY_NAME["loss-spikes"], wordings=(high,))
    assert rule.message_for({"x": 3}) == high.message
    assert rule.message_for({"x": 2}) == rule.message


def test_a_run_that_only_rises_has_no_best_above_its_start_and_no_end_above_its_highest():
    rising = [0.9974, 4.3459, 8.8061, 13.5352, 15.6576, 15.0001, 18.7846, 20.8277, 25.5949, 29.559]
    found = evaluate("loss-diverges", train_loss=rising).measured
    assert (found["start"], found["best"]) == (0.9974, 0.9974)
    assert found["highest"] == found["end"] == 29.559
    assert BY_NAME["loss-diverges"].message_for(found) == BY_NAME["loss-diverges"].wordings[0].message


def test_a_loss_that_fell_before_it_diverged_has_a_best():
    found = evaluate("loss-diverges", train_loss=[*np.linspace(2.0, 1.0, 20), *np.linspace(1.0, 4.0, 20)]).measured
    assert found["best"] < found["start"] < found["highest"]
    assert BY_NAME["loss-diverges"].message_for({**found, "end": 3.0}) == BY_NAME["loss-diverges"].message


@pytest.mark.parametrize(
    ("measured", "wording"),
    [({"swing": 0.6, "fall": 0.0}, 0), ({"swing": 0.6, "fall": 0.5}, 1), ({"swing": 0.4, "fall": 0.5}, None)],
)
def test_swings_are_compared_with_a_descent_only_where_there_is_one(measured: dict[str, float], wording: int | None):
    rule = BY_NAME["loss-swings"]
    assert rule.message_for(measured) == (rule.message if wording is None else rule.wordings[wording].message)


@pytest.mark.parametrize(("recovered", "wording"), [(1.0, 0), (0.0, 1), (0.5, None)])
def test_spikes_recover_by_number(recovered: float, wording: int | None):
    rule = BY_NAME["loss-spikes"]
    assert rule.message_for({"recovered": recovered}) == (
        rule.message if wording is None else rule.wordings[wording].message
    )


@pytest.mark.parametrize("cause", FAULTS)
def test_no_message_has_a_percentage_of_nothing(cause: str):
    for finding in diagnose(make(cause, 1.0, seed=1)).findings:
        assert "-0.0 %" not in finding_message(finding)
        assert "very large" not in finding_message(finding)


@pytest.mark.parametrize(("confidence", "tentative"), [(0.51, True), (0.64, True), (0.65, False), (0.97, False)])
def test_a_verdict_that_is_not_quite_sure_has_a_tentative_headline(confidence: float, tentative: bool):
    found = Diagnosis("run", Label.UNSTABLE, "loss-spikes", confidence, None)
    sure = Diagnosis("run", Label.UNSTABLE, "loss-spikes", 0.97, None)
    assert (headline(found) != headline(sure)) is tentative
    assert (f"{100 * confidence:.0f} %" in weighed_headline(found)) is tentative


def test_no_verdict_is_not_tentative():
    assert weighed_headline(unknown := Diagnosis("run", Label.UNKNOWN, None, 0.0, None)) == headline(unknown)
