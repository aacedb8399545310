"""From advice to the next run: a study file in TRL's keys, ready to save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from diagnostics.chart.markup import printable
from diagnostics.formatting import setting
from diagnostics.model.curves import Run
from diagnostics.model.methods import METHODS
from diagnostics.model.records import Advice, Diagnosis
from diagnostics.model.settings import Settings
from tuner.config.methods import TRL_METHODS
from tuner.config.overrides import with_overrides
from tuner.errors import SpecError

# Settings of a log that TRL has no key for, or another one.
NO_KEYS = ("method", "batch_size", "warmup_ratio", "model_type", "hidden_size", "vocab_size", "transformers_version")
OPTIMIZERS = ("sgd", "adafactor", "adagrad", "rmsprop", "ademamix", "lomo", "adalomo", "grokadamw")
"""Optimizers of one word that TRL and other programs call alike; all of TRL's other names have a ``_``."""
FILL_IN = "FILL-IN"
MAX_COMMENT = 200
"""Characters of a name or a reason that a comment of the file holds at most."""


def numeric(advice: Sequence[Advice]) -> list[Advice]:
    """The advice about settings that is a number, one for each setting, the first that was given.

    Where the log does not contain the old value there is only a factor: ``from_old`` makes it a value.
    """
    first: dict[str, Advice] = {}
    for change in advice:
        if (change.new is not None or change.factor) and change.knob in Settings.__dataclass_fields__:
            first.setdefault(change.knob, change)
    return list(first.values())


def from_old(change: Advice, old: float) -> Advice:
    """The advice with the value that its factor makes of ``old``, to two digits or a whole number."""
    new = old * (change.factor or 1.0)
    return replace(change, old=old, new=max(1, round(new)) if _is_whole(change.knob) else float(f"{new:.2g}"))


def next_config(settings: Settings, changes: Sequence[Advice], file: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The TRL keys of the next run: the run's own file or else its logged settings, with ``changes`` applied.

    ``file`` is the run's ``config.yaml`` when it left one. The changes do to it what they would do in a study.
    """
    config = dict(file) if file else _from_log(settings)
    return with_overrides(config, {change.knob: typed(change.knob, change.new) for change in changes})


def _from_log(settings: Settings) -> dict[str, Any]:
    """The settings of a log as a config; ``batch_size`` and ``warmup_ratio`` stand in it for TRL's keys."""
    method = settings.method if settings.method and settings.method in TRL_METHODS else "sft"
    others = {knob for one in METHODS.values() for knob in one.own_settings} - {*METHODS[method].own_settings}
    known = {k: v for k, v in settings.known().items() if k not in NO_KEYS and k not in others}
    known["optim"] = _optimizer(settings.optim)
    known = {name: value for name, value in known.items() if value is not None}
    config = {
        "method": method,
        "model_name_or_path": known.pop("model_name_or_path", FILL_IN),
        "dataset_name": FILL_IN,
        **known,
    }
    if settings.lora_r is not None:
        config["use_peft"] = True
    if settings.per_device_train_batch_size is None and settings.batch_size is not None:
        config["batch_size"] = settings.batch_size
    if settings.warmup_ratio is not None:
        config["warmup_ratio"] = settings.warmup_ratio
    config["eval_strategy"] = "steps" if settings.eval_steps else "epoch"
    return config


def _optimizer(named: str | None) -> str | None:
    """TRL's name for an optimizer that a log names; none for what it has no name for, and for Adam, its own default."""
    plain = (named or "").rpartition(".")[2].lower()
    return plain if "_" in plain or plain in OPTIMIZERS else None


def _is_whole(name: str) -> bool:
    return str(Settings.__dataclass_fields__[name].type).startswith("int")


def typed(name: str, value: float | str | None) -> float | str | int | None:
    """The value as the setting's own type: a rank of 16.0 is 16."""
    return int(float(value)) if _is_whole(name) and value is not None else value


def study_block(changes: Sequence[Advice], *, trials: int, metric: str = "eval_loss") -> dict[str, Any]:
    """A ``study`` block that searches around the advice: a decade each way for a rate, half to double otherwise."""
    space = {change.knob: _range(change) for change in changes if isinstance(change.new, (int, float))}
    if not space:
        space = {"learning_rate": {"low": 1e-6, "high": 1e-3, "log": True}}
    return {"trials": trials, "metric": metric, "space": space}


def _range(change: Advice) -> Any:
    new = float(change.new or 0)
    if change.knob == "warmup_ratio":
        return {"low": 0.0, "high": max(0.2, new)}
    if change.knob in ("learning_rate", "beta", "weight_decay") and new > 0:
        return {"low": float(f"{new / 10:.2g}"), "high": float(f"{new * 10:.2g}"), "log": True}
    if _is_whole(change.knob):
        return sorted({max(1, round(new / 2)), round(new), round(new * 2)})
    return {"low": round(new / 2, 6), "high": round(new * 2, 6)} if new else {"low": 0.0, "high": 0.1}


def as_yaml(name: str, config: Mapping[str, Any], changes: Sequence[Advice], study: Mapping[str, Any] | None) -> str:
    """The file as text; its first lines name the run it follows, the changes and their reasons."""
    head = [f"# the next run after {_one_line(name)}"]
    head += [
        f"# {c.knob}: {setting(c.knob, c.old)} -> {setting(c.knob, c.new)} ({_one_line(c.because)})" for c in changes
    ]
    if FILL_IN in config.values():
        head.append(f"# replace {FILL_IN}: the log does not contain these values")
    body = {**config, **({"study": dict(study)} if study else {})}
    return "\n".join(head) + "\n" + yaml.safe_dump(body, sort_keys=False, allow_unicode=True)


def _one_line(text: str) -> str:
    """The text as it may stand in a comment."""
    return " ".join(printable(text).split())[:MAX_COMMENT]


def next_run_yaml(run: Run, diagnosis: Diagnosis, file: Mapping[str, Any] | None = None) -> str:
    """The file of the next run with the first advice that is a new value.

    Empty where there is none, or where the run's own ``file`` cannot take it.
    """
    changes = [change for change in numeric(diagnosis.advice) if change.new is not None and not change.optional][:1]
    if not changes:
        return ""
    try:
        return as_yaml(run.name, next_config(run.settings, changes, file), changes, None)
    except SpecError:
        return ""
