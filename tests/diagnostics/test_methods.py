"""The records of the training methods: what the rest of the house reads off them."""

from __future__ import annotations

import pytest

from diagnostics.model.methods import METHODS, TrainingMethod, method_record
from diagnostics.readers.assemble.method import method_of
from diagnostics.rules import RULES


def test_names_and_aliases_are_of_one_method_each():
    names = [name for method in METHODS.values() for name in (method.name, *method.aliases)]
    assert len(set(names)) == len(names)
    configs = [method.config for method in METHODS.values() if method.config]
    assert len(set(configs)) == len(configs)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_log_shows_its_method_by_name_by_options_or_by_what_is_logged(method: TrainingMethod):
    assert {method_of(name, {}, ()) for name in (method.name, *method.aliases)} == {method.name}
    assert {method_of(None, {option: 1}, ()) for option in method.own_options} <= {method.name}
    assert {method_of(None, {}, tags) for tags in method.logged} <= {method.name}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_metric_that_is_a_loss_is_minimized(method: TrainingMethod):
    assert (method.direction == "minimize") == method.metric.endswith("loss") == method.loss_is_objective


def test_the_methods_that_rules_name_are_known():
    assert {name for rule in RULES for name in (*rule.methods, *rule.not_methods)} <= set(METHODS)


@pytest.mark.parametrize("name", [None, "", "a-method-of-tomorrow"])
def test_an_unknown_method_is_judged_by_its_loss(name: str | None):
    assert method_record(name) == TrainingMethod(name or "")
    assert method_record(name).loss_is_objective


@pytest.mark.parametrize("name", ["grpo", "rloo", "ppo", "grpo or rloo"])
def test_no_rule_that_needs_the_loss_is_evaluated_where_the_loss_is_not_the_objective(name: str):
    applied = [rule for rule in RULES if rule.applies_to(name)]
    assert applied
    assert not any({"train_loss", "eval_loss"} & set(rule.needs) for rule in applied)


@pytest.mark.parametrize("name", ["ipo", "kto", "rm", "reward", "cpo", "simpo"])
def test_a_loss_that_compares_answers_has_only_rules_that_fit_dpo(name: str):
    not_for_dpo = [rule for rule in RULES if "dpo" in rule.not_methods]
    assert not_for_dpo
    assert not any(rule.applies_to(name) for rule in not_for_dpo)
