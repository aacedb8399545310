"""The learning rates that a method is known for."""

from __future__ import annotations

import pytest

from diagnostics.model.rate_prior import LearningRatePrior, rate_prior_of
from diagnostics.model.settings import Settings


@pytest.mark.parametrize(
    ("method", "lora", "center", "cap"),
    [
        *(("sft", True, 2.5e-4, 1e-3), ("sft", False, 2e-5, 1e-4), ("dpo", True, 7e-6, 5e-5)),
        *(("dpo", False, 5e-7, 5e-6), ("kto", True, 5e-6, 5e-5), ("grpo", False, 1e-6, 5e-6)),
    ],
)
def test_each_method_has_its_center_and_cap(method: str, lora: bool, center: float, cap: float):
    found = rate_prior_of(Settings(method=method, use_peft=lora))
    assert (found.center, found.cap, found.max_blamed) == (center, cap, center)


def test_the_width_moves_the_center_as_the_cookbook_says():
    wide = rate_prior_of(Settings(method="sft", use_peft=True, hidden_size=4096))
    assert wide.center == pytest.approx(2.86e-4, rel=0.02)
    assert wide.cap == 1e-3
    tiny = rate_prior_of(Settings(method="sft", use_peft=True, hidden_size=128))
    assert tiny.center == pytest.approx(4.3e-3, rel=0.02)
    assert tiny.cap > tiny.center
    qwen = rate_prior_of(Settings(method="sft", use_peft=True, hidden_size=4096, model_type="qwen2"))
    assert qwen.center == pytest.approx(4.7e-4, rel=0.02)


def test_a_rank_in_the_settings_is_an_adapter():
    assert rate_prior_of(Settings(method="sft", lora_r=8)).center == 2.5e-4
    assert rate_prior_of(Settings(method="sft", lora_r=2)).center == pytest.approx(2.5e-4 / 3)


@pytest.mark.parametrize("settings", [Settings(), Settings(method="sft"), Settings(method="ppo", use_peft=True)])
def test_nothing_is_known_of_an_unknown_method(settings: Settings):
    found = rate_prior_of(settings)
    assert found == LearningRatePrior()
    assert found.may_rise(1.0)
    assert found.relative(1e-4) is None


def test_the_users_range_replaces_cap_and_ceiling():
    found = rate_prior_of(Settings(method="sft", use_peft=True), {"learning_rate": (1e-6, 1e-2)})
    assert (found.center, found.cap, found.max_blamed, found.floor) == (2.5e-4, 1e-2, 1e-2, 1e-6)
    assert found.may_rise(1e-3)
    assert not rate_prior_of(Settings(method="sft", use_peft=True)).may_rise(1e-3)
