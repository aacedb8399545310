"""Reading and turning one knob of a TRL config: the effective batch size, warm-up as a share, and all of TRL's keys.

Nothing here trains; every function is pure. The sample count stays fixed when the batch size moves, because a
comparison at equal steps would reward the larger batch for the extra data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diagnostics.model.settings import Settings
from tuner.config.trl_schema import keys_of
from tuner.errors import SpecError

Config = Mapping[str, Any]

STEP_KEYS = ("logging_steps", "eval_steps", "save_steps", "warmup_steps")
"""Counts of optimizer steps that follow the batch size, so that they mark the same samples."""

DEVICE_LIMITS: Mapping[str, str] = {
    "device_batch_limit": "per_device_train_batch_size",
    "eval_batch_limit": "per_device_eval_batch_size",
}
"""Moves that only say how many rows a device may work on at once; accumulation makes up for the first."""


def world_size() -> int:
    """The number of training processes, from the launcher's WORLD_SIZE; 1 without one."""
    text = os.environ.get("WORLD_SIZE", "")
    return max(int(text), 1) if text.isdigit() else 1


def knob_value(config: Config, method: str, knob: str) -> Any:
    """What a knob is set to, TRL's default when the file is silent.

    ``batch_size`` is the effective one (per device x processes x accumulation); ``warmup_ratio`` is a share of all
    steps and None when the file gives warm-up in steps of an unknown total.
    """
    if knob == "batch_size":
        return config.get("batch_size") or _effective(config, method)
    if knob == "warmup_ratio":
        return _warmup_share(config, method)
    if knob in config:
        value = config[knob]
    else:  # TRL takes seconds to import, so it is only asked where the file is silent
        keys = keys_of(method)
        value = keys[knob].default if knob in keys else None
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _effective(config: Config, method: str) -> int:
    per_device = knob_value(config, method, "per_device_train_batch_size")
    return int(per_device * knob_value(config, method, "gradient_accumulation_steps") * world_size())


def _warmup_share(config: Config, method: str) -> float | None:
    if config.get("warmup_ratio") is not None:
        return float(config["warmup_ratio"])
    steps = knob_value(config, method, "warmup_steps")
    if steps < 1:
        return float(steps)
    total = knob_value(config, method, "max_steps")
    return float(steps / total) if total > 0 else None


def with_knobs(config: Config, method: str, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The config with these knobs turned, in TRL's keys only; ``config`` itself is left as it is.

    ``batch_size`` becomes per-device batch x accumulation, and with ``max_steps`` set the samples seen stay the same;
    ``warmup_ratio`` becomes ``warmup_steps`` below 1. ``lora_alpha`` is left alone when ``lora_r`` moves. A limit of
    ``DEVICE_LIMITS`` lowers the rows of a device, never the effective batch.
    """
    old_batch = knob_value(config, method, "batch_size")
    ours = ("batch_size", "warmup_ratio", *DEVICE_LIMITS)
    made = {key: value for key, value in config.items() if key not in ours}
    made |= {knob: value for knob, value in knobs.items() if knob not in ours}
    limits = {key: _limited(config, method, key, knobs[name]) for name, key in DEVICE_LIMITS.items() if name in knobs}
    made |= limits
    batch = knobs.get("batch_size", config.get("batch_size", old_batch if limits else None))
    if batch is not None:
        per_device = limits.get("per_device_train_batch_size") or knob_value(
            config, method, "per_device_train_batch_size"
        )
        made |= _split_batch(int(batch), int(per_device))
        made |= _same_samples(made, old_batch / int(batch), kept=knobs)
    share = knobs.get("warmup_ratio", config.get("warmup_ratio"))
    if share is not None:
        made["warmup_steps"] = float(share)
    if "num_train_epochs" in knobs and "max_steps" not in knobs:
        made.pop("max_steps", None)
    return made


def _limited(config: Config, method: str, key: str, limit: Any) -> int:
    return min(int(knob_value(config, method, key)), int(limit))


def _split_batch(batch: int, per_device: int) -> dict[str, int]:
    """Per-device batch and accumulation that multiply to ``batch``, the device's share no larger than it was."""
    share, rest = divmod(batch, world_size())
    if rest or not share:
        raise SpecError(f"batch_size {batch} cannot be shared by {world_size()} processes; take a multiple of them")
    fitting = max(size for size in range(1, min(per_device, share) + 1) if share % size == 0)
    return {"per_device_train_batch_size": fitting, "gradient_accumulation_steps": share // fitting}


def _same_samples(config: Config, times: float, kept: Config) -> dict[str, Any]:
    """Step counts for a batch that is ``1 / times`` as large; shares (below 1) and moved knobs stay as they are."""
    if times == 1:
        return {}
    counts = {key: float(config[key]) for key in ("max_steps", *STEP_KEYS) if config.get(key) and config[key] >= 1}
    made = {key: max(1, round(steps * times)) for key, steps in counts.items() if key not in kept}
    if "save_steps" in made and "eval_steps" in made:
        # Loading the best checkpoint needs saves to fall on evaluations.
        made["save_steps"] = made["eval_steps"] * max(1, round(counts["save_steps"] / counts["eval_steps"]))
    return made


def check_batch(config: Config, method: str, path: Path) -> None:
    """Raise ``SpecError`` when ``batch_size`` and TRL's own batch keys disagree, or warm-up is given twice."""
    batch = config.get("batch_size")
    if batch is not None and "gradient_accumulation_steps" in config and batch != _effective(config, method):
        raise SpecError(
            f"{path}: batch_size {batch} is not per_device_train_batch_size x gradient_accumulation_steps x processes "
            f"({_effective(config, method)}); take gradient_accumulation_steps out"
        )
    if batch is not None and batch % world_size():
        raise SpecError(f"{path}: batch_size {batch} cannot be shared by {world_size()} processes")
    if config.get("warmup_ratio") is not None and config.get("warmup_steps"):
        raise SpecError(f"{path}: warmup_ratio and warmup_steps are both there; keep one")


def settings_of(config: Config, method: str) -> Settings:
    """The settings of a run with this config, defaults included, for the diagnosis.

    A ``max_steps`` that is not set stays None, and so do the LoRA knobs of a full fine-tuning.
    """
    names = [name for name in Settings.__dataclass_fields__ if name in keys_of(method)]
    raw = {name: knob_value(config, method, name) for name in (*names, "batch_size", "warmup_ratio")}
    if (raw.get("max_steps") or 0) <= 0:
        raw["max_steps"] = None
    if not raw.get("use_peft"):
        raw = {name: value for name, value in raw.items() if not name.startswith("lora_")}
    return Settings.from_mapping({**raw, "method": method})
