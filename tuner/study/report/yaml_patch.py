"""Changes of a study file as lines to paste into it: the file with them is a study file again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tuner.config.overrides import STEP_KEYS, with_overrides
from tuner.config.search_space import LIMITS, Choice, Range
from tuner.study.context import file_value

if TYPE_CHECKING:
    from tuner.config.study_file import StudySpec

Span = Range | Choice
BATCH_KEYS = ("per_device_train_batch_size", "gradient_accumulation_steps", "per_device_eval_batch_size")


def yaml_patch(
    spec: StudySpec,
    config: Mapping[str, Any] | None = None,
    space: Mapping[str, Span] | None = None,
    study: Mapping[str, Any] | None = None,
) -> str:
    """The lines of YAML that set these keys of the file, ranges of its space, and keys of its study block.

    Trial 0 is the file itself, so a value that a new range leaves out moves into it, and a range widens to hold a new
    value.
    """
    values, spans = dict(config or {}), dict(space or {})
    for knob, span in spans.items():
        value = values.get(knob, file_value(spec, knob))
        if not span.holds(value):
            values[knob] = _inside(value, span)
    for knob, value in values.items():
        known = spans.get(knob, spec.study.space.get(knob))
        if known is not None and not known.holds(value):
            spans[knob] = include(known, value)
    lines = [f"{key}: {plain(value)}" for key, value in _in_the_file_s_keys(spec, values).items()]
    if study or spans:
        lines += ["study:", *(f"  {key}: {plain(value)}" for key, value in (study or {}).items())]
    if spans:
        lines += ["  space:", *(f"    {knob}: {written(span)}" for knob, span in spans.items())]
    return "\n".join(lines) + "\n"


def _inside(value: Any, span: Span) -> Any:
    """The value of the span next to one that lies outside."""
    if isinstance(span, Range):
        return min(max(value, span.low), span.high) if isinstance(value, (int, float)) else span.low
    numbers = [one for one in span.values if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if numbers and isinstance(value, (int, float)):
        return min(numbers, key=lambda one: abs(one - value))
    return span.values[0]


def include(span: Span, value: Any) -> Span:
    """The span, widened where needed to hold the value."""
    if isinstance(span, Range):
        return replace(span, low=min(span.low, value), high=max(span.high, value))
    values = (*span.values, value)
    is_number = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values)
    return Choice(tuple(sorted(values)) if is_number else values)


def _in_the_file_s_keys(spec: StudySpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """An effective batch size in the keys that the file uses for it, with its counts of steps for as many samples."""
    made = {key: value for key, value in values.items() if key != "batch_size"}
    if "batch_size" not in values:
        return made
    whole = with_overrides(spec.config, {"batch_size": values["batch_size"]})
    wanted = {key: whole[key] for key in BATCH_KEYS[:2]}
    if "batch_size" in spec.config:
        made["batch_size"] = values["batch_size"]
        wanted = wanted if "gradient_accumulation_steps" in spec.config else {}
    wanted |= {key: whole[key] for key in ("max_steps", *STEP_KEYS) if key in spec.config}
    return {**{key: value for key, value in wanted.items() if spec.config.get(key, 1) != value}, **made}


def span_of(distribution: BaseDistribution) -> Span | None:
    """A distribution of the search as a range or a list of the file."""
    if isinstance(distribution, CategoricalDistribution):
        return Choice(tuple(distribution.choices))
    if isinstance(distribution, (FloatDistribution, IntDistribution)):
        whole = isinstance(distribution, IntDistribution)
        step = None if distribution.log or (whole and distribution.step == 1) else distribution.step
        return Range(distribution.low, distribution.high, distribution.log, step, whole)
    return None


def widen(knob: str, span: Span, value: Any, side: int) -> Span | None:
    """The span with one more rung at its upper (+1) or lower (-1) end; None when nothing lies beyond it."""
    if isinstance(span, Choice):
        further = value * 2 if side > 0 else value / 2
        further = int(further) if isinstance(value, int) else further
        further = _limited(knob, further)
        return include(span, further) if further and not span.holds(further) else None
    reach = (span.high - span.low) / 2
    low = _limited(knob, span.low / 3 if span.log else max(0.0, span.low - reach)) if side < 0 else span.low
    high = _limited(knob, span.high * 3 if span.log else span.high + reach) if side > 0 else span.high
    if span.integer:
        low, high = max(1, math.floor(low)), math.ceil(high)
    made = replace(span, low=low, high=high)
    return None if made == span else made


def _limited(knob: str, value: float) -> float:
    low, high, _ = LIMITS.get(knob, (-math.inf, math.inf, ""))
    return min(max(value, low), high)


def written(span: Span) -> str:
    """A range or a list as it stands in a study file."""
    if isinstance(span, Choice):
        return f"[{', '.join(plain(value) for value in span.values)}]"
    parts = [f"low: {plain(span.low)}", f"high: {plain(span.high)}"]
    parts += ["log: true"] if span.log else [f"step: {plain(span.step)}"] if span.step is not None else []
    return f"{{{', '.join(parts)}}}"


def plain(value: Any) -> str:
    """A value as YAML reads it back: ``1.0e-05`` needs its dot to be a number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        import yaml

        return str(yaml.safe_dump(value, default_flow_style=True)).split("\n")[0]
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e6):
        return str(int(value))
    text = f"{value:.3g}"
    return text if "e" not in text or "." in text else text.replace("e", ".0e")
