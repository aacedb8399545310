"""A logged curve as the points that are drawn: on its x axis, smoothed, cut to the part in view, downsampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.chart.downsample import downsample_minmax
from diagnostics.chart.model import Series
from diagnostics.chart.smoothing import smoothed
from diagnostics.model.curves import Curve, FloatArray

MAX_POINTS = 2000
POINTS_PER_SMOOTH_POINT = 3
"""A running mean has no spikes, and needs fewer points than the values behind it."""


@dataclass(frozen=True, kw_only=True)
class View:
    """How curves are drawn: the weight of the running mean (0 to <1), logarithmic axes, the part of the x axis.

    At most about ``points`` points of each curve are drawn.
    """

    smoothing: float = 0.9
    log_x: bool = False
    log_y: bool = False
    between: tuple[float, float] | None = None
    points: int = MAX_POINTS


def series_of(name: str, curve: Curve, x: FloatArray, view: View, title: str = "") -> Series:
    """The series of a curve whose points lie at ``x``.

    It is smoothed whole, and cut and downsampled after, so that zooming never moves the running mean.
    """
    shown, in_view, hidden = _visible(x, curve.values, view, view.points)
    mean = smoothed(name, curve, view.smoothing)
    smooth = Curve(np.empty(0), np.empty(0))
    if mean is not None:
        smooth, _, _ = _visible(x, mean, view, max(2, view.points // POINTS_PER_SMOOTH_POINT))
    return Series(
        name, title or name, shown.steps, shown.values, smooth.steps, smooth.values, len(curve), in_view, hidden
    )


def _visible(x: FloatArray, y: FloatArray, view: View, points: int) -> tuple[Curve, int, int]:
    """The points in view, downsampled; how many lie in view, and how many of those a log axis cannot show."""
    if view.between is not None:
        first, last = np.searchsorted(x, view.between[0], "left"), np.searchsorted(x, view.between[1], "right")
        x, y = x[first:last], y[first:last]
    in_view = x.size
    if view.log_x or view.log_y:
        keep = ((y > 0) | (not view.log_y)) & ((x > 0) | (not view.log_x))
        x, y = x[keep], y[keep]
    return _downsampled(x, y, points, log_x=view.log_x), in_view, in_view - x.size


def _downsampled(x: FloatArray, y: FloatArray, points: int, *, log_x: bool) -> Curve:
    if x.size <= points or x[-1] <= x[0]:  # a measure of progress that stood still has no pixels to share
        return Curve(x[:points], y[:points])
    short = downsample_minmax(Curve(np.log(x) if log_x else x, y), points // 2)
    return Curve(np.exp(short.steps) if log_x else short.steps, short.values)
