"""What the form misses: a Gaussian process over the trials, with the noise between seeds on a few levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.search.run_model.evidence import Evidence
from tuner.search.run_model.features import Points

NOISE_LEVELS = 7
LEVELS_REACH = 2.0
"""The levels of noise lie within so many deviations of its prior."""
LEAST_RESIDUAL, RESIDUAL_OVER_NOISE = 0.006, 0.7
"""The form misses by about what seeds differ by, and at least by 0.6 %."""
UNKNOWN_EFFECT = 0.02
"""What a setting without a place in the form changes: 2 % of the loss, as the best rank does (548 LoRA runs)."""
TINY = 1e-8


def noise_levels(mean: float, deviation: float) -> FloatArray:
    """The logarithms of the levels of noise."""
    return np.asarray(mean + deviation * np.linspace(-LEVELS_REACH, LEVELS_REACH, NOISE_LEVELS))


@dataclass(frozen=True)
class Residual:
    """The covariances of the trials' heights about the form, one for each level of noise."""

    seen: Evidence
    levels: FloatArray

    def level_of(self, log_noise: FloatArray) -> np.ndarray:
        """The number of the level that is nearest to each noise."""
        nearest = np.rint((log_noise - self.levels[0]) / (self.levels[1] - self.levels[0]))
        return np.asarray(np.clip(nearest, 0, NOISE_LEVELS - 1).astype(int))

    def log_likelihood(self, gaps: FloatArray, number: int) -> FloatArray:
        """The log-density of rows of gaps between heights and form, at one level of noise."""
        inverse, half_log = self._inverses[number]
        return np.asarray(-0.5 * ((gaps @ inverse) * gaps).sum(axis=1) - half_log)

    def at(self, gaps: FloatArray, points: Points, progress: FloatArray, number: int) -> tuple[FloatArray, FloatArray]:
        """The residual at other points: its mean for each row of gaps, and its variance."""
        cross = np.outer(progress, self.seen.progress) * self._kernel(points, self.seen.points, number)
        weights = cross @ self._inverses[number][0]
        size = sum(size**2 for size in self._sizes(points, number))
        return gaps @ weights.T, np.maximum(size * progress**2 - (weights * cross).sum(axis=1), TINY)

    @cached_property
    def _inverses(self) -> list[tuple[FloatArray, float]]:
        """The inverse of each covariance, and half the logarithm of its determinant."""
        found, size = [], np.outer(self.seen.progress, self.seen.progress)
        for number, level in enumerate(self.levels):
            noise = np.exp(2 * level) * self.seen.shared_noise + np.diag(self.seen.other + TINY)
            whole = noise + size * self._kernel(self.seen.points, self.seen.points, number)
            found.append((np.linalg.inv(whole), 0.5 * float(np.linalg.slogdet(whole)[1])))
        return found

    def _sizes(self, points: Points, number: int) -> tuple[float, float]:
        """The deviations of the residual at the best: over all settings, and over those without a form."""
        least = RESIDUAL_OVER_NOISE * float(np.exp(self.levels[number]))
        return max(LEAST_RESIDUAL, least), max(UNKNOWN_EFFECT, least) if points.other.shape[1] else 0.0

    def _kernel(self, a: Points, b: Points, number: int) -> FloatArray:
        """The covariance of the residual between settings that have learned all."""
        known, other = _squares(a.axes, b.axes), _squares(a.other, b.other)
        both, alone = self._sizes(a, number)
        return np.asarray(both**2 * np.exp(-0.5 * (known + other)) + alone**2 * np.exp(-0.5 * other))


def _squares(a: FloatArray, b: FloatArray) -> FloatArray:
    """The squared distances between rows."""
    return np.asarray(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))
