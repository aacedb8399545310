"""The learning rates that a method is known for."""

from __future__ import annotations

import pytest

from diagnostics.curves import Settings
from diagnostics.family import Family, family_of


@pytest.mark.parametrize(
    ("method", "lora", "centre", "cap"),
    [("sft", True, 2.5e-4, 1e-3), ("sft", False, 2e-5, 1e-4), ("dpo", True, 7e-6, 5e-5), ("dpo", False, 5e-7, 5e-6)],
)
def test_each_method_has_its_centre_and_cap(method: str, lora: bool, centre: float, cap: float):
    found = family_of(Settings(method=method, use_peft=lora))
    assert (found.centre, found.cap, found.ceiling) == (centre, cap, centre)


def test_the_width_moves_the_centre_as_the_cookbook_says():
    wide = family_of(Settings(method="sft", use_peft=True, hidden_size=4096))
    assert wide.centre == pytest.approx(2.86e-4, rel=0.02)
    assert wide.cap == 1e-3
    tiny = family_of(Settings(method="sft", use_peft=True, hidden_size=128))
    assert tiny.centre == pytest.approx(4.3e-3, rel=0.02)
    assert tiny.cap > tiny.centre
    qwen = family_of(Settings(method="sft", use_peft=True, hidden_size=4096, model_type="qwen2"))
    assert qwen.centre == pytest.approx(4.7e-4, rel=0.02)


def test_a_rank_in_the_settings_is_an_adapter():
    assert family_of(Settings(method="sft", lora_r=8)).centre == 2.5e-4
    assert family_of(Settings(method="sft", lora_r=2)).centre == pytest.approx(2.5e-4 / 3)


@pytest.mark.parametrize("settings", [Settings(), Settings(method="sft"), Settings(method="kto", use_peft=True)])
def test_an_unknown_method_has_no_family(settings: Settings):
    found = family_of(settings)
    assert found == Family()
    assert found.may_rise(1.0)
    assert found.ratio(1e-4) is None


def test_the_users_range_replaces_cap_and_ceiling():
    found = family_of(Settings(method="sft", use_peft=True), {"learning_rate": (1e-6, 1e-2)})
    assert (found.centre, found.cap, found.ceiling, found.floor) == (2.5e-4, 1e-2, 1e-2, 1e-6)
    assert found.may_rise(1e-3)
    assert not family_of(Settings(method="sft", use_peft=True)).may_rise(1e-3)
