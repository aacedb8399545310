"""Settings as coordinates: the rate and what shifts it in decades, everything else as axes of the residual."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution

from diagnostics.model.curves import FloatArray
from tuner.config.search_space import is_number
from tuner.search.distributions import Distributions, position
from tuner.search.proposal import RATE
from tuner.search.trial_view import TrialView

COORDINATES = ("updates", "samples", "batch_size", "lora_r", "lora_alpha", "beta", "warmup_ratio")
"""What moves the descent and the edge, each relative to trial 0: in decades, warm-up in tenths of the schedule."""
LENGTH_KNOBS = ("num_train_epochs", "max_steps")
"""Settings that make a run longer: more updates and more samples."""
UNKNOWN_LENGTH = 0.7
"""The distance, as a share of its range, over which the effect of a setting without a form changes."""
CHOICE_DISTANCE = 1.0
"""How far two choices without order lie apart, in length scales: a correlation of 0.6."""
FORM_KNOBS = frozenset({RATE, *COORDINATES, *LENGTH_KNOBS})
"""Settings that have a place in the form."""
LENGTHS = {
    RATE: 0.4,
    "batch_size": 0.5,
    "lora_r": 0.8,
    "lora_alpha": 0.8,
    "beta": 0.5,
    "warmup_ratio": 2.0,
    "num_train_epochs": 0.5,
    "max_steps": 0.5,
}
"""Length scales of the residual: decades, warm-up in tenths of the schedule."""
MEASURED_WARMUP = 0.1


@dataclass(frozen=True)
class Points:
    """Settings as arrays, a row each: ``x`` (decades of the rate), ``z`` (``COORDINATES``), and the residual's axes.

    ``axes`` are those of settings that have a place in the form, ``other`` those of all other settings.
    """

    x: FloatArray
    z: FloatArray
    axes: FloatArray
    other: FloatArray

    def of(self, rows: np.ndarray) -> Points:
        """Some of the rows."""
        return Points(self.x[rows], self.z[rows], self.axes[rows], self.other[rows])


@dataclass(frozen=True)
class Frame:
    """How settings become coordinates: the origin is trial 0; with ``fixed_steps`` a larger batch sees more samples."""

    origin: Mapping[str, Any]
    space: Distributions
    fixed_steps: bool = False

    def points(self, settings: Sequence[Mapping[str, Any]]) -> Points:
        """Settings, a row each, as coordinates."""
        x = np.array([_decades(one.get(RATE, self.origin.get(RATE)), 1.0) for one in settings], float)
        z = np.array([self._coordinates(one) for one in settings], float).reshape(len(settings), len(COORDINATES))
        axes, other = (self._axes(settings, known=known) for known in (True, False))
        return Points(x, z, axes, other)

    def _coordinates(self, one: Mapping[str, Any]) -> list[float]:
        batch = self._shift(one, "batch_size")
        longer = sum(self._shift(one, knob) for knob in LENGTH_KNOBS)
        updates, samples = (longer, longer + batch) if self.fixed_steps else (longer - batch, longer)
        others = [self._shift(one, name) for name in COORDINATES[3:6]]
        return [updates, samples, batch, *others, self._shift(one, "warmup_ratio")]

    def _shift(self, one: Mapping[str, Any], knob: str) -> float:
        """How far a setting lies from trial 0's."""
        now, before = one.get(knob), self.origin.get(knob)
        if knob not in self.space or not (is_number(now) and is_number(before)):
            return 0.0
        return (now - before) / MEASURED_WARMUP if knob == "warmup_ratio" else _decades(now, before)

    def _axes(self, settings: Sequence[Mapping[str, Any]], *, known: bool) -> FloatArray:
        """The settings over their length scales, a choice without order as an axis for each of its values."""
        spans = {knob: span for knob, span in self.space.items() if (knob in FORM_KNOBS) == known}

        def row(one: Mapping[str, Any]) -> list[float]:
            shown = ((one.get(knob, self.origin.get(knob)), knob, span) for knob, span in spans.items())
            return [at for value, knob, span in shown for at in _scaled(value, knob, span)]

        return np.array([row(one) for one in settings], float).reshape(len(settings), len(row(self.origin)))


def _scaled(value: Any, knob: str, span: BaseDistribution) -> list[float]:
    if knob in LENGTHS and is_number(value):
        shown = value / MEASURED_WARMUP if knob == "warmup_ratio" else _decades(value, 1.0)
        return [shown / LENGTHS[knob]]
    at = position(value, span)
    if at is not None:
        return [at / UNKNOWN_LENGTH]
    return [CHOICE_DISTANCE / math.sqrt(2) * (value == one) for one in getattr(span, "choices", ())] or [0.0]


def _decades(value: Any, over: float) -> float:
    """The decimal logarithm of a quotient, 0 where it has none."""
    return math.log10(value / over) if is_number(value) and value > 0 and over > 0 else 0.0


def takes_fixed_steps(trials: Sequence[TrialView]) -> bool:
    """Whether runs of a larger batch take as many steps as others, and so see more samples.

    Decided by the two runs whose batches differ most; where none tells, the samples are the same. Of a run that was
    stopped the steps are those of its schedule; one that broke by itself may have been shorter.
    """
    runs = [t for t in trials if t.steps and (t.stopped_at is not None or not t.diverged)]
    pairs = ((t.settings.get("batch_size"), t.steps) for t in runs)
    known = sorted((float(batch), steps) for batch, steps in pairs if steps and is_number(batch) and batch > 0)
    if not known or known[-1][0] < 2 * known[0][0]:
        return False
    larger = math.log(known[-1][0] / known[0][0])
    return abs(math.log(known[-1][1] / known[0][1])) < larger / 2
