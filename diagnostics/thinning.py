"""Long curves made short enough to draw, and noisy ones made calm enough to read."""

from __future__ import annotations

import numpy as np

from diagnostics.curves import Curve, FloatArray


def thinned(curve: Curve, pixels: int) -> Curve:
    """The curve with at most about two points a pixel: the lowest and the highest, so that no spike disappears.

    The first and the last point stay too. Curves that are short already come back as they are.
    """
    if len(curve) <= 2 * pixels:
        return curve
    steps, values = curve.steps, curve.values
    share = (steps - steps[0]) / (steps[-1] - steps[0])
    pixel = np.minimum((share * pixels).astype(np.int64), pixels - 1)
    order = np.lexsort((values, pixel))
    starts = np.flatnonzero(np.diff(pixel[order], prepend=-1))
    lowest, highest = order[starts], order[np.append(starts[1:], len(curve)) - 1]
    keep = np.unique(np.concatenate(([0], lowest, highest, [len(curve) - 1])))
    return Curve(steps[keep], values[keep], curve.broken)


def is_noisy(curve: Curve) -> bool:
    """Whether a running mean helps the eye: 20 points or more that jump by over 2 % of what the curve spans.

    A calm curve is better without, since a running mean lags behind every true jump.
    """
    if len(curve) < 20:
        return False
    low, high = np.percentile(curve.values, (5, 95))
    jump = float(np.median(np.abs(np.diff(curve.values))))
    return jump > 0.02 * float(high - low)


def running_mean(values: FloatArray, decay: float | None = None) -> FloatArray:
    """The exponential running mean, corrected for its start at zero, as TensorBoard and W&B draw it.

    For the eye only: a trend test on it finds trends that are not there.
    """
    decay = decay or (0.9 if values.size < 200 else 0.97)
    mean, weight = 0.0, 0.0
    smooth = np.empty_like(values)
    for k, value in enumerate(values.tolist()):
        mean = decay * mean + (1 - decay) * value
        weight = decay * weight + (1 - decay)
        smooth[k] = mean / weight
    return smooth
