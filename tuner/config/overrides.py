"""What a change of settings does to a TRL config: the one owner of that rule, for trials, advice and next-run files.

``config`` is a whole config; ``overrides`` maps the settings that change to their new values. Every function is pure.
The sample count stays fixed when the batch size changes, because a comparison at equal steps would reward the larger
batch for the extra data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diagnostics.model.adapters import adapter_kind
from diagnostics.model.settings import Settings
from tuner.config.search_space import LIST_SEPARATOR, PEFT_PREFIX, as_choice
from tuner.errors import SpecError

Config = Mapping[str, Any]

STEP_KEYS = ("logging_steps", "eval_steps", "save_steps", "warmup_steps")
"""Counts of optimizer steps that follow the batch size, so that they mark the same samples."""

DEVICE_LIMITS: Mapping[str, str] = {
    "device_batch_limit": "per_device_train_batch_size",
    "eval_batch_limit": "per_device_eval_batch_size",
}
"""Overrides that only bound how many rows a device holds at once; accumulation makes up for the first."""

DERIVED = ("batch_size", "warmup_ratio", *DEVICE_LIMITS)
"""Names that TRL does not know: they become TRL's own keys."""

LIST_KEYS = ("lora_target_modules", "lora_modules_to_save", "lora_target_parameters", "loss_type")
"""Keys that take a list of texts, which is one choice of a search space."""

DEFAULTS: Mapping[str, int] = {
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "warmup_steps": 0,
    "max_steps": -1,
}
"""TRL's defaults of the keys that an override is computed from, known here because importing TRL takes seconds."""

COMPUTED_FROM = ("batch_size", "warmup_ratio", *DEFAULTS, *STEP_KEYS[:3])
"""Keys whose values enter a computation, so they must be numbers."""


def world_size() -> int:
    """The number of training processes, from the launcher's WORLD_SIZE; 1 without one."""
    text = os.environ.get("WORLD_SIZE", "")
    return max(int(text), 1) if text.isdigit() else 1


def is_derivable(config: Config, name: str) -> bool:
    """Whether a setting's value is known from the config alone, without TRL's defaults."""
    return name in config or name in DEFAULTS or name in ("batch_size", "warmup_ratio")


def setting_value(config: Config, method: str, name: str) -> Any:
    """The value of a setting, TRL's default when the config is silent.

    ``batch_size`` is the effective one (per device x processes x accumulation); ``warmup_ratio`` is a share of all
    steps and None when the config gives warm-up in steps of an unknown total.
    """
    if name.startswith(PEFT_PREFIX):
        return as_choice(_of_peft(config, name))
    if name == "batch_size":
        return config.get("batch_size") or _effective(config)
    if name == "warmup_ratio":
        return _warmup_share(config)
    if is_derivable(config, name):
        value = _known(config, name)
    else:
        from tuner.config.trl_schema import keys_of

        keys = keys_of(method)
        value = keys[name].default if name in keys else None
    return as_choice(value)


def _of_peft(config: Config, name: str) -> Any:
    """A key of the ``peft`` block, PEFT's default when the block is silent; None without a block."""
    block = config.get("peft") or {}
    if name.removeprefix(PEFT_PREFIX) in block or not block:
        return block.get(name.removeprefix(PEFT_PREFIX))
    from tuner.config.peft_block import default_of

    return default_of(block, name.removeprefix(PEFT_PREFIX))


def _known(config: Config, name: str) -> Any:
    value = config.get(name)
    return DEFAULTS.get(name) if value is None else value


def _effective(config: Config) -> int:
    per_device, accumulation = (
        _known(config, name) for name in ("per_device_train_batch_size", "gradient_accumulation_steps")
    )
    return int(per_device * accumulation * world_size())


def _warmup_share(config: Config) -> float | None:
    if config.get("warmup_ratio") is not None:
        return float(config["warmup_ratio"])
    steps, total = _known(config, "warmup_steps"), _known(config, "max_steps")
    if steps < 1:
        return float(steps)
    return float(steps / total) if total > 0 else None


def with_overrides(config: Config, overrides: Config) -> dict[str, Any]:
    """The config with the overrides applied, in TRL's keys only; ``config`` itself is left unchanged.

    ``batch_size`` becomes per-device batch x accumulation, and with ``max_steps`` set the samples seen stay the same;
    ``warmup_ratio`` becomes ``warmup_steps`` below 1, ``peft.r`` the key of the block. ``lora_alpha`` does not follow
    ``lora_r``. A limit of
    ``DEVICE_LIMITS`` lowers the rows of a device, never the effective batch. Raises ``SpecError`` for a batch that the
    training processes cannot share.
    """
    lists = {key: _as_list(value) for key, value in overrides.items() if key in LIST_KEYS}
    made = {key: value for key, value in (*config.items(), *overrides.items(), *lists.items()) if key not in DERIVED}
    made = with_peft_keys(made)
    limits = {
        key: min(int(_known(config, key)), int(overrides[limit]))
        for limit, key in DEVICE_LIMITS.items()
        if limit in overrides
    }
    made |= limits | _batch_keys(made | limits, config, overrides)
    share = overrides.get("warmup_ratio", config.get("warmup_ratio"))
    if share is not None:
        made["warmup_steps"] = float(share)
    if "num_train_epochs" in overrides and "max_steps" not in overrides:
        made.pop("max_steps", None)  # TRL would obey it and ignore the epochs
    return made


