"""The settings among which the next trial is chosen: a ladder of rates from trial 0, times the values of the rest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from tuner.config.search_space import is_number
from tuner.search.distributions import Distributions, alike, nearest_in_space, neighbor
from tuner.search.proposal import RATE

LADDERS = (0.5, 0.25)
"""Steps of the rate in decades: half a decade, as from 1e-5 to 3e-5, and quarters where all of those were tried. To be
off by a quarter of a decade costs 0.2 % (548 LoRA runs: 3 % a squared decade), less than what seeds differ by."""
OTHER_STEP = math.log10(2)
LINEAR_VALUES = {0.5: 3, 0.25: 5}
"""Values of a setting on a plain range, the ends among them, by the step of the rate."""
MAX_CANDIDATES = 1200
CHANGED_SHARE = 0.4
"""In a space with more combinations each setting is changed with this chance."""


def candidates(
    around: Sequence[Mapping[str, Any]], space: Distributions, step: float, seed: int
) -> list[dict[str, Any]]:
    """Settings to choose from, always the same for the same arguments; ``around`` are trial 0's and the best ones."""
    origin = around[0]
    values = {knob: _values(knob, origin.get(knob), span, step) for knob, span in space.items()}
    if math.prod(len(known) for known in values.values()) <= MAX_CANDIDATES:
        return [dict(zip(values, one, strict=True)) for one in itertools.product(*values.values())]
    rng = np.random.default_rng(seed)
    starts = [{knob: _known(one.get(knob), values[knob]) for knob in values} for one in around]
    return [_changed(starts[k % len(starts)], values, rng) for k in range(MAX_CANDIDATES)]


def neighbors(settings: Mapping[str, Any], space: Distributions) -> list[dict[str, Any]]:
    """What differs from these settings in one, by one step up or down or by another choice, or in that and the rate.

    The best rate moves with the others: whoever turns one setting at a time stands still where both have to move.
    """
    here = {knob: settings.get(knob) for knob in space}
    singles = [{**here, knob: value} for knob, span in space.items() for value in _beside(here[knob], span)]
    rates = _beside(here[RATE], space[RATE]) if RATE in space else []
    return singles + [{**one, RATE: rate} for one in singles if one.get(RATE) == here.get(RATE) for rate in rates]


def _beside(value: Any, span: BaseDistribution) -> list[Any]:
    """The next values of a setting; every other one of choices without order."""
    if isinstance(span, CategoricalDistribution) and not any(map(is_number, span.choices)):
        return [choice for choice in span.choices if choice != value]
    found = [neighbor(value, direction, span) for direction in (-1, 1)]
    if isinstance(span, FloatDistribution) and span.log:
        found = [one and nearest_in_space(_as_written(one), span) for one in found]
    return [one for one in found if one is not None]


def _as_written(value: float) -> float:
    """A number to two digits, as a person would write it."""
    return float(f"{value:.1e}")


def _changed(start: Mapping[str, Any], values: Mapping[str, list[Any]], rng: np.random.Generator) -> dict[str, Any]:
    """The start with some settings drawn anew, the rate among them as often as not."""
    return {
        knob: known[int(rng.integers(len(known)))] if rng.random() < CHANGED_SHARE else start[knob]
        for knob, known in values.items()
    }


def _known(value: Any, values: list[Any]) -> Any:
    """The value, or the middle of the known ones where there is none."""
    return values[len(values) // 2] if value is None else value


def _values(knob: str, origin: Any, span: BaseDistribution, step: float) -> list[Any]:
    """The values of one setting: all choices, a ladder from trial 0's on a log scale, or evenly spaced ones."""
    if isinstance(span, CategoricalDistribution):
        return list(span.choices)
    assert isinstance(span, (FloatDistribution, IntDistribution))
    if span.log or (knob == RATE and span.low > 0):
        raw = _ladder(origin, span, step if knob == RATE else OTHER_STEP)
    else:
        raw = [float(one) for one in np.linspace(span.low, span.high, LINEAR_VALUES[step])]
        raw += [origin] if is_number(origin) else []
    found: list[Any] = []
    for value in sorted({nearest_in_space(one, span) for one in raw}):
        if not found or not alike(value, found[-1], span):
            found.append(value)
    return found


def _ladder(origin: Any, span: FloatDistribution | IntDistribution, step: float) -> list[float]:
    """Rungs a step apart through trial 0's value, rounded to two digits."""
    low, high = math.log10(span.low), math.log10(span.high)
    at = min(max(math.log10(origin), low), high) if is_number(origin) and origin > 0 else low
    rungs = range(math.ceil((low - at) / step - 1e-9), math.floor((high - at) / step + 1e-9) + 1)
    return [_as_written(10 ** (at + rung * step)) for rung in rungs]
