"""How far a held-out loss rose from its minimum, against what noise alone would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.signals.median import median
from diagnostics.signals.noise import difference_noise

MIN_NOISE_SHARE = 0.0005
"""The noise of an evaluation is never taken to be below this share of its level."""


@dataclass(frozen=True)
class Rise:
    """The index of the lowest smoothed level, that level, the level at the end, and the noise of one evaluation."""

    onset: int
    lowest: float
    end: float
    noise: float

    @property
    def relative(self) -> float:
        """The rise as a share of the lowest level."""
        return (self.end - self.lowest) / abs(self.lowest) if self.lowest else 0.0

    @property
    def deviations(self) -> float:
        """The rise in units of noise; infinite without noise."""
        rise = self.end - self.lowest
        return rise / self.noise if self.noise > 0 else (float("inf") if rise > 0 else 0.0)


def noise_multiple(evals: int) -> float:
    """How many noises the last value of a *flat* noisy curve of so many points exceeds its minimum by, one time in 20.

    Simulated: 3.4 for 10 evaluations, 3.7 for 20, 4.0 for 40. It corrects the limit of Prechelt's generalization loss
    (1998) for noise.
    """
    return float(np.interp(np.log(max(evals, 1)), np.log([5.0, 10.0, 20.0, 40.0, 160.0]), [3.0, 3.4, 3.7, 4.0, 4.5]))


def smoothed(values: FloatArray, weight: float = 0.5) -> FloatArray:
    """The exponential moving average of a series, starting at its first value; ``weight`` is that of the past."""
    out = values.copy()
    for i in range(1, out.size):
        out[i] = weight * out[i - 1] + (1.0 - weight) * values[i]
    return out


def onset(values: FloatArray) -> int:
    """The index of the earliest value within half a noise of the lowest one up to the smoothed minimum."""
    level = smoothed(values)
    best = int(np.argmin(level))
    noise = difference_noise(values)
    close = np.flatnonzero(values[: best + 1] <= values[: best + 1].min() + 0.5 * noise)
    return int(close[0]) if close.size else best


def rise_from_minimum(values: FloatArray) -> Rise:
    """The rise of a curve from its minimum to its end.

    The end is the median of the last three values (of the last eighth of a long curve). The minimum is the lowest of
    centered means of three, because a single evaluation may be lucky; of fewer than eight values, the lowest value.
    """
    last = max(min(3, max(1, values.size // 3)), values.size // 8)
    end = median(values[-last:])
    width = 1 if values.size < 8 else 3
    level = np.convolve(values, np.ones(width) / width, mode="valid")
    best = int(np.argmin(level))
    lowest = float(level[best])
    return Rise(best + width // 2, lowest, end, max(difference_noise(values), MIN_NOISE_SHARE * abs(lowest)))


def largest_rise(values: FloatArray) -> float:
    """The largest rise of a series above its lowest value so far, in its own unit; 0 for an empty series."""
    return float(np.max(values - np.minimum.accumulate(values))) if values.size else 0.0
