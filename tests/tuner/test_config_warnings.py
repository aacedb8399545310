import pytest

from diagnostics.messages import text
from diagnostics.model.adapters import CENTERS, adapter_kind, rate_factor
from diagnostics.model.rate_prior import rate_prior_of
from diagnostics.model.settings import Settings
from tuner.config.config_warnings import FAR, config_warnings


def codes(**settings):
    found = config_warnings(Settings(**settings))
    assert all("\n" not in text(note) for note in found)
    return [note.code for note in found]


@pytest.mark.parametrize(
    ("method", "full_cap", "lora_low"),
    [("sft", 1e-4, 2.5e-5), ("dpo", 5e-6, 7e-7), ("kto", 1e-5, 5e-7), ("reward", 5e-5, 1e-5), ("grpo", 5e-6, 1e-6)],
)
def test_a_rate_of_the_other_way_of_training_is_named(method, full_cap, lora_low):
    assert codes(method=method, use_peft=False, learning_rate=full_cap) == ["rate-of-adapter-without-one"]
    assert codes(method=method, use_peft=False, learning_rate=0.99 * full_cap) == []
    assert codes(method=method, use_peft=True, lora_r=16, learning_rate=lora_low) == ["rate-of-full-with-adapter"]
    assert codes(method=method, use_peft=True, lora_r=16, learning_rate=1.01 * lora_low) == []


@pytest.mark.parametrize("kind", CENTERS)
def test_a_rate_far_from_the_adapter_s_own_is_named(kind):
    center = CENTERS[kind]
    for rate, expected in ((center / FAR, 1), (1.01 * center / FAR, 0), (0.99 * center * FAR, 0), (center * FAR, 1)):
        found = codes(method="sft", use_peft=True, adapter_kind=kind, learning_rate=rate)
        assert found == ["rate-not-of-adapter"] * expected


def test_rslora_s_rate_falls_with_the_rank_and_an_unknown_kind_has_none():
    known = {"method": "sft", "use_peft": True, "adapter_kind": "rslora"}
    assert rate_prior_of(Settings(**known, lora_r=64)).center == pytest.approx(1.25e-4)
    assert rate_factor("rslora") is None
    assert rate_prior_of(Settings(method="sft", use_peft=True, adapter_kind="shadow")).center is None
    assert codes(method="sft", use_peft=True, adapter_kind="shadow", learning_rate=10.0) == []


def test_few_answers_and_a_high_rate_are_a_gamble():
    run = {"method": "grpo", "use_peft": True, "lora_r": 16, "learning_rate": 5e-5}
    assert codes(**run, batch_size=63) == ["rate-needs-more-answers"]
    assert codes(**run, batch_size=64) == []
    assert codes(**run | {"learning_rate": 4.9e-5}, batch_size=8) == []
    assert codes(**run | {"method": "sft"}, batch_size=8) == []
    assert codes(**run | {"learning_rate": 5e-3}, batch_size=8, hidden_size=160) == []


def test_a_start_that_changes_the_base_is_no_reference():
    run = {"use_peft": True, "adapter_kind": "pissa", "learning_rate": 1e-6}
    assert codes(method="dpo", **run) == codes(method="kto", **run) == ["reference-without-base"]
    assert "reference-without-base" not in codes(method="sft", **run)


def test_one_row_on_the_device_leaves_kto_without_its_kl():
    run = {"method": "kto", "use_peft": True, "learning_rate": 5e-6}
    assert codes(**run, per_device_train_batch_size=1) == ["no-mismatched-pairs"]
    assert codes(**run, per_device_train_batch_size=2) == []
    assert codes(**run, per_device_train_batch_size=1, loss_type="apo_zero_unpaired") == []


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, None),
        ({"peft_type": "LORA", "use_dora": False, "init_lora_weights": True}, None),
        ({"peft_type": "IA3"}, "ia3"),
        ({"use_dora": True}, "dora"),
        ({"use_rslora": "true", "use_dora": True}, "rslora"),
        ({"init_lora_weights": "pissa_niter_16"}, "pissa"),
        ({"loraplus_lr_ratio": 16}, "loraplus"),
    ],
)
def test_the_kind_of_an_adapter_follows_from_peft_s_keys(options, kind):
    assert adapter_kind(options) == kind
