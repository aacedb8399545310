"""The x axes that a log offers, and where the curves, findings and marks of a run lie on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from diagnostics.chart import series
from diagnostics.chart.model import Band, Chart, Mark, MarkKind
from diagnostics.model.curves import FloatArray, Run

LOSSES = ("train_loss", "eval_loss")
T = TypeVar("T")
MAX_BROKEN_MARKS = 60
MAX_EPOCH_MARKS = 12
SMALLEST_LOG_X = 1e-300


@dataclass(frozen=True)
class XAxis:
    """What an x axis counts: its name on a button, its unit, and its title under the chart."""

    label: str
    unit: str
    title: str


AXES: dict[str, XAxis] = {
    "step": XAxis("Step", "steps", "step"),
    "epoch": XAxis("Epoch", "epochs", "epoch"),
    "num_tokens": XAxis("Tokens", "tokens", "tokens seen"),
    "samples": XAxis("Samples", "samples", "rows seen"),
    "wall_time": XAxis("Time", "minutes", "minutes since the first log"),
    "clock": XAxis("Clock", "clock", "time"),
}
MEASURES = ("epoch", "num_tokens", "wall_time")


@dataclass(frozen=True, kw_only=True)
class View(series.View):
    """How the reader wants to see a chart: its x axis too, and whether the axes of values leave outliers out."""

    x: str = "step"
    ignore_outliers: bool = False


def axes(run: Run) -> tuple[str, ...]:
    """The x axes that the log can offer: the step, and every measure of progress logged at least twice."""
    logged = [(name, run.curve(name)) for name in MEASURES]
    offered = {name for name, curve in logged if curve is not None and len(curve) > 1 and np.ptp(curve.values) > 0}
    offered |= {"step"} | ({"clock"} if "wall_time" in offered else set())
    offered |= {"samples"} if run.settings.batch_size else set()
    return tuple(name for name in AXES if name in offered)


def along(run: Run, steps: FloatArray, axis: str) -> FloatArray:
    """The places of ``steps`` on an x axis.

    Steps, epochs, tokens and samples are themselves; time is in minutes since the first log, the clock in milliseconds
    since 1970.
    """
    steps = np.asarray(steps, dtype=np.float64)
    if axis == "samples":
        return steps * (run.settings.batch_size or 1)
    curve = run.curve("wall_time" if axis == "clock" else axis)
    if axis == "step" or curve is None or not len(curve):
        return steps
    places = np.maximum.accumulate(curve.values)  # a resumed run starts its token count again
    at = np.interp(steps, curve.steps, places)
    return (at - places[0]) / 60 if axis == "wall_time" else at * 1000 if axis == "clock" else at


def extent(run: Run, axis: str, names: Sequence[str] = LOSSES) -> tuple[float, float]:
    """The first and the last place on the x axis that a curve of ``names`` reaches."""
    curves = [run.curves[name] for name in names if name in run.curves]
    ends = [steps[place] for c in curves for steps in (c.steps, c.broken) if len(steps) for place in (0, -1)]
    if not ends:
        return 0.0, 1.0
    first, last = along(run, np.array([min(ends), max(ends)]), axis)
    return float(first), float(last)


def on_axis(run: Run, chart: Chart, names: Sequence[str], view: View) -> Chart:
    """The outline of a run's chart on the wanted x axis, with the bands and marks of the part in view.

    Steps without a value are marked where a curve of ``names`` has them; of many marks of a kind some are left out.
    """
    low, high = view.between or (-math.inf, math.inf)
    low = max(low, SMALLEST_LOG_X) if view.log_x else low
    bands = [band for band in _moved_bands(run, chart, view.x) if band.last >= low and band.first <= high]
    kept = _moved_marks(run, _marks(run, chart, names), view.x)
    marks = [mark for mark in kept if low <= mark.x <= high]
    first, last = extent(run, view.x, names)
    return replace(chart, axis=view.x, first=first, last=last, bands=tuple(bands), marks=tuple(marks))


def _moved_bands(run: Run, chart: Chart, axis: str) -> list[Band]:
    def moved(steps: Sequence[float]) -> tuple[float, ...]:
        return tuple(along(run, np.array(steps), axis).tolist())

    found = []
    for band in chart.bands:
        first, last = moved((band.first, band.last))
        found.append(replace(band, first=first, last=last, steps=moved(band.steps)))
    return found


def _moved_marks(run: Run, marks: Sequence[Mark], axis: str) -> list[Mark]:
    places = along(run, np.array([mark.step for mark in marks]), axis).tolist()
    return [replace(mark, x=x) for mark, x in zip(marks, places, strict=True)]


def _marks(run: Run, chart: Chart, names: Sequence[str]) -> list[Mark]:
    epochs = _round_epochs(chart.marks_of(MarkKind.EPOCH))
    others = [mark for mark in chart.marks if mark.kind not in (MarkKind.EPOCH, MarkKind.BROKEN)]
    broken = sorted({step for name in names if name in run.curves for step in run.curves[name].broken})
    return [*others, *epochs, *(Mark(MarkKind.BROKEN, step, step) for step in evenly(broken, MAX_BROKEN_MARKS))]


def _round_epochs(ends: Sequence[Mark], most: int = MAX_EPOCH_MARKS) -> list[Mark]:
    """The ends of all epochs, or of every second, fifth, tenth … where there are many."""
    every = next(n * 10**power for power in range(9) for n in (1, 2, 5) if len(ends) <= most * n * 10**power)
    return list(ends[every - 1 :: every])


def evenly(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` of the items, evenly spaced, the first and the last kept."""
    if len(items) <= most:
        return list(items)
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, most).astype(int))]
