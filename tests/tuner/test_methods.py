import dataclasses

import pytest

from diagnostics.model.methods import METHODS
from tuner.config.methods import TRL_METHODS
from tuner.config.trl_schema import keys_of
from tuner.config.tunable import PSEUDO_KEYS


@pytest.mark.parametrize("name", TRL_METHODS)
def test_a_method_s_row_fits_trl(name):
    method = TRL_METHODS[name]
    assert method.name == name
    assert dataclasses.is_dataclass(method.config_class)
    assert METHODS[name] is method.method
    assert method.config_class.__name__ == (method.method.config or "CPOConfig")
    assert method.trainer_class.__name__ == method.config_class.__name__.replace("Config", "Trainer")
    if method.loss_types:
        assert keys_of(name)["loss_type"].default in [*method.loss_types, ["sigmoid"]]
    assert method.defaults.keys() | {key for one in method.required for key in one.keys} <= keys_of(name).keys()
    assert method.method.search_order and set(method.method.search_order) <= {*keys_of(name), *PSEUDO_KEYS}
    knobs = {knob for scaled in method.metric_depends_on.values() for knob in scaled}
    assert knobs <= set(keys_of(name))
    assert set(method.metric_depends_on) <= set(method.metrics)
    assert method.comparable_metric.removeprefix("eval_") in method.metrics


@pytest.mark.parametrize(
    ("method", "metric", "logged"),
    [
        ("dpo", "eval_rewards_accuracies", "eval_rewards/accuracies"),
        ("dpo", "eval_loss", "eval_loss"),
        ("sft", "eval_mean_token_accuracy", "eval_mean_token_accuracy"),
        ("sft", "eval_exact_match", "eval_loss"),
        ("sft", "train_loss", "eval_loss"),
    ],
)
def test_a_metric_has_the_trainer_s_name_at_evaluations(method, metric, logged):
    assert TRL_METHODS[method].trainer_name(metric) == logged
