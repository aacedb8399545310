"""Settings from logs and the files beside them, whichever program's names they use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from diagnostics.model.curves import Curve
from diagnostics.model.message import Message, message
from diagnostics.model.settings import Settings
from diagnostics.readers.assemble.method import method_of
from diagnostics.readers.assemble.schedule import planned_steps

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "method": ("method", "stage", "rl", "rlhf_type"),
    "per_device_train_batch_size": ("micro_batch_size", "per_gpu_train_batch_size", "train_micro_batch_size_per_gpu"),
    "learning_rate": ("lr",),
    "num_train_epochs": ("num_epochs", "epochs"),
    "lr_scheduler_type": ("lr_scheduler", "scheduler"),
    "optim": ("optimizer",),
    "lora_r": ("lora_rank", "r"),
    "neftune_noise_alpha": ("noisy_embedding_alpha",),
    "packing": ("sample_packing",),
    "beta": ("pref_beta", "rl_beta"),
    "loss_type": ("pref_loss",),
    "label_smoothing": ("dpo_label_smoothing", "label_smoothing_factor"),
    "model_name_or_path": ("base_model", "base_model_name_or_path", "model", "_name_or_path"),
    "max_grad_norm": ("gradient_clip_val",),
}
"""Other programs' names for our settings: LLaMA-Factory, axolotl, ms-swift, PEFT's adapter_config, Lightning."""

WORLD = ("world_size", "num_devices", "n_gpu", "_n_gpu", "num_processes")
FINISHED_SHARE = 0.95
"""The share of the planned steps from which a log counts as complete."""

MIN_THROUGHPUT = 0.05
"""Rows per second below which the rounding of the logged throughput, to three decimals, matters."""

MAX_ROWS = 1e7
"""More rows a step than this come from a damaged log."""

MAX_STEPS = 1e15
"""Larger numbers are not settings of a training."""


def recovered(
    options: Mapping[str, object], curves: Mapping[str, Curve], total_steps: float | None = None
) -> tuple[Settings, list[Message]]:
    """The settings in options and curves, and notes on what was guessed.

    ``total_steps`` is the planned length of the run; without it, it follows from the epochs when those were logged.
    """
    options = _flat(options)
    notes: list[Message] = []
    settings = Settings.from_mapping(_spelled(options))
    settings = replace(
        settings,
        max_steps=settings.max_steps if (settings.max_steps or 0) > 0 else None,
        method=method_of(settings.method, options, curves),
        use_peft=_use_peft(settings, options),
        load_in_4bit=_four_bit(settings, options),
    )
    settings = _with_batch(settings, options, curves, notes)
    total_steps = total_steps or _by_schedule(settings, curves, notes)
    total = settings.max_steps or total_steps or _planned_steps(settings, curves)
    requested = settings.learning_rate is not None  # then the epochs were requested, and the steps follow from them
    planned = total if requested and _is_cut(total, curves) else None if requested else total_steps
    if planned and planned < MAX_STEPS and settings.max_steps is None:
        settings = replace(settings, max_steps=int(planned))
    settings = replace(settings, warmup_ratio=_warmup(options, total))
    return _with_logged_rate(settings, curves, notes), notes


def _flat(options: Mapping[str, object]) -> dict[str, Any]:
    """The options with the text model's own part of a multimodal model's config brought up."""
    flat = {key: _single(value) for key, value in options.items()}
    if isinstance(flat.get("loss_type"), list):
        flat["loss_type"] = "+".join(map(str, flat["loss_type"]))  # TRL adds up several losses
    inner = flat.get("text_config")
    for key in ("hidden_size", "vocab_size"):
        if isinstance(inner, Mapping) and flat.get(key) is None:
            flat[key] = _single(inner.get(key))
    return flat


def _single(value: object) -> Any:
    """The value, the only one of a list of one, None for a whole number that no setting has."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return None if isinstance(value, int) and abs(value) >= MAX_STEPS else value


def _spelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options under our names; our own name wins over the others', a value over none."""
    found: dict[str, Any] = dict(options)
    for name, others in SPELLINGS.items():
        for other in others:
            if _absent(found.get(name)) and not _absent(options.get(other)):
                found[name] = options[other]
    return found


def _absent(value: object) -> bool:
    return value is None or value in ("", "None", "null")


