"""The knobs of a study as axes: what ``study.json`` says was searched, and where each value lies on it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diagnostics.formatting import scientific, setting
from tuner.study.results import StudyResult, Value

RANGE = re.compile(r"(\S+) to (\S+?)(, log)?")
MOST_CHOICES = 50
SMALL = 1e-3


@dataclass(frozen=True)
class Knob:
    """A knob that was searched: a range from ``low`` to ``high``, or ``choices`` in their order."""

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: tuple[Value, ...] = ()

    def place(self, value: Value) -> float | None:
        """Where a value lies, from 0 at the low end to 1 at the high one; None when it lies nowhere on the axis."""
        if self.choices:
            found = next((n for n, one in enumerate(self.choices) if same(one, value)), None)
            return None if found is None else found / max(1, len(self.choices) - 1)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None
        ends = (self.low, self.high, float(value))
        if self.log and min(ends) > 0:
            ends = (math.log(self.low), math.log(self.high), math.log(value))
        elif self.log:
            return None
        return (ends[2] - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Places with the text of their values: every choice, every power of ten, or a few round steps."""
        if self.choices:
            values: Sequence[Value] = self.choices
        elif self.log:
            values = _powers(self.low, self.high)
            if values[0] < SMALL:  # one way of writing for all of them: 1e-3, 1e-2
                return [(place, scientific(value)) for value in values if (place := self.place(value)) is not None]
        else:
            values = [self.low + (self.high - self.low) * n / 4 for n in range(5)]
        return [
            (place, setting(self.name, _short(value))) for value in values if (place := self.place(value)) is not None
        ]

    def block(self) -> Any:
        """The knob as a study file writes it."""
        if self.choices:
            return list(self.choices)
        ends = {"low": _whole(self.low), "high": _whole(self.high)}
        return {**ends, "log": True} if self.log else ends


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same setting: 8 and 8.0 are, 1 and true are not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _powers(low: float, high: float) -> list[float]:
    """The powers of ten in a range, both ends beside them where there are fewer than two."""
    inside = [10.0**n for n in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]
    return inside[:: max(1, len(inside) // 6)] if len(inside) > 1 else [low, high]


def _short(value: Value) -> Value:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) and abs(value) < 1e9 else value


def knobs(study: StudyResult) -> list[Knob]:
    """The knobs of the study's space, then those that only its trials name, each wide enough for every trial."""
    names = dict.fromkeys((*study.space, *(name for trial in study.trials for name in trial.settings)))
    found = []
    for name in names:
        tried = [trial.settings[name] for trial in study.trials if trial.settings.get(name) is not None]
        knob = _searched(name, study.space.get(name)) or _tried(name, tried)
        if knob is not None:
            found.append(_wide_enough(knob, tried))
    return found


def _searched(name: str, span: Any) -> Knob | None:
    """The knob that ``tuner.study.results.describe`` put into words; None for other words."""
    if not isinstance(span, str):
        return None
    found = RANGE.fullmatch(span.strip())
    if found:
        try:
            low, high = float(found[1]), float(found[2])
        except ValueError:
            return None
        fits = math.isfinite(low) and math.isfinite(high) and low < high and (low > 0 or not found[3])
        return Knob(name, low, high, bool(found[3])) if fits else None
    words = [word.strip() for word in span.split(",")]
    return Knob(name, choices=tuple(map(_value, words))) if all(words) and len(words) <= MOST_CHOICES else None


def _value(word: str) -> Value:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return {"True": True, "False": False, "None": None}.get(word, word)


def _tried(name: str, values: Sequence[Value]) -> Knob | None:
    numbers = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if numbers and len(numbers) == len(values) and min(numbers) < max(numbers):
        return Knob(name, min(numbers), max(numbers), min(numbers) > 0 and max(numbers) / min(numbers) > 30)
    choices = tuple(dict.fromkeys(values))
    return Knob(name, choices=choices) if 0 < len(choices) <= MOST_CHOICES else None


def _wide_enough(knob: Knob, values: Sequence[Value]) -> Knob:
    """The knob with every value that was tried on its axis: a file's own value may lie outside of its choices."""
    if knob.choices:
        more = [v for v in dict.fromkeys(values) if not any(same(v, one) for one in knob.choices)]
        choices = (*knob.choices, *more)
        numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in choices)
        return Knob(knob.name, choices=tuple(sorted(choices)) if numeric else choices)  # type: ignore[type-var]
    numbers = [float(v) for v in values if isinstance(v, (int, float)) and math.isfinite(v) and (v > 0 or not knob.log)]
    return Knob(knob.name, min([knob.low, *numbers]), max([knob.high, *numbers]), knob.log)
