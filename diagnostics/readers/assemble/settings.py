"""Settings from logs and the files beside them, whichever program's names they use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from diagnostics.model.adapters import adapter_kind
from diagnostics.model.curves import Curve
from diagnostics.model.message import Message, message
from diagnostics.model.settings import Settings
from diagnostics.readers.assemble.method import method_of
from diagnostics.readers.assemble.option_names import MAX_STEPS, flat, number, spelled
from diagnostics.readers.assemble.schedule import planned_steps, warmup_steps

WORLD = ("global_world_size", "world_size", "num_devices", "n_gpu", "_n_gpu", "num_processes")
FINISHED_SHARE = 0.95
"""The share of the planned steps from which a log counts as complete."""

MIN_THROUGHPUT = 0.05
"""Rows per second below which the rounding of the logged throughput, to three decimals, matters."""

MAX_ROWS = 1e7
"""More rows a step than this come from a damaged log."""


def recovered(
    options: Mapping[str, object], curves: Mapping[str, Curve], total_steps: float | None = None
) -> tuple[Settings, list[Message]]:
    """The settings in options and curves, and notes on what was guessed.

    ``total_steps`` is the planned length of the run; without it, it follows from the epochs when those were logged.
    """
    options = spelled(flat(options))
    notes: list[Message] = []
    settings = Settings.from_mapping(options)
    settings = replace(
        settings,
        max_steps=settings.max_steps if (settings.max_steps or 0) > 0 else None,
        method=method_of(settings.method, options, curves) or _by_adapter(options, curves, notes),
        use_peft=_use_peft(settings, options),
        adapter_kind=adapter_kind(options),
        load_in_4bit=_four_bit(settings, options),
    )
    settings = _with_batch(settings, options, curves, notes)
    total_steps = total_steps or _by_schedule(settings, curves, notes)
    total = settings.max_steps or total_steps or _planned_steps(settings, curves)
    requested = settings.learning_rate is not None  # then the epochs were requested, and the steps follow from them
    planned = total if requested and _is_cut(total, curves) else None if requested else total_steps
    if planned and planned < MAX_STEPS and settings.max_steps is None:
        settings = replace(settings, max_steps=int(planned))
    settings = replace(settings, warmup_ratio=_warmup(options, curves, total))
    return _with_logged_rate(settings, curves, notes), notes


def _use_peft(settings: Settings, options: Mapping[str, Any]) -> bool | None:
    """Whether an adapter was trained."""
    kind = str(options.get("finetuning_type") or options.get("adapter") or options.get("peft_type") or "").lower()
    if kind:
        return kind not in ("full", "freeze")
    return settings.use_peft if settings.use_peft is not None or settings.lora_r is None else True


def _by_adapter(options: Mapping[str, Any], curves: Mapping[str, Curve], notes: list[Message]) -> str | None:
    """SFT, where an adapter of a language model was trained on a loss alone; other methods log what they compare."""
    adapter = options.get("lora_r") is not None or options.get("peft_type") is not None
    if str(options.get("task_type")).upper() != "CAUSAL_LM" or not adapter or "train_loss" not in curves:
        return None
    notes.append(message("method-from-adapter"))
    return "sft"


def _four_bit(settings: Settings, options: Mapping[str, Any]) -> bool | None:
    """Whether the base model was held in 4 bits."""
    how = options.get("quantization_config")
    if isinstance(how, Mapping) and how.get("load_in_4bit") is not None:
        return bool(how["load_in_4bit"])
    if settings.load_in_4bit is None and number(options.get("quantization_bit")) is not None:
        return number(options["quantization_bit"]) == 4
    return settings.load_in_4bit


def _with_batch(
    settings: Settings, options: Mapping[str, Any], curves: Mapping[str, Curve], notes: list[Message]
) -> Settings:
    """The settings with the effective batch size; devices that the log does not count follow from the throughput."""
    each, gathered = settings.per_device_train_batch_size, settings.gradient_accumulation_steps
    each, gathered = ((n if n and 0 < n < MAX_ROWS else None) for n in (each, gathered))
    if settings.batch_size is not None:
        return settings
    devices = next((int(n) for key in WORLD if (n := number(options.get(key))) is not None and n >= 1), None)
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
    done = _epochs_done(epoch) if epoch is not None and len(epoch) else 0.0
    if settings.num_train_epochs is None or epoch is None or done <= 0:
        return None
    return float(epoch.steps[-1]) / done * settings.num_train_epochs


def _epochs_done(epoch: Curve) -> float:
    """Passes over the rows at the last log point; the epoch that Lightning counts from 0 was one more."""
    counted = not np.any(epoch.values % 1) and np.any((epoch.values == 0) & (epoch.steps > 0))
    return float(epoch.values[-1]) + (1.0 if counted else 0.0)


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


def _warmup(options: Mapping[str, Any], curves: Mapping[str, Curve], total: float | None) -> float | None:
    """Warm-up as a share of all steps; ``warmup_steps`` wins over the ratio and is itself a ratio below 1.

    Where no option gives it, it is seen in the learning rate; a log of unknown length is taken for complete.
    """
    steps, ratio = number(options.get("warmup_steps")), number(options.get("warmup_ratio"))
    if steps is not None and steps >= 1:
        return round(steps / total, 6) if total else None
    if steps is None and ratio is None and (rate := curves.get("learning_rate")) is not None:
        seen = warmup_steps(rate)
        return round(seen / (total or float(rate.steps[-1])), 6) if seen else None
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
