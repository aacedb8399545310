"""The contract of the table: every rule is complete, fires on its own fault and stays quiet on healthy runs."""

from __future__ import annotations

import re
import string
from importlib import import_module
from pkgutil import walk_packages

import pytest

from diagnostics import rules
from diagnostics.diagnosis.advice import ADVICE_RANGES, NOT_SETTINGS
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.messages import finding_message
from diagnostics.model.curves import CURVES, Curve, Run
from diagnostics.model.message import message
from diagnostics.model.records import Label
from diagnostics.model.settings import Settings
from diagnostics.rules import RULES, Rule
from diagnostics.rules.rule import GIVEN
from diagnostics.synthetic import FAULTS, make
from tests.diagnostics.cases import limits_of

KNOBS = {*Settings.__dataclass_fields__, *NOT_SETTINGS}
ORDER = (Label.BROKEN, Label.UNSTABLE, Label.OVERFIT, Label.UNDERFIT)
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def found_by(rule: Rule, run: Run) -> bool:
    return rule.name in [finding.rule for finding in diagnose(run).findings]


def test_names_are_unique():
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_rules_that_name_a_run_stand_in_the_order_of_precedence():
    labels = [ORDER.index(rule.label) for rule in RULES if rule.sets_label]
    assert labels == sorted(labels)


@every_rule
def test_a_name_is_in_kebab_case(rule: Rule):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)


@every_rule
def test_the_limits_are_those_that_the_check_takes(rule: Rule):
    assert rule.limits.keys() == limits_of(rule.check)


def test_each_file_of_rules_holds_those_of_the_detectors_of_the_same_name():
    found = walk_packages(rules.__path__, f"{rules.__name__}.")
    files = {import_module(one.name) for one in found if not one.ispkg}
    homes = {value.name: file.__name__ for file in files for value in vars(file).values() if isinstance(value, Rule)}
    assert homes == {rule.name: rule.check.__module__.replace("detectors", "rules") for rule in RULES}


@every_rule
def test_a_check_takes_known_curves_only(rule: Rule):
    assert all(name in GIVEN or name.removeprefix("eval_") in CURVES or name in CURVES for name in rule.takes)


@every_rule
def test_every_rule_has_a_message_a_cause_sources_and_fixes(rule: Rule):
    assert rule.message
    assert rule.cause.endswith(".")
    assert rule.example
    assert rule.sources
    assert rule.fixes
    assert 0.0 < rule.confidence <= 1.0


@every_rule
def test_fixes_move_known_knobs(rule: Rule):
    assert {fix.knob for fix in rule.fixes} <= KNOBS
    assert all((fix.when is None) or fix.condition for fix in rule.fixes), "a condition needs its words"


@every_rule
def test_explain_holds_everything(rule: Rule):
    text = rule.explain()
    assert all(part in text for part in (rule.name, str(rule.label), rule.cause, rule.example, *rule.sources))
    assert all(f"{name} = " in text for name in rule.limits)
    assert all(fix.in_words() in text for fix in rule.fixes)
    assert "{" not in text


@every_rule
def test_the_rule_fires_on_its_own_fault(rule: Rule):
    diagnosis = diagnose(make(rule.name, 0.6, seed=1))
    finding = next(f for f in diagnosis.findings if f.rule == rule.name)
    if rule.sets_label:
        assert (diagnosis.label, diagnosis.cause) == (rule.label, rule.name)
    used = {name for _, name, _, _ in string.Formatter().parse(rule.message) if name}
    assert used <= set(finding.measured)
    text = finding_message(finding)
    assert "{" not in text
    assert not re.search(r"\d%", text), "a share is written 1.3 %"
    assert finding.first_step <= finding.last_step


@every_rule
def test_the_rule_stays_quiet_without_its_fault(rule: Rule):
    healthy = "healthy-sft"
    if rule.methods:
        healthy = f"healthy-{rule.methods[0]}" if len(rule.methods) == 1 else "healthy-rewards"
    assert not any(found_by(rule, make(healthy, seed=seed)) for seed in range(3))


@every_rule
def test_a_run_of_one_point_is_never_judged_by_a_trend(rule: Rule):
    """On one log a rule may only find what a single value shows."""
    if rule.name in ("start-loss-wrong", "loss-not-finite"):
        pytest.skip("a single value is enough for it")
    curves = {name: Curve.from_points([1.0], [1.0]) for name in ("train_loss", "eval_loss", "grad_norm")}
    assert not found_by(rule, Run("short", curves, Settings(method="sft", max_grad_norm=1.0, vocab_size=32000)))


@every_rule
def test_a_rule_without_its_curve_is_skipped_with_the_reason(rule: Rule):
    if not rule.needs:
        pytest.skip("needs no curve of its own")
    method = rule.methods[0] if rule.methods else "sft"
    reasons = {s.rule: s.reason for s in diagnose(Run("empty", {}, Settings(method=method))).skipped}
    assert reasons[rule.name] == message("curve-missing", curves=", ".join(rule.needs))


def test_every_rule_has_a_synthetic_fault():
    assert set(FAULTS) == {rule.name for rule in RULES}


def test_the_caps_bound_known_knobs():
    assert set(ADVICE_RANGES) <= set(Settings.__dataclass_fields__)
