"""The posterior as particles: tempered from the last one to the new one, moved by differential evolution.

Sequential Monte Carlo samplers: Del Moral, Doucet and Jasra 2006; the moves: ter Braak 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diagnostics.model.curves import FloatArray
from tuner.search.run_model import form
from tuner.search.run_model.evidence import Evidence
from tuner.search.run_model.residual import Residual
from tuner.search.scale import Scale

BoolArray = npt.NDArray[np.bool_]
COUNT = 1500
"""With 500 a study owes up to two runs to the draw of its particles."""
MOVES = 4
MIN_EFFECTIVE = 0.5
"""A stage of the tempering keeps this share of the particles effective."""
JITTER = 0.02
KEPT = 0.3
"""Each parameter stays where it is in this share of the moves."""
JUMP_EVERY = 4
"""Every so many moves the step is that between two particles, so that modes exchange."""


@dataclass(frozen=True)
class Prior:
    """Independent normals on the parameters that matter in this study; the others stay at their means."""

    means: FloatArray
    deviations: FloatArray
    active: BoolArray

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Rows of parameters."""
        return np.asarray(self.means + self.deviations * rng.standard_normal((count, len(self.means))))

    def log_density(self, parameters: FloatArray) -> FloatArray:
        """The log-density of each row, up to a constant."""
        z = (parameters - self.means)[:, self.active] / self.deviations[self.active]
        return np.asarray(-0.5 * (z**2).sum(axis=1))


@dataclass(frozen=True)
class Likelihood:
    """What the trials say of parameters."""

    seen: Evidence
    residual: Residual
    scale: Scale

    def __call__(self, parameters: FloatArray) -> FloatArray:
        """The log-likelihood of each row."""
        at = form.lines(parameters, self.seen.points.z)
        gaps = self.seen.heights - form.mean(parameters, self.seen.points, at)
        total = self.seen.verdicts.log_likelihood(self.seen.points.x, at)
        level = self.residual.level_of(parameters[:, form.SIGMA], parameters[:, form.MISFIT])
        for number in np.unique(level):
            rows = level == number
            if rows.any():
                total[rows] += self.residual.log_likelihood(gaps[rows], number)
        return np.asarray(total)


def updated(
    parameters: FloatArray, before: Likelihood | None, after: Likelihood, prior: Prior, rng: np.random.Generator
) -> FloatArray:
    """The particles of the new posterior, from those of the last one (None: of the prior)."""
    reached = 0.0
    while reached < 1.0:
        gain = after(parameters) - (before(parameters) if before else 0.0)
        step = _next_step(gain, 1.0 - reached)
        reached = 1.0 if step >= 1.0 - reached else reached + step
        parameters = parameters[_resampled(step * gain, rng)]
        target = _Target(before, after, prior, reached)
        parameters = _moved(parameters, target, rng)
    return parameters


@dataclass(frozen=True)
class _Target:
    """The density of a stage: between the last posterior (0) and the new one (1)."""

    before: Likelihood | None
    after: Likelihood
    prior: Prior
    share: float

    def __call__(self, parameters: FloatArray) -> FloatArray:
        total = self.prior.log_density(parameters) + self.share * self.after(parameters)
        if self.before is not None and self.share < 1:
            total += (1 - self.share) * self.before(parameters)
        return total


def _next_step(gain: FloatArray, most: float) -> float:
    """The longest step of the tempering that keeps enough particles effective."""
    if _effective(most * gain) >= MIN_EFFECTIVE:
        return most
    low, high = 0.0, most
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _effective(middle * gain) >= MIN_EFFECTIVE else (low, middle)
    return max(low, 1e-3 * most)


def _effective(log_weights: FloatArray) -> float:
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum() / len(weights))


def _resampled(log_weights: FloatArray, rng: np.random.Generator) -> np.ndarray:
    """The particles that go on, by systematic resampling."""
    weights = np.exp(log_weights - log_weights.max())
    ladder = (np.arange(len(weights)) + rng.random()) / len(weights)
    return np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), ladder), len(weights) - 1)


def _moved(parameters: FloatArray, target: _Target, rng: np.random.Generator) -> FloatArray:
    """The particles after a few moves, each along the difference of two others."""
    count, density = len(parameters), target(parameters)
    free = np.flatnonzero(target.prior.active)
    for move in range(MOVES):
        others = (np.arange(count)[:, None] + rng.integers(1, count, (count, 2))) % count
        jump = (parameters[others[:, 0]] - parameters[others[:, 1]])[:, free]
        moving = rng.random((count, len(free))) > KEPT
        scale = (
            1.0
            if move % JUMP_EVERY == JUMP_EVERY - 1
            else 2.38 / np.sqrt(2 * np.maximum(moving.sum(axis=1, keepdims=True), 1))
        )
        jitter = JITTER * target.prior.deviations[free] * rng.standard_normal((count, len(free)))
        wanted = parameters.copy()
        wanted[:, free] += moving * (scale * jump + jitter)
        reached = target(wanted)
        taken = np.log(rng.random(count)) < reached - density
        parameters, density = np.where(taken[:, None], wanted, parameters), np.where(taken, reached, density)
    return parameters
