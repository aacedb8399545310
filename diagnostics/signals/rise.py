"""How far a held-out loss climbed from its minimum, against what noise alone would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.signals.median import median
from diagnostics.signals.noise import difference_noise

QUIETEST = 0.0005


@dataclass(frozen=True)
class Rise:
    """The lowest smoothed level and its index, the level at the end, and the noise of one evaluation."""

    onset: int
    lowest: float
    end: float
    noise: float

    @property
    def relative(self) -> float:
        """The rise over the lowest level."""
        return (self.end - self.lowest) / abs(self.lowest) if self.lowest else 0.0

    @property
    def deviations(self) -> float:
        """The rise in units of noise; infinite without noise."""
        rise = self.end - self.lowest
        return rise / self.noise if self.noise > 0 else (float("inf") if rise > 0 else 0.0)


def noise_multiple(evals: int) -> float:
    """How many noises the last value of a *flat* noisy curve stands above its minimum in one case of twenty.

    Simulated: 3.4 for 10 evaluations, 3.7 for 20, 4.0 for 40.
    """
    return float(np.interp(np.log(max(evals, 1)), np.log([5.0, 10.0, 20.0, 40.0, 160.0]), [3.0, 3.4, 3.7, 4.0, 4.5]))


def smoothed(values: FloatArray, weight: float = 0.5) -> FloatArray:
    """The exponential mean of a series, starting at its first value."""
    out = values.copy()
    for i in range(1, out.size):
        out[i] = weight * out[i - 1] + (1.0 - weight) * values[i]
    return out


def onset(values: FloatArray) -> int:
    """The index from which the curve only got worse: the earliest within two noises of the smoothed minimum."""
    level = smoothed(values)
    best = int(np.argmin(level))
    noise = difference_noise(values)
    close = np.flatnonzero(values[: best + 1] <= values[: best + 1].min() + 0.5 * noise)
    return int(close[0]) if close.size else best


def rise_from_minimum(values: FloatArray) -> Rise:
    """The rise of a curve from its minimum to its end.

    The end is the median of the last three (of the last eighth of a long curve). The minimum is the lowest of centerd
    means of three, so that one lucky evaluation does not count, and on short curves the lowest value. The noise of an
    evaluation is never taken to be below 0.05 % of its level.
    """
    last = max(min(3, max(1, values.size // 3)), values.size // 8)
    end = median(values[-last:])
    width = 1 if values.size < 8 else 3
    level = np.convolve(values, np.ones(width) / width, mode="valid")
    best = int(np.argmin(level))
    lowest = float(level[best])
    return Rise(best + width // 2, lowest, end, max(difference_noise(values), QUIETEST * abs(lowest)))


def largest_rise(values: FloatArray) -> float:
    """The largest rise of a series above its lowest value so far, in its own unit; 0 for an empty series."""
    return float(np.max(values - np.minimum.accumulate(values))) if values.size else 0.0
