"""The search space of a study file: ranges and choices, checked against what each key takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuner.config.trl_schema import Key, Unfit
from tuner.errors import SpecError, nearest

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; ``log`` spreads them evenly over powers of ten."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False

    def holds(self, value: Any) -> bool:
        """Whether the value is a number of this range."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high

    def __str__(self) -> str:
        """``1e-6 to 1e-2``."""
        return f"{shown(self.low)} to {shown(self.high)}"


@dataclass(frozen=True)
class Choice:
    """One of a few values, in the file's order."""

    values: tuple[Value, ...]

    def holds(self, value: Any) -> bool:
        """Whether the value is one of these; 8 and 8.0 are the same."""
        return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in self.values)

    def __str__(self) -> str:
        """``4, 8, 16``."""
        return ", ".join(shown(value) for value in self.values)


Space = Mapping[str, Range | Choice]

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
"""What a number must be for training to make sense: lowest, highest, in words."""

ABOVE_LOWEST = ("learning_rate", "num_train_epochs")

NOT_TUNED: Mapping[str, str] = {
    "per_device_train_batch_size": "tune batch_size, the effective one",
    "gradient_accumulation_steps": "tune batch_size, the effective one",
    "warmup_steps": "tune warmup_ratio",
    "seed": "seeds are repeated at the end, not tuned",
    "data_seed": "seeds are repeated at the end, not tuned",
    **dict.fromkeys(("env", "method", "study", "output_dir", "run_name"), "it is no setting of the training"),
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
    return "trials could not be compared, or it does not change the training" if fixed else None


def limit_broken(name: str, value: Any) -> str | None:
    """What a number of this key must be, when ``value`` is not that; else None."""
    if name not in LIMITS or not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    low, high, words = LIMITS[name]
    inside = low <= value <= high and not (name in ABOVE_LOWEST and value == low) and math.isfinite(value)
    return None if inside else words


def shown(value: Any) -> str:
    """A value for people: ``1e-4``, ``0.05``, ``cosine``."""
    if not isinstance(value, float):
        return str(value)
    mantissa, power, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if power else mantissa


def check_shape(raw: Any, where: str) -> None:
    """Raise ``SpecError`` when the space is no mapping of ranges and lists; needs no key table, so it is instant."""
    if not isinstance(raw, Mapping) or not raw:
        raise SpecError(
            f"{where}: must map keys to ranges, such as learning_rate: {{low: 1e-6, high: 1e-2, log: true}}"
        )
    for name, span in raw.items():
        if not isinstance(span, (Mapping, list)):
            hint = "{low: …, high: …} or a list of values"
            raise SpecError(f"{where}.{name}: must be {hint}, not {span!r}; a fixed value belongs outside of study")


def read_space(raw: Mapping[str, Any], keys: Mapping[str, Key], where: str) -> dict[str, Range | Choice]:
    """The space of a study block; raises ``SpecError`` that names the key at fault."""
    known = {**keys, **PSEUDO_KEYS}
    space: dict[str, Range | Choice] = {}
    for name, span in raw.items():
        at = f"{where}.{name}"
        if name not in known:
            raise SpecError(f"{where.split(': ')[0]}: unknown key {_key(at)}{nearest(str(name), known)}")
        why = why_not_tuned(name)
        if why:
            raise SpecError(f"{at}: cannot be tuned: {why}")
        space[name] = _range(span, known[name], at) if isinstance(span, Mapping) else _choice(span, known[name], at)
    return space


def _key(at: str) -> str:
    return at.split(": ", 1)[-1]


def _range(raw: Mapping[str, Any], key: Key, at: str) -> Range:
    for name in raw:
        if name not in ("low", "high", "log", "step"):
            raise SpecError(f"{at}: unknown key {name}{nearest(str(name), ('low', 'high', 'log', 'step'))}")
    if key.plain not in (int, float):
        raise SpecError(f"{at}: takes no numbers; give a list of values instead of a range")
    low, high = (_number(raw, bound, key, at) for bound in ("low", "high"))
    log = _flag(raw.get("log", False), at)
    step = None if raw.get("step") is None else _number(raw, "step", key, at, limited=False)
    made = Range(low, high, log, step, key.plain is int)
    _check_range(made, at)
    return made


def _check_range(span: Range, at: str) -> None:
    if span.low >= span.high:
        raise SpecError(f"{at}: the range is empty: low {shown(span.low)} is not below high {shown(span.high)}")
    if span.log and span.low <= 0:
        raise SpecError(f"{at}: a log range needs low above 0, not {shown(span.low)}")
    if span.step is not None and span.step <= 0:
        raise SpecError(f"{at}.step: must be above 0, not {shown(span.step)}")
    if span.log and span.step is not None:
        raise SpecError(f"{at}: a log range takes no step; take one of them out")


def _number(raw: Mapping[str, Any], bound: str, key: Key, at: str, *, limited: bool = True) -> float:
    if bound not in raw:
        raise SpecError(f"{at}: the range needs {bound}")
    try:
        value = key.coerced(raw[bound])
    except Unfit as error:
        raise SpecError(f"{at}.{bound}: {error}") from None
    if value is None or not math.isfinite(value):
        raise SpecError(f"{at}.{bound}: must be a number, not {raw[bound]!r}")
    # A log range has its own, clearer words for a low of 0.
    limited = limited and not (raw.get("log") and bound == "low" and value <= 0)
    broken = limit_broken(key.name, value) if limited else None
    if broken:
        raise SpecError(f"{at}.{bound}: must be {broken}, not {shown(value)}")
    return float(value) if key.plain is float else int(value)


def _flag(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise SpecError(f"{at}.log: must be true or false, not {value!r}")
    return value


def _choice(raw: list[Any], key: Key, at: str) -> Choice:
    if not raw:
        raise SpecError(f"{at}: the list of values is empty")
    values = tuple(_one(value, key, at) for value in raw)
    for index, value in enumerate(values):
        if Choice(values[:index]).holds(value):
            raise SpecError(f"{at}: {shown(value)} is in the list twice")
    return Choice(values)


def _one(value: Any, key: Key, at: str) -> Value:
    try:
        made = key.coerced(value)
    except Unfit as error:
        raise SpecError(f"{at}: {error}") from None
    if isinstance(made, list) and len(made) == 1:
        made = made[0]
    if made is not None and not isinstance(made, (bool, int, float, str)):
        raise SpecError(f"{at}: {value!r} is no single value; list numbers, texts, true or false")
    broken = limit_broken(key.name, made)
    if broken:
        raise SpecError(f"{at}: must be {broken}, not {shown(made)}")
    return made
