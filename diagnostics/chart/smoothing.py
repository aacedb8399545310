"""Which curves are drawn with a running mean, and of which weight."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from diagnostics.chart.model import is_eval
from diagnostics.model.curves import Curve, FloatArray, Run

MIN_POINTS_TO_SMOOTH = 60
LAG = 0.03
"""How far a running mean may trail behind its curve, as a share of the curve's points."""
MAX_WEIGHT = 0.97
NOISELESS = frozenset({"learning_rate", "epoch", "num_tokens", "wall_time"})
"""Curves that are set or counted, not measured."""
LARGEST_LOST_WEIGHT = 1e-18
"""What a value that weighs less adds to a running mean is lost in a float's rounding."""


def default_weight(run: Run) -> float:
    """The weight of the running mean unless the reader chooses another: 0 for a short run, more for a longer one.

    A running mean of weight w trails w / (1 - w) points behind its curve.
    """
    longest = max((len(curve) for name, curve in run.curves.items() if may_be_noisy(name)), default=0)
    lag = LAG * longest
    return min(MAX_WEIGHT, round(lag / (1 + lag), 2)) if longest >= MIN_POINTS_TO_SMOOTH else 0.0


def may_be_noisy(name: str) -> bool:
    """Whether a curve of that name is measured on single batches; an evaluation is an average over many rows."""
    return not is_eval(name) and name not in NOISELESS


@lru_cache(maxsize=12)
def is_noisy(curve: Curve) -> bool:
    """Whether a running mean helps the eye: enough points, which jump by over 2 % of the range of the curve.

    A calm curve is better without one, since a running mean lags behind every true jump. The last answers are cached
    by the identity of the curve, for the inspector draws the same curves again and again.
    """
    if len(curve) < MIN_POINTS_TO_SMOOTH:
        return False
    low, high = np.percentile(curve.values, (5, 95))
    jump = float(np.median(np.abs(np.diff(curve.values))))
    return jump > 0.02 * float(high - low)


def smoothed(name: str, curve: Curve, weight: float) -> FloatArray | None:
    """The running mean of a noisy curve, one value a point; None for a calm curve or a weight of 0."""
    return _cached_ema(curve, weight) if weight > 0 and may_be_noisy(name) and is_noisy(curve) else None


@lru_cache(maxsize=6)
def _cached_ema(curve: Curve, weight: float) -> FloatArray:
    """The running mean of a whole curve, cached because a reader zooms into a long curve part by part."""
    return ema(curve.values, weight)


def ema(values: FloatArray, weight: float) -> FloatArray:
    """The exponential moving average, corrected for its start at zero, as TensorBoard and W&B draw it.

    For the eye only: a trend test on it finds trends that are not there.
    """
    early = min(values.size, int(np.log(LARGEST_LOST_WEIGHT) / np.log(weight)) + 1)
    mean = _decaying_sum((1 - weight) * values, weight)
    mean[:early] /= 1 - weight ** np.arange(1.0, early + 1)  # beyond, the weights add up to 1 to the last bit
    return mean


def _decaying_sum(values: FloatArray, decay: float) -> FloatArray:
    """At each place the sum of all values up to it, each times ``decay`` to the power of how far back it lies.

    Each pass doubles the reach, until what lies further back weighs too little to change a float.
    """
    total = np.array(values, dtype=np.float64)
    reach = 1
    while reach < total.size and decay**reach > LARGEST_LOST_WEIGHT:
        total[reach:] = total[reach:] + decay**reach * total[:-reach]
        reach *= 2
    return total
