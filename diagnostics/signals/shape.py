"""Levels and shares of a curve: where it starts and ends, how it falls, where it steps."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.signals.bounds import bounded
from diagnostics.signals.median import median, sampled
from diagnostics.signals.memo import memoize
from diagnostics.signals.noise import difference_noise

MIN_STEPS = 2
MISSING_INTERVALS, MISSING_SHARE = 1.5, 0.05
"""A log begins late where more than so many intervals, and so much of the run, lies before it."""


@memoize
def head(values: FloatArray) -> float:
    """The level a curve starts from, in its unit: the median of the first 3 % of its points, at least one."""
    return median(sampled(values[: max(1, round(0.03 * values.size))]))


def begins_late(steps: FloatArray) -> bool:
    """Whether a log begins late in its run, as that of a resumed one may; ``steps`` of shape (n,) count from its start.

    A run begins one interval between logs before its first log: the one that logs have throughout, or the one after
    its first log where that is longer.
    """
    if steps.size < MIN_STEPS:
        return False
    interval = max(float(steps[-1] - steps[0]) / (steps.size - 1), float(steps[1] - steps[0]))
    missing = float(steps[0]) - interval
    return missing > max(MISSING_INTERVALS * interval, MISSING_SHARE * float(steps[-1]))


def ends_at(steps: FloatArray, planned: float) -> bool:
    """Whether no log is to come any more: the next one would lie beyond the planned steps; ``steps`` of shape (n,).

    A run of 89 steps that is logged every 10 steps ends with the log of step 80.
    """
    if steps.size < MIN_STEPS:
        return False
    return bool(steps[-1] + min(steps[-1] - steps[-2], (steps[-1] - steps[0]) / (steps.size - 1)) > planned)


@memoize
def tail(values: FloatArray) -> float:
    """The level a curve ends at, in its unit: the median of the last 10 % of its points, three of twelve or more."""
    least = 3 if values.size >= 12 else 1
    return median(sampled(values[-max(least, round(0.1 * values.size)) :]))


def progress(values: FloatArray) -> float:
    """The fraction of its start level that the curve lost by its end; negative when it rose, 0 for a start at zero."""
    start = head(values)
    return (start - tail(values)) / abs(start) if start else 0.0


def late_share(steps: FloatArray, values: FloatArray, share: float = 0.25) -> float:
    """The fall in the last ``share`` of the steps over the fall that a straight line would show there, dimensionless.

    1 for a straight line, near 0 for a curve that has flattened, above 1 for one that falls ever faster; 0 for a curve
    that does not fall.
    """
    span = steps[-1] - steps[0]
    total = head(values) - tail(values)
    if span <= 0 or total <= 0:
        return 0.0
    cut = steps[-1] - share * span
    reach = 0.08 * span
    around = values[np.abs(steps - cut) <= reach]
    middle = median(around) if around.size >= 3 else float(np.interp(cut, steps, values))
    return (middle - tail(values)) / total / share


def clipped_share(norms: FloatArray, limit: float) -> float:
    """The fraction of logged gradient norms above the clipping limit; 0 for none."""
    return float(np.mean(norms > limit)) if norms.size else 0.0


def growth(norms: FloatArray, share: float = 0.5) -> float:
    """The gradient norm at the end over that where the last ``share`` of the points began; 1 for fewer than eight."""
    positive = norms[norms > 0]
    late = np.log(positive[int(positive.size * (1 - share)) :])
    if late.size < 8:
        return 1.0
    fifth = max(2, late.size // 5)
    return float(np.exp(bounded(median(late[-fifth:]) - median(late[:fifth]), -50, 50)))


def staircase(steps: FloatArray, values: FloatArray, boundaries: FloatArray) -> list[tuple[float, float, float]]:
    """Each boundary with the drop of the mean level there, in the values' unit and in standard errors (z).

    Compares up to 20 points on either side, less the trend inside the epochs; boundaries with fewer than four points
    on a side are left out.
    """
    found = []
    noise = difference_noise(values)
    for boundary in boundaries:
        before, after = values[steps <= boundary], values[steps > boundary]
        count = min(20, before.size, after.size)
        if count < 4 or noise == 0.0:
            continue
        left, right = before[-count:], after[:count]
        drift = 0.5 * (_slope(left) + _slope(right)) * count
        drop = float(left.mean() - right.mean()) + min(0.0, drift)
        found.append((float(boundary), drop, drop / (noise * np.sqrt(2.0 / count))))
    return found


def _slope(values: FloatArray) -> float:
    """The least-squares slope per point."""
    x = np.arange(values.size) - (values.size - 1) / 2
    return float(np.dot(x, values) / np.dot(x, x))
