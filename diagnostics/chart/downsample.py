"""Long curves made short enough to draw, and noisy ones made calm enough to read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import Curve, FloatArray

IntArray = NDArray[np.int64]
TINY = 1e-18


def downsample_minmax(curve: Curve, pixels: int) -> Curve:
    """The curve with at most about two points a pixel: the lowest and the highest, so that no spike disappears.

    The first and the last point stay too. Curves that are short already come back as they are.
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


def is_noisy(curve: Curve) -> bool:
    """Whether a running mean helps the eye: 20 points or more that jump by over 2 % of what the curve spans.

    A calm curve is better without, since a running mean lags behind every true jump.
    """
    if len(curve) < 20:
        return False
    low, high = np.percentile(curve.values, (5, 95))
    jump = float(np.median(np.abs(np.diff(curve.values))))
    return jump > 0.02 * float(high - low)


def ema(values: FloatArray, decay: float | None = None) -> FloatArray:
    """The exponential running mean, corrected for its start at zero, as TensorBoard and W&B draw it.

    For the eye only: a trend test on it finds trends that are not there.
    """
    decay = decay or (0.9 if values.size < 200 else 0.97)
    early = min(values.size, int(np.log(TINY) / np.log(decay)) + 1)
    mean = _decaying_sum((1 - decay) * values, decay)
    mean[:early] /= 1 - decay ** np.arange(1.0, early + 1)  # from there on the weight is 1 to the last bit
    return mean


def _decaying_sum(values: FloatArray, decay: float) -> FloatArray:
    """At each place the sum of all values up to it, each times ``decay`` to the power of how far back it lies.

    Each pass doubles the reach; what lies further back than the last pass weighs less than a float can tell.
    """
    total = np.array(values, dtype=np.float64)
    reach = 1
    while reach < total.size and decay**reach > TINY:
        total[reach:] = total[reach:] + decay**reach * total[:-reach]
        reach *= 2
    return total
