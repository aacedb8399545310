"""Long curves made short enough to draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import Curve, FloatArray

IntArray = NDArray[np.int64]


def downsample_minmax(curve: Curve, pixels: int) -> Curve:
    """The curve with about two points a pixel at most: the lowest and the highest, so that no spike disappears.

    The first and the last point are kept as well. A curve that is short enough is returned as it is.
    """
    if len(curve) <= 2 * pixels:
        return curve
    steps, values = curve.steps, curve.values
    share = (steps - steps[0]) / (steps[-1] - steps[0])
    pixel = np.minimum((share * pixels).astype(np.int64), pixels - 1)
    starts = np.flatnonzero(np.diff(pixel, prepend=-1))
    lowest, highest = _lowest(values, starts), len(curve) - 1 - _lowest(-values[::-1], _from_behind(starts, len(curve)))
    keep = np.unique(np.concatenate(([0], lowest, highest, [len(curve) - 1])))
    return Curve(steps[keep], values[keep], curve.broken)


def _lowest(values: FloatArray, starts: IntArray) -> IntArray:
    """The place of the lowest value in each stretch, the first one where there are several."""
    low = np.repeat(np.minimum.reduceat(values, starts), np.diff(starts, append=values.size))
    places = np.flatnonzero(values == low)
    return places[np.searchsorted(places, starts)]


def _from_behind(starts: IntArray, size: int) -> IntArray:
    """Where the same stretches start when the values are read from the last to the first."""
    return size - np.append(starts[1:], size)[::-1]
