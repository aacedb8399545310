"""The search space of a study file, read and checked against what each key takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tuner.config.bounds import limit_broken
from tuner.config.search_space import Choice, Range, Span, Value, as_choice, shown
from tuner.config.trl_schema import Key, Unfit
from tuner.config.tunable import PSEUDO_KEYS, why_not_tuned
from tuner.errors import SpecError, brief, nearest

MAX_CHOICES = 1000
MAX_MAGNITUDE = 1e15
"""The end of a range of a key without bounds of its own, so that its length can be computed."""


def check_shape(raw: Any, where: str) -> None:
    """Raise ``SpecError`` unless the space maps keys to ranges and lists; needs no key table, so it is instant."""
    if not isinstance(raw, Mapping) or not raw:
        raise SpecError(
            f"{where}: must map keys to ranges, such as learning_rate: {{low: 1e-6, high: 1e-2, log: true}}"
        )
    for name, span in raw.items():
        if not isinstance(span, (Mapping, list)):
            hint = "{low: …, high: …} or a list of values"
            raise SpecError(f"{where}.{name}: must be {hint}, not {brief(span)}; put a fixed value outside of study")


def read_space(raw: Mapping[str, Any], keys: Mapping[str, Key], where: str) -> dict[str, Span]:
    """The space of a study block; raises ``SpecError`` that names the key at fault."""
    known = {**keys, **PSEUDO_KEYS}
    space: dict[str, Span] = {}
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
        raise SpecError(f"{at}: must be a list of values, because it does not take numbers")
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
        raise SpecError(f"{at}: must not have both log and step; remove one")


def _number(raw: Mapping[str, Any], bound: str, key: Key, at: str, *, limited: bool = True) -> float:
    if bound not in raw:
        raise SpecError(f"{at}: the range needs {bound}")
    try:
        value = key.coerced(raw[bound])
    except Unfit as error:
        raise SpecError(f"{at}.{bound}: {error}") from None
    if value is None or not math.isfinite(value):
        raise SpecError(f"{at}.{bound}: must be a number, not {brief(raw[bound])}")
    if limited and _too_wide(value):
        raise SpecError(f"{at}.{bound}: must be at most {MAX_MAGNITUDE:g}, not {shown(value)}")
    # A log range has its own, clearer message for a low of 0.
    limited = limited and not (raw.get("log") and bound == "low" and value <= 0)
    broken = limit_broken(key.name, value) if limited else None
    if broken:
        raise SpecError(f"{at}.{bound}: must be {broken}, not {shown(value)}")
    return float(value) if key.plain is float else int(value)


def _too_wide(value: float) -> bool:
    return abs(value) > MAX_MAGNITUDE


def _flag(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise SpecError(f"{at}.log: must be true or false, not {brief(value)}")
    return value


def _choice(raw: list[Any], key: Key, at: str) -> Choice:
    if not raw:
        raise SpecError(f"{at}: the list of values must not be empty")
    if len(raw) > MAX_CHOICES:
        raise SpecError(f"{at}: lists {len(raw)} values; {MAX_CHOICES} are the most")
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
    made = as_choice(made)
    if made is not None and not isinstance(made, (bool, int, float, str)):
        raise SpecError(f"{at}: {brief(value)} must be a number, a text, true or false, or a list of texts")
    broken = limit_broken(key.name, made)
    if broken:
        raise SpecError(f"{at}: must be {broken}, not {shown(made)}")
    return made