def _number(value: object) -> float | None:
    """A finite number, also from text such as ``1e-5``; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _use_peft(settings: Settings, options: Mapping[str, Any]) -> bool | None:
    """Whether an adapter was trained."""
    kind = str(options.get("finetuning_type") or options.get("adapter") or options.get("peft_type") or "").lower()
    if kind:
        return kind not in ("full", "freeze")
    return settings.use_peft if settings.use_peft is not None or settings.lora_r is None else True


def _four_bit(settings: Settings, options: Mapping[str, Any]) -> bool | None:
    """Whether the base model was held in 4 bits."""
    how = options.get("quantization_config")
    if isinstance(how, Mapping) and how.get("load_in_4bit") is not None:
        return bool(how["load_in_4bit"])
    if settings.load_in_4bit is None and _number(options.get("quantization_bit")) is not None:
        return _number(options["quantization_bit"]) == 4
    return settings.load_in_4bit


def _with_batch(
    settings: Settings, options: Mapping[str, Any], curves: Mapping[str, Curve], notes: list[Message]
) -> Settings:
    """The settings with the effective batch size; devices that the log does not count follow from the throughput."""
    each, gathered = settings.per_device_train_batch_size, settings.gradient_accumulation_steps
    each, gathered = ((n if n and 0 < n < MAX_ROWS else None) for n in (each, gathered))
    if settings.batch_size is not None:
        return settings
    devices = next((int(n) for key in WORLD if (n := _number(options.get(key))) is not None and n >= 1), None)
    if each and gathered and devices:
        return replace(settings, batch_size=each * gathered * devices)
    if rows_per_step := _rows_a_step(curves):
        part = (each or 1) * (gathered or 1)
        batch = part * max(1, round(rows_per_step / part))
        if not gathered or batch != part:
            notes.append(message("batch-from-throughput", batch=batch))
        return replace(settings, batch_size=batch)
    if not each or not gathered:
        return settings
    notes.append(message("one-device-assumed"))
    return replace(settings, batch_size=each * gathered)


def _rows_a_step(curves: Mapping[str, Curve]) -> float | None:
    """Rows per optimizer step: the throughput and the seconds that Trainer logs at the end, over its last step."""
    rate, seconds = curves.get("train/train_samples_per_second"), curves.get("train/train_runtime")
    if rate is None or seconds is None or not len(rate) or not len(seconds) or seconds.steps[-1] < 1:
        return None
    rows_per_step = float(rate.values[-1]) * float(seconds.values[-1]) / float(seconds.steps[-1])
    return rows_per_step if rate.values[-1] > MIN_THROUGHPUT and 0.5 < rows_per_step < MAX_ROWS else None


def _planned_steps(settings: Settings, curves: Mapping[str, Curve]) -> float | None:
    """Steps in the whole run, from the epochs requested and the epochs logged."""
    epoch = curves.get("epoch")
    if settings.num_train_epochs is None or epoch is None or not len(epoch) or epoch.values[-1] <= 0:
        return None
    return float(epoch.steps[-1]) / float(epoch.values[-1]) * settings.num_train_epochs


def _is_cut(total: float | None, curves: Mapping[str, Curve]) -> bool:
    """Whether the log ends well before the planned end: its last steps must not be taken for those of a whole run."""
    last = max((float(curve.steps[-1]) for curve in curves.values() if len(curve)), default=0.0)
    return total is not None and last < FINISHED_SHARE * total


def _by_schedule(settings: Settings, curves: Mapping[str, Curve], notes: list[Message]) -> float | None:
    """Steps in the whole run by the decay of the learning rate, for a log that does not give them otherwise."""
    rate = curves.get("learning_rate")
    if rate is None or settings.max_steps is not None or _planned_steps(settings, curves) is not None:
        return None
    total = planned_steps(rate)
    if total is None or total >= MAX_STEPS:
        return None
    notes.append(message("length-from-schedule", planned=float(total), step=float(rate.steps[-1])))
    return float(round(total))


def _warmup(options: Mapping[str, Any], total: float | None) -> float | None:
    """Warm-up as a share of all steps; ``warmup_steps`` wins over the ratio and is itself a ratio below 1."""
    steps, ratio = _number(options.get("warmup_steps")), _number(options.get("warmup_ratio"))
    if steps is not None and steps >= 1:
        return round(steps / total, 6) if total else None
    return steps or (ratio if ratio is not None else steps)


def _with_logged_rate(settings: Settings, curves: Mapping[str, Curve], notes: list[Message]) -> Settings:
    """The settings with the highest learning rate logged, when they have none and the rate has passed its peak."""
    rate = curves.get("learning_rate")
    if settings.learning_rate is not None or rate is None or not len(rate):
        return settings
    peak = float(rate.values.max())
    still_rising = len(rate) > 1 and int(np.argmax(rate.values)) == len(rate) - 1 and peak > rate.values[0]
    if peak <= 0 or still_rising:
        return settings
    notes.append(message("rate-from-log", rate=peak))
    return replace(settings, learning_rate=float(f"{peak:.3g}"))
