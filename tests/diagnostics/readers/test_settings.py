from __future__ import annotations

from typing import Any

import pytest

from diagnostics.model.curves import Curve
from diagnostics.model.message import message
from diagnostics.model.settings import Settings
from diagnostics.readers.assemble.settings import recovered

RATE = {"learning_rate": 1e-4}


def settings_of(
    options: dict[str, Any], curves: dict[str, Curve] | None = None, total: float | None = None
) -> Settings:
    return recovered(options, curves or {}, total)[0]


def curve(*values: float) -> Curve:
    return Curve.from_points(range(10, 10 * len(values) + 10, 10), values)


@pytest.mark.parametrize(
    ("options", "total", "ratio"),
    [
        ({"warmup_steps": 0.1}, None, 0.1),
        ({"warmup_steps": 0}, None, 0.0),
        ({"warmup_steps": 30}, 300, 0.1),
        ({"warmup_steps": 30, "max_steps": 600}, 300, 0.05),
        ({"warmup_steps": 30}, None, None),
        ({"warmup_ratio": 0.03, "warmup_steps": 0}, None, 0.03),
        ({"warmup_ratio": 0.03, "warmup_steps": 30}, 300, 0.1),
        ({"warmup_ratio": "3e-2"}, None, 0.03),
        ({}, 300, None),
    ],
)
def test_warm_up_is_a_share_of_all_steps_in_old_and_new_logs(
    options: dict[str, Any], total: float | None, ratio: float | None
):
    assert settings_of({**RATE, **options}, total=total).warmup_ratio == ratio


def test_the_length_of_the_run_follows_from_its_epochs():
    epoch = Curve.from_points([50, 100], [0.5, 1.0])
    assert settings_of({"num_train_epochs": 3, "warmup_steps": 30}, {"epoch": epoch}).warmup_ratio == 0.1


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"per_device_train_batch_size": 4, "gradient_accumulation_steps": 8, "world_size": 2}, 64),
        ({"per_device_train_batch_size": 4, "gradient_accumulation_steps": 8, "n_gpu": 1}, 32),
        ({"micro_batch_size": 2, "gradient_accumulation_steps": 4, "num_devices": 2}, 16),
        ({"batch_size": 24, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 8}, 24),
        ({"per_device_train_batch_size": 4}, None),
        ({}, None),
    ],
)
def test_the_batch_size_is_the_effective_one(options: dict[str, Any], size: int | None):
    assert settings_of(options).batch_size == size


def test_one_device_is_assumed_and_noted_where_the_log_gives_none():
    found, notes = recovered({"per_device_train_batch_size": 4, "gradient_accumulation_steps": 8}, {})
    assert found.batch_size == 32
    assert notes == [message("one-device-assumed")]


def test_the_number_of_devices_follows_from_the_throughput():
    # 1218 steps of Alpaca on four devices, as its authors logged them.
    end = {"train/train_samples_per_second": Curve.from_points([1218], [9.279])}
    end["train/train_runtime"] = Curve.from_points([1218], [16812.9961])
    options = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 8}
    assert settings_of(options, end).batch_size == 128
    assert settings_of({}, end).batch_size == 128


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({"stage": "dpo", "finetuning_type": "lora", "lora_rank": 8, "pref_beta": 0.1, "pref_loss": "sigmoid"},
         {"method": "dpo", "use_peft": True, "lora_r": 8, "beta": 0.1, "loss_type": "sigmoid"}),
        ({"base_model": "m", "adapter": "qlora", "lora_r": 32, "optimizer": "adamw", "lr_scheduler": "cosine"},
         {"model_name_or_path": "m", "use_peft": True, "lora_r": 32, "optim": "adamw", "lr_scheduler_type": "cosine"}),
        ({"learning_rate": "1e-5", "bf16": "true", "neftune_noise_alpha": "5", "seed": "1"},
         {"learning_rate": 1e-5, "bf16": True, "neftune_noise_alpha": 5.0, "seed": 1}),
        ({"learning_rate": None, "lr": 2e-4, "max_steps": -1}, {"learning_rate": 2e-4}),
        ({"text_config": {"hidden_size": 64, "vocab_size": 512}, "model_type": "gemma3"},
         {"hidden_size": 64, "vocab_size": 512, "model_type": "gemma3"}),
        ({"quantization_config": {"load_in_4bit": True}}, {"load_in_4bit": True}),
        ({"quantization_bit": 4}, {"load_in_4bit": True}),
        ({"precompute_ref_log_probs": False}, {"method": "dpo"}),
        ({"completion_only_loss": None}, {"method": "sft"}),
        ({"method": "bayes"}, {}),
        ({"learning_rate": "high", "seed": [1, 2], "fp16": {"a": 1}}, {}),
    ],
)  # fmt: skip
def test_other_programs_spellings_are_understood(options: dict[str, Any], known: dict[str, Any]):
    assert settings_of(options).known() == known


def test_the_highest_logged_rate_stands_in_once_it_has_passed():
    found, notes = recovered({}, {"learning_rate": curve(1e-5, 1e-4, 5e-5)})
    assert found.learning_rate == 1e-4
    assert notes == [message("rate-from-log", rate=1e-4)]
    assert settings_of({}, {"learning_rate": curve(1e-5, 5e-5, 1e-4)}).learning_rate is None
    assert settings_of({}, {"learning_rate": curve(0.0, 0.0)}).learning_rate is None
    assert settings_of({"lr": 3e-4}, {"learning_rate": curve(1e-4, 1e-5)}).learning_rate == 3e-4
