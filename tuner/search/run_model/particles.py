"""The posterior as particles: tempered from the last one to the new one, moved about their own mean and covariance.

Sequential Monte Carlo samplers: Del Moral, Doucet and Jasra 2006; the moves, preconditioned Crank-Nicolson about the
normal that fits the particles: Cotter, Roberts, Stuart and White 2013; Kantas, Beskos and Jasra 2014.
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
MOVES = 4
MIN_EFFECTIVE = 0.5
"""A stage of the tempering keeps this share of the particles effective."""
STEPS = (0.4, 0.7, 1.0)
"""How much of a particle a move replaces: by 1 it is drawn anew from the normal, a small one is taken more often."""
LEAST_SPREAD = 0.02
"""The normal is at least so wide, as a share of the prior: few particles that go on must not lie in one plane."""


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
    """The particles after a few moves, each some way towards a draw from the normal that fits all of them.

    Such a move leaves that normal as it is, whatever the number of parameters, so only what the target differs from it
    by decides whether it is taken.
    """
    density = target(parameters)
    for _ in range(MOVES):
        middle, root = _normal(parameters, target.prior)
        free = target.prior.active
        here = np.linalg.solve(root, (parameters[:, free] - middle).T).T
        step = rng.choice(STEPS, len(parameters))[:, None]
        there = np.sqrt(1 - step**2) * here + step * rng.standard_normal(here.shape)
        wanted = parameters.copy()
        wanted[:, free] = middle + there @ root.T
        reached = target(wanted)
        from_normal = 0.5 * ((there**2).sum(axis=1) - (here**2).sum(axis=1))
        taken = np.log(rng.random(len(parameters))) < reached - density + from_normal
        parameters, density = np.where(taken[:, None], wanted, parameters), np.where(taken, reached, density)
    return parameters


def _normal(parameters: FloatArray, prior: Prior) -> tuple[FloatArray, FloatArray]:
    """The mean of the particles' active parameters, and the lower root of their covariance."""
    known = parameters[:, prior.active]
    least = np.diag((LEAST_SPREAD * prior.deviations[prior.active]) ** 2)
    root = np.linalg.cholesky(np.cov(known, rowvar=False) + least)
    return np.asarray(known.mean(axis=0)), np.asarray(root, float)
