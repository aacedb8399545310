"""The readings of a chart where the reader points: the value of every line there, as text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from diagnostics.chart.model import Chart, Series
from diagnostics.formatting import SIGNS, number
from diagnostics.model.curves import FloatArray, Run
from tuner.inspector.chart.series import AXES, along, evenly
from tuner.inspector.escape import one_line

MAX_CROSSHAIR_PLACES = 300
Crosshair = tuple[tuple[float, str], ...]
"""Places on the x axis, from left to right, each with the readings there."""


def crosshair(run: Run, chart: Chart) -> Crosshair:
    """The readings of one run's chart: the step, the last logged value of every line and the findings there."""
    places = _places([series.x for series in chart.series])
    steps = np.full(places.size, np.nan)
    logged: list[list[tuple[str, float, float]]] = [[] for _ in places]
    for series in chart.series:
        curve = run.curves[series.name]
        at = _last_before(along(run, curve.steps, chart.axis), places)
        own = np.where(at >= 0, curve.steps[at], np.nan)
        steps = np.fmax(steps, own)
        for place in np.flatnonzero(at >= 0).tolist():
            logged[place].append((series.name, float(own[place]), float(curve.values[at[place]])))
    return tuple(
        (x, _text(step, values, _findings(chart, x)))
        for x, step, values in zip(places.tolist(), steps.tolist(), logged, strict=True)
    )


def _text(step: float, values: Sequence[tuple[str, float, float]], findings: Sequence[str]) -> str:
    lines = [f"step {number(step)}"]
    for name, own, value in values:
        when = "" if own == step else f" (step {number(own)})"
        lines.append(f"{one_line(name, 40)}  {number(value)}{when}")
    return "\n".join([*lines, *findings])


def _findings(chart: Chart, x: float) -> list[str]:
    return [f"{SIGNS[band.label]} {band.title}" for band in chart.bands if band.first <= x <= band.last]


def readings(lines: Sequence[Series], axis: str) -> Crosshair:
    """The readings of a chart of several runs: the value of every line between its ends, with that of its ribbon."""
    places = _places([line.x for line in lines])
    texts = [[] if axis == "clock" else [f"{number(x)} {AXES[axis].unit}"] for x in places.tolist()]
    for line in lines:
        at = _last_before(line.x, places)
        reached = (at >= 0) & (places <= (line.x[-1] if line.x.size else -math.inf))
        for place in np.flatnonzero(reached).tolist():
            texts[place].append(_reading(line, int(at[place])))
    return tuple((x, "\n".join(words)) for x, words in zip(places.tolist(), texts, strict=True))


def _reading(line: Series, at: int) -> str:
    text = f"{one_line(line.name, 40)}  {number(float(line.y[at]))}"
    if not line.low.size:
        return text
    return f"{text} ({number(float(line.low[at]))} to {number(float(line.high[at]))})"


def _places(drawn: Sequence[FloatArray]) -> FloatArray:
    """The places of all lines together, evenly thinned out where they are many."""
    every = np.unique(np.concatenate([*drawn, np.empty(0)]))
    return np.array(evenly(every.tolist(), MAX_CROSSHAIR_PLACES))


def _last_before(x: FloatArray, places: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The index of the last point at or before each place, -1 where there is none; rounding errors count as at it."""
    return np.searchsorted(x, places * (1 + 1e-12) + 1e-12, side="right").astype(np.int64) - 1
