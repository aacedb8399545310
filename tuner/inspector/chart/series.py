"""What a chart of one run shows, as plain numbers: lines, shaded findings and marks on any of the x axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np

from diagnostics.chart.downsample import downsample_minmax, ema
from diagnostics.chart.model import JOIN, Chart
from diagnostics.formatting import number
from diagnostics.model.curves import Curve, FloatArray, Run

LOSSES = ("train_loss", "eval_loss")
T = TypeVar("T")
AXES: dict[str, str] = {
    "step": "steps",
    "epoch": "epochs",
    "num_tokens": "tokens",
    "samples": "samples",
    "wall_time": "minutes",
    "clock": "clock",
}
MEASURES = ("epoch", "num_tokens", "wall_time")
MOST_POINTS = 2000
SMOOTH_SHARE = 3  # a smoothed line has no spikes, and needs fewer points
MOST_MARKS = 60
LAG = 0.03  # of the points
FEW_JOINS = 3
CALM = ("learning_rate", *MEASURES)
"""Curves without noise, which smoothing would only delay."""


@dataclass(frozen=True)
class View:
    """How the reader wants to see a chart: its x axis, smoothing weight (0 to <1), log scales and part of the axis."""

    x: str = "step"
    smoothing: float = 0.9
    log_x: bool = False
    log_y: bool = False
    between: tuple[float, float] | None = None
    points: int = MOST_POINTS
    ignore_outliers: bool = False


@dataclass(frozen=True, eq=False)
class Line:
    """One curve as drawn: raw points and the smoothed line, each thinned; ``inside`` of ``logged`` lie in view.

    ``hidden`` counts points that a log axis cannot show. ``smooth`` is empty when nothing was to be smoothed.
    """

    name: str
    x: FloatArray
    y: FloatArray
    smooth_x: FloatArray
    smooth_y: FloatArray
    logged: int
    inside: int
    hidden: int = 0


@dataclass(frozen=True)
class Band:
    """A finding as a stretch of the x axis."""

    rule: str
    label: str
    first: float
    last: float
    message: str


@dataclass(frozen=True)
class Mark:
    """A place on the x axis with a name; ``kind`` is best, warmup, epoch, join or broken."""

    kind: str
    x: float
    text: str


@dataclass(frozen=True, eq=False)
class Figure:
    """A chart's content."""

    axis: str
    lines: tuple[Line, ...]
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    extent: tuple[float, float] = (0.0, 1.0)
    title: str = ""

    @property
    def shown(self) -> int:
        """How many points are drawn, the smoothed lines not counted."""
        return sum(line.x.size for line in self.lines)


def figure(run: Run, chart: Chart, names: Sequence[str], view: View) -> Figure:
    """The picture of ``names`` (curve names of the run; others are left out) with the marks of the run's chart."""
    lines = tuple(line(name, run, curve, view) for name in names if (curve := run.curve(name)) is not None)
    low, high = view.between or (-math.inf, math.inf)
    low = max(low, 1e-300) if view.log_x else low
    bands = tuple(band for band in _bands(run, chart, view) if band.last >= low and band.first <= high)
    marks = tuple(mark for mark in _marks(run, chart, names, view) if low <= mark.x <= high)
    return Figure(AXES[view.x], lines, bands, marks, extent(run, view.x, names), _title([line.name for line in lines]))


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


