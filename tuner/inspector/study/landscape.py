"""Two knobs against the metric: the trials as points, and the metric between them as a surface.

Optuna prepares its plots in private functions that may change with any release, and draws them with plotly, which is
not installed here. Its importance is public and used as it is; slice, contour and parallel coordinates are prepared
from the trials in these modules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.config.search_space import Range
from tuner.inspector.study.axes import Axis, axes_of
from tuner.study.report.axes import spans_decades
from tuner.study.results import StudyResult, TrialResult

CELLS = 36
FAR = 10.0


@dataclass(frozen=True, eq=False)
class Landscape:
    """Trials over two knobs, in places from 0 to 1; the cells lie between the trials, none outside of them."""

    across: Axis
    up: Axis
    trials: tuple[TrialResult, ...]
    points: FloatArray  # trials x (place across, place up, metric)
    cells: FloatArray  # cells x (place across, place up, metric)
    log: bool


def placed(study: StudyResult) -> list[TrialResult]:
    """The trials whose metric fits on an axis with the others: one that diverged would flatten all the rest.

    The limit lies ``FAR`` times as far behind the usual trial (median, or the own file) as the best is ahead.
    """
    sign = -1.0 if study.direction == "maximize" else 1.0
    known = [trial for trial in study.trials if trial.value is not None and math.isfinite(trial.value)]
    values = [sign * (trial.value or 0.0) for trial in known]
    if not values:
        return []
    first = study.baseline.value if study.baseline else None
    usual = max(median(values), sign * first if first is not None and math.isfinite(first) else -math.inf)
    limit = usual + FAR * (usual - min(values))
    kept = [trial for trial, value in zip(known, values, strict=True) if value <= limit or usual == min(values)]
    return sorted(kept, key=lambda one: one.number)


def is_log(study: StudyResult) -> bool:
    """Whether the metric wants a logarithmic axis."""
    return spans_decades(trial.value for trial in placed(study) if trial.value is not None)


def landscape(study: StudyResult, across: str, up: str) -> Landscape | None:
    """The metric over two knobs; None when a knob is unknown or no trial has a value of both."""
    axes = {axis.name: axis for axis in axes_of(study)}
    if across == up or across not in axes or up not in axes:
        return None
    a, b = axes[across], axes[up]
    rows = [(t, a.place(t.settings.get(across)), b.place(t.settings.get(up)), t.value) for t in placed(study)]
    known = [(t, x, y, v) for t, x, y, v in rows if x is not None and y is not None and v is not None]
    if not known:
        return None
    points = np.array([(x, y, v) for _, x, y, v in known], dtype=np.float64)
    log = is_log(study)
    return Landscape(a, b, tuple(t for t, *_ in known), points, _cells(points, log), log)


def _cells(points: FloatArray, log: bool) -> FloatArray:
    """The metric between the trials, by straight lines from trial to trial; nothing outside of the outermost ones."""
    from scipy.interpolate import griddata
    from scipy.spatial import QhullError

    places, at = np.unique(points[:, :2], axis=0, return_inverse=True)
    sums, counts = np.zeros(len(places)), np.zeros(len(places))
    np.add.at(sums, at.ravel(), np.log(points[:, 2]) if log else points[:, 2])
    np.add.at(counts, at.ravel(), 1)
    if len(places) < 4:
        return np.empty((0, 3))
    middle = (np.arange(CELLS) + 0.5) / CELLS
    x, y = (grid.ravel() for grid in np.meshgrid(middle, middle))
    try:
        found = griddata(places, sums / counts, (x, y), method="linear")
    except QhullError:  # all trials on one line
        return np.empty((0, 3))
    inside = np.isfinite(found)
    values = found[inside]
    return np.column_stack([x[inside], y[inside], np.exp(values) if log else values]).astype(np.float64)


@dataclass(frozen=True)
class Polyline:
    """A trial in parallel coordinates: its place (0 to 1) and its value on each axis, the metric last."""

    trial: TrialResult
    places: tuple[float, ...]


@dataclass(frozen=True)
class ParallelCoordinates:
    """Parallel coordinates: the axes with their ticks (place, text), and a thread for each trial."""

    axes: tuple[str, ...]
    ticks: tuple[tuple[tuple[float, str], ...], ...]
    threads: tuple[Polyline, ...]


def parallel_coordinates(study: StudyResult) -> ParallelCoordinates | None:
    """The trials over all knobs and the metric; None while fewer than two can be laid on every axis."""
    axes = [axis for axis in axes_of(study) if len({repr(t.settings.get(axis.name)) for t in study.trials}) > 1]
    metric = _metric_axis(study)
    if not axes or metric is None:
        return None
    threads = []
    for trial in placed(study):
        places = [*(axis.place(trial.settings.get(axis.name)) for axis in axes), metric.place(trial.value)]
        if all(place is not None for place in places):
            threads.append(Polyline(trial, tuple(place for place in places if place is not None)))
    ticks = tuple(tuple(axis.ticks()) for axis in (*axes, metric))
    return (
        ParallelCoordinates((*(axis.name for axis in axes), study.metric), ticks, tuple(threads))
        if len(threads) > 1
        else None
    )


def _metric_axis(study: StudyResult) -> Axis | None:
    values = [trial.value for trial in placed(study) if trial.value is not None and math.isfinite(trial.value)]
    if not values or min(values) == max(values):
        return None
    return Axis(study.metric, Range(min(values), max(values), is_log(study)))
