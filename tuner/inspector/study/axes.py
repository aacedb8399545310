"""The settings of a study as axes: what was searched or tried, and where each value lies on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.formatting import scientific, setting
from tuner.config.search_space import Choice, Range, Span, Value, is_number, is_same
from tuner.study.results import StudyResult

MAX_CHOICES = 50
SCIENTIFIC_BELOW = 1e-3
WIDE_RATIO = 30
"""Numbers whose largest is this many times their smallest go on a logarithmic axis."""


@dataclass(frozen=True)
class Axis:
    """The axis of one setting, over its range or its choices in their order."""

    name: str
    span: Span

    def place(self, value: Value) -> float | None:
        """Where a value lies, from 0 at the low end to 1 at the high one; None when it lies nowhere on the axis."""
        if isinstance(self.span, Choice):
            choices = self.span.values
            found = next((n for n, one in enumerate(choices) if is_same(one, value)), None)
            return None if found is None else found / max(1, len(choices) - 1)
        if not is_number(value):
            return None
        low, high, here = self.span.low, self.span.high, float(value)
        if self.span.log:
            if min(low, high, here) <= 0:
                return None
            low, high, here = math.log(low), math.log(high), math.log(here)
        return (here - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Places with the text of their values: every choice, every power of ten, or a few round steps."""
        if isinstance(self.span, Choice):
            values: Sequence[Value] = self.span.values
        elif self.span.log:
            values = _powers(self.span.low, self.span.high)
            if values[0] < SCIENTIFIC_BELOW:  # one way of writing for all of them: 1e-3, 1e-2
                return [(place, scientific(value)) for value in values if (place := self.place(value)) is not None]
        else:
            values = [self.span.low + (self.span.high - self.span.low) * n / 4 for n in range(5)]
        return [
            (place, setting(self.name, _short(value))) for value in values if (place := self.place(value)) is not None
        ]


def _powers(low: float, high: float) -> list[float]:
    """The powers of ten in a range, both ends beside them where there are fewer than two."""
    inside = [10.0**n for n in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]
    return inside[:: max(1, len(inside) // 6)] if len(inside) > 1 else [low, high]


def _short(value: Value) -> Value:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def axes_of(study: StudyResult) -> list[Axis]:
    """The settings of the study's space, then those that only its trials name, each wide enough for every trial."""
    names = dict.fromkeys((*study.space, *(name for trial in study.trials for name in trial.settings)))
    found = []
    for name in names:
        span = searched(study, name) or _tried(_values(study, name))
        if span is not None and not (isinstance(span, Choice) and len(span.values) > MAX_CHOICES):
            found.append(Axis(name, _in_order(span)))
    return found


def searched(study: StudyResult, name: str) -> Span | None:
    """What was searched of a setting, with every value that was tried: trial 0's may lie outside of the space."""
    span = study.space.get(name)
    for value in _values(study, name) if span is not None else ():
        span = span.including(value) if span is not None else None
    return span


def _values(study: StudyResult, name: str) -> list[Value]:
    return [trial.settings[name] for trial in study.trials if trial.settings.get(name) is not None]


def _tried(values: Sequence[Value]) -> Span | None:
    numbers = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if numbers and len(numbers) == len(values) and min(numbers) < max(numbers):
        low, high = min(numbers), max(numbers)
        return Range(low, high, log=low > 0 and high / low > WIDE_RATIO)
    return Choice(tuple(dict.fromkeys(values))) if values else None


def _in_order(span: Span) -> Span:
    """The span, numbers to choose from in rising order."""
    if isinstance(span, Choice) and all(map(is_number, span.values)):
        return Choice(tuple(sorted(span.values)))  # type: ignore[type-var]
    return span