def with_peft_keys(config: Config) -> dict[str, Any]:
    """The config with its ``peft.key`` settings moved into its ``peft`` block."""
    moved = {key.removeprefix(PEFT_PREFIX): value for key, value in config.items() if key.startswith(PEFT_PREFIX)}
    if not moved:
        return dict(config)
    rest = {key: value for key, value in config.items() if not key.startswith(PEFT_PREFIX)}
    return {**rest, "peft": {**(config.get("peft") or {}), **moved}}


def _as_list(choice: Any) -> Any:
    """The texts of a choice that stands for a list of them."""
    is_joined = isinstance(choice, str) and LIST_SEPARATOR in choice
    return choice.split(LIST_SEPARATOR) if is_joined else choice


def _batch_keys(made: Config, config: Config, overrides: Config) -> dict[str, int]:
    """The batch in TRL's keys, with the step counts that keep the samples; empty when nothing says how large it is."""
    old = config.get("batch_size") or _effective(config)
    is_limited = any(limit in overrides for limit in DEVICE_LIMITS)
    batch = overrides.get("batch_size", config.get("batch_size", old if is_limited else None))
    if batch is None:
        return {}
    per_device = _known(made, "per_device_train_batch_size")
    return _split_batch(int(batch), int(per_device)) | _same_samples(made, old / int(batch), kept=overrides)


def shared_by(config: Config, devices: int) -> dict[str, Any]:
    """A config for one device with its rows shared by so many, so that the effective batch stays the same.

    A device gets no more rows than the one had. Raises ``SpecError`` for a batch that they cannot share.
    """
    return {**config, **_split_batch(_effective(config), int(_known(config, "per_device_train_batch_size")), devices)}


def _split_batch(batch: int, per_device: int, processes: int | None = None) -> dict[str, int]:
    """Per-device batch and accumulation that multiply to ``batch``, the device's share no larger than it was."""
    processes = processes or world_size()
    share, rest = divmod(batch, processes)
    if rest or not share:
        raise SpecError(f"batch_size {batch} cannot be shared by {processes} processes; use a multiple of that")
    fitting = max(size for size in range(1, min(per_device, share) + 1) if share % size == 0)
    return {"per_device_train_batch_size": fitting, "gradient_accumulation_steps": share // fitting}


def _same_samples(config: Config, times: float, kept: Config) -> dict[str, int]:
    """Step counts for a batch that is ``1 / times`` as large; shares (below 1) and overridden keys stay unchanged."""
    if times == 1:
        return {}
    counts = {key: float(config[key]) for key in ("max_steps", *STEP_KEYS) if config.get(key) and config[key] >= 1}
    made = {key: max(1, round(steps * times)) for key, steps in counts.items() if key not in kept}
    if "save_steps" in made and "eval_steps" in made:
        # Loading the best checkpoint needs saves to fall on evaluations.
        made["save_steps"] = made["eval_steps"] * max(1, round(counts["save_steps"] / counts["eval_steps"]))
    return made


def check_batch(config: Config, path: Path) -> None:
    """Raise ``SpecError`` when ``batch_size`` and TRL's own batch keys disagree, or warm-up is given twice."""
    batch = config.get("batch_size")
    if batch is not None and "gradient_accumulation_steps" in config and batch != _effective(config):
        raise SpecError(
            f"{path}: batch_size {batch} is not per_device_train_batch_size x gradient_accumulation_steps x processes "
            f"({_effective(config)}); remove gradient_accumulation_steps"
        )
    if batch is not None and batch % world_size():
        raise SpecError(f"{path}: batch_size {batch} cannot be shared by {world_size()} processes")
    if config.get("warmup_ratio") is not None and config.get("warmup_steps"):
        raise SpecError(f"{path}: warmup_ratio and warmup_steps are both given; keep one")


def settings_of(config: Config, method: str) -> Settings:
    """The settings of a run with this config, defaults included, for the diagnosis.

    A ``max_steps`` that is not set stays None, and so do the LoRA settings of a full fine-tuning.
    """
    from tuner.config.trl_schema import keys_of

    names = [name for name in Settings.__dataclass_fields__ if name in keys_of(method)]
    raw = {name: setting_value(config, method, name) for name in (*names, "batch_size", "warmup_ratio")}
    if (raw.get("max_steps") or 0) <= 0:
        raw["max_steps"] = None
    block = config.get("peft") or {}
    if not raw.get("use_peft") or str(block.get("peft_type") or "lora").lower() != "lora":
        raw = {name: value for name, value in raw.items() if not name.startswith("lora_")}
    kind = adapter_kind({**config, **block}) if raw.get("use_peft") else None
    return Settings.from_mapping({**raw, "method": method, "adapter_kind": kind})
