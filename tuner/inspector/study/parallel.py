"""A study in parallel coordinates: every trial as a line over all settings and the metric."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuner.config.search_space import Range
from tuner.inspector.study.axes import Axis, axes_of
from tuner.inspector.study.landscape import is_log, placed
from tuner.study.results import StudyResult, TrialResult


@dataclass(frozen=True)
class Polyline:
    """A trial in parallel coordinates: its place (0 to 1) and its value on each axis, the metric last."""

    trial: TrialResult
    places: tuple[float, ...]


@dataclass(frozen=True)
class ParallelCoordinates:
    """Parallel coordinates: the axes with their ticks (place, text), and a polyline for each trial."""

    axes: tuple[str, ...]
    ticks: tuple[tuple[tuple[float, str], ...], ...]
    polylines: tuple[Polyline, ...]


def parallel_coordinates(study: StudyResult) -> ParallelCoordinates | None:
    """The trials over all settings and the metric; None while fewer than two have a place on every axis."""
    axes = [axis for axis in axes_of(study) if len({repr(t.settings.get(axis.name)) for t in study.trials}) > 1]
    metric = _metric_axis(study)
    if not axes or metric is None:
        return None
    polylines = []
    for trial in placed(study):
        places = [*(axis.place(trial.settings.get(axis.name)) for axis in axes), metric.place(trial.value)]
        if all(place is not None for place in places):
            polylines.append(Polyline(trial, tuple(place for place in places if place is not None)))
    ticks = tuple(tuple(axis.ticks()) for axis in (*axes, metric))
    return (
        ParallelCoordinates((*(axis.name for axis in axes), study.metric), ticks, tuple(polylines))
        if len(polylines) > 1
        else None
    )


def _metric_axis(study: StudyResult) -> Axis | None:
    values = [trial.value for trial in placed(study) if trial.value is not None and math.isfinite(trial.value)]
    if not values or min(values) == max(values):
        return None
    return Axis(study.metric, Range(min(values), max(values), is_log(study)))
