"""A small Gaussian process over the trials of a study, in numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.model.curves import FloatArray

LENGTH_SCALES = (0.12, 0.2, 0.35, 0.6, 1.0, 1.8, 3.0)
"""Distances along an axis (0 to 1) over which the function changes."""
SIGNAL_VARIANCES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Variances of the function, over that of the values."""
LOG_LENGTH_MEAN, LOG_LENGTH_DEVIATION = math.log(0.6), 0.9
"""A normal prior on the logarithm of a length: without it an axis that was hardly searched seems to have no effect."""
MAX_SCORE_GAP = 2.0
"""Models this close to the best in log-likelihood explain the trials about as well (a factor of 7)."""
MAX_ROUNDS = 3


@dataclass(frozen=True)
class Surrogate:
    """A Matérn-5/2 process with one length scale per axis, conditioned on points (rows, 0 to 1) and their values."""

    points: FloatArray
    values: FloatArray
    lengths: tuple[float, ...]
    signal: float
    noise: float

    def at(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The mean and the standard deviation of the function (without noise) at points."""
        factor, weights, level = self._solved
        cross = self.signal * _matern(points, self.points, self.lengths)
        mean = level + cross @ weights
        reduced = np.linalg.solve(factor, cross.T)
        variance = np.maximum(self.signal - (reduced**2).sum(axis=0), 1e-12 * self.signal)
        return mean, np.asarray(np.sqrt(variance))

    @property
    def score(self) -> float:
        """The log-likelihood of the values plus the log-prior of the lengths, up to a constant."""
        factor, weights, level = self._solved
        fit = -0.5 * float((self.values - level) @ weights) - float(np.log(np.diag(factor)).sum())
        return fit - sum(
            ((math.log(length) - LOG_LENGTH_MEAN) / LOG_LENGTH_DEVIATION) ** 2 / 2 for length in self.lengths
        )

    @property
    def _solved(self) -> tuple[FloatArray, FloatArray, float]:
        """The Cholesky factor of the covariance, the weights of the points, and the level they vary about."""
        count = len(self.values)
        covariance = self.signal * _matern(self.points, self.points, self.lengths)
        factor = np.linalg.cholesky(covariance + (self.noise**2 + 1e-8 * self.signal) * np.eye(count))

        def solve(right: FloatArray) -> FloatArray:
            return np.asarray(np.linalg.solve(factor.T, np.linalg.solve(factor, right)))

        ones = np.ones(count)
        level = float(ones @ solve(self.values) / (ones @ solve(ones)))
        return np.asarray(factor, dtype=np.float64), solve(self.values - level), level


def _matern(a: FloatArray, b: FloatArray, lengths: Sequence[float]) -> FloatArray:
    scaled = (a[:, None, :] - b[None, :, :]) / np.asarray(lengths)
    distance = math.sqrt(5) * np.sqrt((scaled**2).sum(axis=-1))
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance))


def fitted(points: FloatArray, values: FloatArray, noise: float) -> list[Surrogate]:
    """The models that explain the values about as well as the best one found, the best first.

    The search goes coordinate by coordinate over a fixed grid: deterministic, and accurate enough to compare a gain
    with noise.
    """
    spread = max(float(values.var()), noise**2, 1e-24)
    now = Surrogate(points, values, (0.6,) * points.shape[1], spread, noise)
    seen = {(now.lengths, now.signal): (now.score, now)}
    for _ in range(MAX_ROUNDS):
        before = now
        for axis in range(-1, points.shape[1]):
            for one in _neighbors(now, axis, spread):
                if (one.lengths, one.signal) not in seen:
                    seen[one.lengths, one.signal] = (one.score, one)
            now = max(seen.values(), key=lambda pair: pair[0])[1]
        if now is before:
            break
    best = max(score for score, _ in seen.values())
    good = sorted((pair for pair in seen.values() if pair[0] >= best - MAX_SCORE_GAP), key=lambda pair: -pair[0])
    return [model for _, model in good]


def _neighbors(model: Surrogate, axis: int, spread: float) -> list[Surrogate]:
    """The model with other values on one axis; axis -1 is the signal."""
    if axis < 0:
        return [replace(model, signal=times * spread) for times in SIGNAL_VARIANCES]
    return [
        replace(model, lengths=(*model.lengths[:axis], length, *model.lengths[axis + 1 :])) for length in LENGTH_SCALES
    ]
