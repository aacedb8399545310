"""Two settings against the metric: the trials as points, and the metric between them as a surface.

Optuna prepares its plots in private functions that may change with any release, and draws them with plotly, which is
not installed here. Its importance is public and used as it is; slice, contour and parallel coordinates are prepared
from the trials in these modules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.inspector.study.axes import Axis, axes_of
from tuner.study.report.axes import has_place, spans_decades
from tuner.study.results import StudyResult, TrialResult

CELLS = 36  # along each axis
MAX_BEHIND = 10.0
"""How far behind the usual trial a value may lie, in units of how far the best one is ahead of it."""


@dataclass(frozen=True, eq=False)
class Landscape:
    """Trials over two settings, in places from 0 to 1; the cells lie between the trials, none outside of them."""

    across: Axis
    up: Axis
    trials: tuple[TrialResult, ...]
    points: FloatArray  # trials x (place across, place up, metric)
    cells: FloatArray  # cells x (place across, place up, metric)
    log: bool


def placed(study: StudyResult) -> list[TrialResult]:
    """The trials whose metric fits on an axis with the others, in their order."""
    fitting = [trial for trial in study.trials if has_place(study, trial, MAX_BEHIND)]
    return sorted(fitting, key=lambda trial: trial.number)


def is_log(study: StudyResult) -> bool:
    """Whether the metric is drawn on a logarithmic axis."""
    return spans_decades(trial.value for trial in placed(study) if trial.value is not None)


def landscape(study: StudyResult, across: str, up: str) -> Landscape | None:
    """The metric over two settings; None when one is unknown or no trial has a value of both."""
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