def line(name: str, run: Run, curve: Curve, view: View) -> Line:
    """One curve on the wanted axis; it is smoothed whole and cut and thinned after, so that zooming never moves it."""
    x = along(run, curve.steps, view.x)
    raw, inside, hidden = _visible(x, curve.values, view)
    smooth = Curve(np.empty(0), np.empty(0))
    noisy = not name.startswith("eval_") and name not in CALM  # an evaluation is a point of its own
    if view.smoothing > 0 and len(curve) > 2 and noisy:
        calm = replace(view, points=max(2, view.points // SMOOTH_SHARE))
        smooth, _, _ = _visible(x, _smoothed(curve, view.smoothing), calm)
    return Line(name, raw.steps, raw.values, smooth.steps, smooth.values, len(curve), inside, hidden)


@lru_cache(maxsize=6)
def _smoothed(curve: Curve, weight: float) -> FloatArray:
    """The running mean of a whole curve; kept, for a long one is looked at part by part."""
    return ema(curve.values, weight)


def _visible(x: FloatArray, y: FloatArray, view: View) -> tuple[Curve, int, int]:
    """The points in view, thinned; how many lie in view, and how many of those a log axis cannot show."""
    if view.between is not None:
        first, last = np.searchsorted(x, view.between[0], "left"), np.searchsorted(x, view.between[1], "right")
        x, y = x[first:last], y[first:last]
    inside = x.size
    if view.log_x or view.log_y:
        keep = ((y > 0) | (not view.log_y)) & ((x > 0) | (not view.log_x))
        x, y = x[keep], y[keep]
    return _thinned(x, y, view), inside, inside - x.size


def _thinned(x: FloatArray, y: FloatArray, view: View) -> Curve:
    if x.size <= view.points or x[-1] <= x[0]:  # a measure of progress that stood still has no pixels to share
        return Curve(x[: view.points], y[: view.points])
    places = np.log(x) if view.log_x else x
    short = downsample_minmax(Curve(places, y), view.points // 2)
    return Curve(np.exp(short.steps) if view.log_x else short.steps, short.values)


def _title(names: Sequence[str]) -> str:
    if names and all(name in LOSSES for name in names):
        return "loss"
    return names[0] if len(names) == 1 else "value"


def _bands(run: Run, chart: Chart, view: View) -> list[Band]:
    found = []
    for band in chart.bands:
        first, last = along(run, np.array([band.first_step, band.last_step]), view.x)
        found.append(Band(band.rule, str(band.label), float(first), float(last), band.message))
    return found


def _marks(run: Run, chart: Chart, names: Sequence[str], view: View) -> list[Mark]:
    marks: list[tuple[str, float, str]] = []
    if chart.best_step is not None:
        marks.append(("best", chart.best_step, f"best step {number(chart.best_step)}"))
    if chart.warmup_end is not None:
        marks.append(("warmup", chart.warmup_end, "warm-up ends"))
    marks += [("epoch", step, f"epoch {n} ends") for n, step in _round_epochs(chart.epoch_ends)]
    marks += [("join", step, text) for step, text in _joins(chart.discontinuities)]
    broken = sorted({step for name in names if name in run.curves for step in run.curves[name].broken})
    marks += [("broken", step, f"nan or inf at step {number(step)}") for step in evenly(broken)]
    places = along(run, np.array([step for _, step, _ in marks]), view.x)
    return [Mark(kind, float(x), text) for (kind, _, text), x in zip(marks, places, strict=True)]


def _joins(steps: Sequence[float]) -> list[tuple[float, str]]:
    """The steps where the run was resumed or changed, each named while there are few, else the first for all."""
    words = [JOIN] * len(steps) if len(steps) <= FEW_JOINS else [f"{JOIN}, {len(steps)} times"]
    return [(step, words[place] if place < len(words) else "") for place, step in enumerate(steps)]


def _round_epochs(ends: Sequence[float], most: int = 12) -> list[tuple[int, float]]:
    """(epoch, its last step): every one, or every second, fifth, tenth … where there are many."""
    every = next(n * 10**power for power in range(9) for n in (1, 2, 5) if len(ends) <= most * n * 10**power)
    return [(n, step) for n, step in enumerate(ends, 1) if n % every == 0]


def evenly(items: Sequence[T], most: int = MOST_MARKS) -> list[T]:
    """At most ``most`` of the items, evenly spaced, the first and the last kept."""
    if len(items) <= most:
        return list(items)
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, most).astype(int))]


def usual_smoothing(run: Run) -> float:
    """The smoothing to start with: none for a short curve, more for a long one."""
    longest = max((len(run.curves[name]) for name in LOSSES if name in run.curves), default=0)
    lag = LAG * longest  # a running mean of weight w trails w / (1 - w) points behind
    return 0.0 if longest < 60 else min(0.97, round(lag / (1 + lag), 2))
