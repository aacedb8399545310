"""How much a series jitters from point to point, when, and whether the learning rate drives it."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.signals.median import median
from diagnostics.signals.memo import memoize
from diagnostics.signals.noise import difference_noise, log_level, robust_scale
from diagnostics.signals.spikes import local_residual

WINDOWS = 6
"""The stretches of a run whose jitter is compared with their learning rate."""


@memoize
def jitter(values: FloatArray) -> float:
    """The point-to-point scatter of a loss around its trend, as a share of its level."""
    return difference_noise(log_level(values))


def jitter_ratio(values: FloatArray, share: float) -> tuple[float, int]:
    """Jitter in the first ``share`` of the points over jitter in the rest, and the size of the smaller part.

    A dimensionless ratio: infinite when only the first part jitters, 1 when neither does.
    """
    logs = log_level(values)
    cut = max(1, round(share * values.size))
    early, late = _scatter(logs[:cut]), _scatter(logs[cut:])
    count = min(cut, values.size - cut)
    if late == 0.0:
        return (1.0 if early == 0.0 else float("inf")), count
    return early / late, count


def _scatter(logs: FloatArray) -> float:
    """The noise of a series of logs from its second differences, outliers included: jitter is not normal."""
    if logs.size < 5:
        return difference_noise(logs)
    return float(np.sqrt(np.mean(np.diff(logs, 2) ** 2) / 6.0))


def ratio_limit(count: int) -> float:
    """The ratio of two scales of ``count`` points each that chance exceeds in 5 % of cases.

    Through the simulated values 2.6 (10 points), 1.9 (20), 1.56 (40) and 1.34 (80).
    """
    sizes, limits = (10.0, 20.0, 40.0, 80.0), (2.6, 1.9, 1.56, 1.34)
    return float(np.interp(np.log(max(count, 1)), np.log(sizes), limits))


def elasticity(values: FloatArray, rate: FloatArray) -> float | None:
    """The slope of log jitter on log learning rate over the decay, dimensionless; None when the rate does not decay.

    ``rate`` is the learning rate at each of the values. From about 0.3 on the optimizer makes the noise; near 0 the
    batches do.
    """
    start = int(np.argmax(rate))
    loss, eta = values[start:], rate[start:]
    if loss.size < 8 * WINDOWS or eta[-1] > 0.5 * eta[0]:
        return None
    rest = local_residual(loss)
    parts = np.array_split(np.arange(loss.size), WINDOWS)
    scale = np.asarray([robust_scale(rest[p]) for p in parts])
    speed = np.asarray([median(eta[p]) for p in parts])
    good = (scale > 0) & (speed > 0)
    if good.sum() < 4:
        return None
    return float(np.polyfit(np.log(speed[good]), np.log(scale[good]), 1)[0])


def oscillation(values: FloatArray) -> tuple[float, float]:
    """The lag-1 autocorrelation of the residual and the share of turns, -1 and 1 for a pure zigzag.

    White noise has 0 and 2/3. A series of fewer than eight points has 0 and 0.
    """
    rest = local_residual(values)
    power = float(np.dot(rest, rest))
    if rest.size < 8 or power == 0.0:
        return 0.0, 0.0
    lag = float(np.dot(rest[1:], rest[:-1])) / power
    moves = np.diff(values)
    flips = float(np.mean(moves[1:] * moves[:-1] < 0))
    return lag, flips
