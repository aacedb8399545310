"""What the form misses: a Gaussian process over the trials, with the noise between seeds on a few levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.search.run_model.evidence import Evidence
from tuner.search.run_model.features import Points

NOISE_LEVELS = 7
MISFITS = (1.0, 3.0, 10.0)
"""Times that the form may be off by more than is usual."""
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
class Likeness:
    """The correlations between settings that have learned all: over all settings, and over those without a form."""

    both: FloatArray
    alone: FloatArray

    @classmethod
    def between(cls, a: Points, b: Points) -> Likeness:
        """Of the rows of ``a`` (rows) with those of ``b`` (columns)."""
        alone = np.exp(-0.5 * _squares(a.other, b.other))
        return cls(alone * np.exp(-0.5 * _squares(a.axes, b.axes)), alone)

    def covariance(self, both: float, alone: float) -> FloatArray:
        """The covariance for these deviations."""
        return np.asarray(both**2 * self.both + alone**2 * self.alone)


@dataclass(frozen=True)
class Residual:
    """The covariances of the trials' heights about the form, one for each level of noise.

    A run that ends ``failed`` deviations worse than expected may have failed: how much worse says little then.
    """

    seen: Evidence
    levels: FloatArray
    failed: float

    def level_of(self, log_noise: FloatArray, log_misfit: FloatArray) -> np.ndarray:
        """The number of the level that is nearest to each noise and misfit."""
        nearest = np.rint((log_noise - self.levels[0]) / (self.levels[1] - self.levels[0]))
        misfit = np.rint(log_misfit / np.log(MISFITS[1])).clip(0, len(MISFITS) - 1)
        return np.asarray((nearest.clip(0, NOISE_LEVELS - 1) * len(MISFITS) + misfit).astype(int))

    def log_likelihood(self, gaps: FloatArray, number: int) -> FloatArray:
        """The log-density of rows of gaps between heights and form, at one level of noise."""
        inverse, half_log, _ = self._inverses[number]
        wider = self._wider(gaps, number)
        counted = gaps / wider
        return np.asarray(-0.5 * ((counted @ inverse) * counted).sum(axis=1) - half_log - np.log(wider).sum(axis=1))

    def _wider(self, gaps: FloatArray, number: int) -> FloatArray:
        """How many times the usual deviation each gap is given, 1 unless the run ended far worse than expected.

        So the density falls there as one over the gap, and a run that failed moves the form little (a heavy tail, as in
        O'Hagan, On Outlier Rejection Phenomena in Bayes Inference, 1979). Good settings may fail by bad luck; no luck
        lets bad ones end well.
        """
        if math.isinf(self.failed):
            return np.ones((1, 1))
        return np.asarray(np.maximum(gaps / (self.failed * self._inverses[number][2]), 1.0))

    def likeness(self, points: Points) -> Likeness:
        """How alike other points are to the trials: it is the same for every level of noise."""
        return Likeness.between(points, self.seen.points)

    def at(self, gaps: FloatArray, like: Likeness, progress: FloatArray, number: int) -> tuple[FloatArray, FloatArray]:
        """The residual at the points of ``like``: its mean for each row of gaps, and its variance."""
        sizes = self._sizes(number)
        cross = np.outer(progress, self.seen.progress) * like.covariance(*sizes)
        weights = cross @ self._inverses[number][0]
        return (gaps / self._wider(gaps, number)) @ weights.T, np.maximum(
            (sizes[0] ** 2 + sizes[1] ** 2) * progress**2 - (weights * cross).sum(1), TINY
        )

    @cached_property
    def _inverses(self) -> list[tuple[FloatArray, float, FloatArray]]:
        """The inverse of each covariance, half the logarithm of its determinant, and the deviations."""
        found, size = [], np.outer(self.seen.progress, self.seen.progress)
        like = self.likeness(self.seen.points)
        for number in range(NOISE_LEVELS * len(MISFITS)):
            level = self.levels[number // len(MISFITS)]
            noise = np.exp(2 * level) * self.seen.shared_noise + np.diag(self.seen.other + TINY)
            whole = noise + size * like.covariance(*self._sizes(number))
            found.append((np.linalg.inv(whole), 0.5 * float(np.linalg.slogdet(whole)[1]), np.sqrt(np.diag(whole))))
        return found

    def _sizes(self, number: int) -> tuple[float, float]:
        """The deviations of the residual at the best: over all settings, and over those without a form."""
        least = RESIDUAL_OVER_NOISE * float(np.exp(self.levels[number // len(MISFITS)]))
        return max(MISFITS[number % len(MISFITS)] * LEAST_RESIDUAL, least), max(
            UNKNOWN_EFFECT, least
        ) if self.seen.points.other.shape[1] else 0.0


def _squares(a: FloatArray, b: FloatArray) -> FloatArray:
    """The squared distances between rows."""
    products = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.maximum(products, 0.0))
