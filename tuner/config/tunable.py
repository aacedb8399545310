"""Which keys may be tuned, and which numbers they take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tuner.config.trl_schema import Key

BATCH_SIZE = Key("batch_size", int | None, None)
WARMUP_RATIO = Key("warmup_ratio", float | None, None)
PSEUDO_KEYS: Mapping[str, Key] = {key.name: key for key in (BATCH_SIZE, WARMUP_RATIO)}
"""Keys of ours beside TRL's: the effective batch size, and warm-up as a share of all steps."""

LIMITS: Mapping[str, tuple[float, float, str]] = {
    "learning_rate": (0.0, math.inf, "above 0"),
    "batch_size": (1, math.inf, "1 or more"),
    "per_device_train_batch_size": (1, math.inf, "1 or more"),
    "per_device_eval_batch_size": (1, math.inf, "1 or more"),
    "gradient_accumulation_steps": (1, math.inf, "1 or more"),
    "num_train_epochs": (0.0, math.inf, "above 0"),
    "warmup_ratio": (0.0, 1.0, "from 0 to 1"),
    "warmup_steps": (0.0, math.inf, "0 or more"),
    "weight_decay": (0.0, math.inf, "0 or more"),
    "max_grad_norm": (0.0, math.inf, "0 or more"),
    "lora_r": (1, math.inf, "1 or more"),
    "lora_alpha": (1, math.inf, "1 or more"),
    "lora_dropout": (0.0, 0.999, "from 0 to below 1"),
    "beta": (0.0, math.inf, "0 or more"),
    "label_smoothing": (0.0, 1.0, "from 0 to 1"),
    "max_length": (1, math.inf, "1 or more"),
}
"""Bounds of a number for training to make sense: lowest, highest, in words."""

ABOVE_LOWEST = ("learning_rate", "num_train_epochs")

NOT_TUNED: Mapping[str, str] = {
    "per_device_train_batch_size": "tune batch_size, the effective one",
    "gradient_accumulation_steps": "tune batch_size, the effective one",
    "warmup_steps": "tune warmup_ratio",
    "seed": "seeds are repeated at the end, not tuned",
    "data_seed": "seeds are repeated at the end, not tuned",
    **dict.fromkeys(("env", "method", "study", "output_dir", "run_name"), "it is not a setting of the training"),
}
NOT_TUNED_PREFIXES = (
    *("dataset", "model_name", "model_revision", "eval_", "save_", "logging_", "log_", "hub_", "push_to"),
    *("report_to", "per_device_eval", "load_best", "metric_for", "greater_is", "resume_", "do_", "trackio"),
    *("ddp_", "fsdp", "deepspeed", "dataloader", "use_cpu", "local_rank", "disable_tqdm", "streaming", "project"),
    *("test_split", "trust_remote", "use_peft", "load_in", "model_init", "debug"),
)


def why_not_tuned(name: str) -> str | None:
    """Why a key cannot be in the space, or None when it can."""
    if name in NOT_TUNED:
        return NOT_TUNED[name]
    fixed = name.startswith(NOT_TUNED_PREFIXES)
    return "it makes trials incomparable, or does not change the training" if fixed else None


def limit_broken(name: str, value: Any) -> str | None:
    """What a number of this key must be, when ``value`` is not that; else None."""
    if name not in LIMITS or not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    low, high, words = LIMITS[name]
    inside = low <= value <= high and not (name in ABOVE_LOWEST and value == low) and math.isfinite(value)
    return None if inside else words
