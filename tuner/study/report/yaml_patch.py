"""Changes of a study file as its own keys: the file with them is a study file again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuner.config.bounds import BOUNDS
from tuner.config.overrides import STEP_KEYS, with_overrides, with_peft_keys
from tuner.config.search_space import PEFT_PREFIX, Choice, Range, Span, is_number
from tuner.config.trainers.driver import own_config
from tuner.study.context import file_value

if TYPE_CHECKING:
    from tuner.config.study_file import StudySpec

BATCH_KEYS = ("per_device_train_batch_size", "gradient_accumulation_steps", "per_device_eval_batch_size")


def patch(
    spec: StudySpec,
    config: Mapping[str, Any] | None = None,
    space: Mapping[str, Span] | None = None,
    study: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The keys of the study file that set these values of it, ranges of its space, and keys of its study block.

    Trial 0 is the file itself, so a value that a new range leaves out moves into it, and a range widens to hold a new
    value.
    """
    values, spans = dict(config or {}), dict(space or {})
    for name, span in spans.items():
        value = values.get(name, file_value(spec, name))
        if not span.holds(value):
            values[name] = _inside(value, span)
    for name, value in values.items():
        known = spans.get(name, spec.study.space.get(name))
        if known is not None and not known.holds(value):
            spans[name] = known.including(value)
    made = _in_file_keys(spec, values)
    own = {spec.driver.key(name) if spec.driver else name: span.block() for name, span in spans.items()}
    block = {**(study or {}), **({"space": own} if own else {})}
    return {**made, "study": block} if block else made


def _inside(value: Any, span: Span) -> Any:
    """The value of the span next to one that lies outside."""
    if isinstance(span, Range):
        return min(max(value, span.low), span.high) if isinstance(value, (int, float)) else span.low
    numbers = [one for one in span.values if is_number(one)]
    if numbers and isinstance(value, (int, float)):
        return min(numbers, key=lambda one: abs(one - value))
    return span.values[0]


def _in_file_keys(spec: StudySpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """An effective batch size in the keys that the file uses for it, with its counts of steps for as many samples.

    In another trainer's file everything stands under that trainer's own keys.
    """
    if spec.driver is not None:
        whole = own_config(spec.driver, spec.config, with_overrides(spec.config, values), spec.driver.devices)
        return {key: value for key, value in whole.items() if spec.driver.given.get(key) != value and key != "seed"}
    made = {key: value for key, value in values.items() if key != "batch_size"}
    if any(key.startswith(PEFT_PREFIX) for key in made):
        made = with_peft_keys({"peft": spec.config.get("peft"), **made})
    if "batch_size" not in values:
        return made
    whole = with_overrides(spec.config, {"batch_size": values["batch_size"]})
    wanted = {key: whole[key] for key in BATCH_KEYS[:2]}
    if "batch_size" in spec.config:
        made["batch_size"] = values["batch_size"]
        wanted = wanted if "gradient_accumulation_steps" in spec.config else {}
    wanted |= {key: whole[key] for key in ("max_steps", *STEP_KEYS) if key in spec.config}
    return {**{key: value for key, value in wanted.items() if spec.config.get(key, 1) != value}, **made}


def widen(name: str, span: Span, value: Any, side: int) -> Span | None:
    """The span extended at its upper (+1) or lower (-1) end: a choice by a factor of 2, a log range by 3.

    None when nothing lies beyond that end.
    """
    if isinstance(span, Choice):
        further = value * 2 if side > 0 else value / 2
        further = int(further) if isinstance(value, int) else further
        further = _limited(name, further)
        return span.including(further) if further and not span.holds(further) else None
    reach = (span.high - span.low) / 2
    low, high = span.low, span.high
    if side < 0:
        low = _limited(name, rounded(low / 3 if span.log else max(0.0, low - reach)))
    else:
        high = _limited(name, rounded(high * 3 if span.log else high + reach))
    if span.integer:
        low, high = max(1, math.floor(low)), math.ceil(high)
    made = replace(span, low=low, high=high)
    return None if made == span else made


def _limited(name: str, value: float) -> float:
    bound = BOUNDS.get(name)
    return value if bound is None else min(max(value, bound.low), bound.highest)


def rounded(value: float) -> float:
    """A suggested number, to three digits."""
    return float(f"{value:.3g}")
