"""Does a noisy series fall, and does it bend as a loss that nears its floor does? Likelihoods of whole shapes.

Two levels of a curve hold little of what many noisy points know. Each shape of a fall is fitted by least squares; half
the difference of two residual sums over the variance of the noise is the logarithm of how much better one explains
the points than the other (Wilks 1938).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.signals.memo import memoize
from diagnostics.signals.noise import difference_noise
from diagnostics.signals.trend import means_from

GRID = np.linspace(0.0, 1.0, 401)
MOST_POINTS = 60
"""More points are averaged first: noise becomes normal, and the fit stays quick."""
WARMUPS = (0.0, 0.1)
SPEEDS, POWERS, RATES = (30.0, 100.0, 300.0), (0.3, 0.7, 1.5), (5.0, 10.0, 20.0)
"""Of the shapes of a fall that bends: (1 + speed x share)^-power and exp(-rate x share)."""
LEAST_NOISE = 0.01
"""The noise is never taken to be below this share of the range: no shape fits better than that."""


@dataclass(frozen=True)
class Fall:
    """How clearly a series falls, and along what: log likelihood ratios, in nats.

    ``shown``: of the best falling shape over a level line. ``follows_rate``: of a fall in proportion to the rate spent
    over one that bends as healthy losses do; negative where it bends.
    """

    shown: float
    follows_rate: float


@memoize
def fall_of_shape(curve: Curve) -> Fall:
    """How clearly a curve of five points or more falls, and along what shape.

    The run begins at the first point, as with an evaluation before training, or one interval before it.
    """
    steps, values = _averaged(curve)
    interval = float(steps[1] - steps[0])
    shares = np.stack([(steps - first) / float(steps[-1] - first) for first in (steps[0], steps[0] - interval)])
    shapes = _shapes()
    misfits = _misfits(shares, values, shapes)
    spent, bent = float(misfits[: shapes.of_rate].min()), float(misfits[shapes.of_rate :].min())
    flat = float(np.sum((values - values.mean()) ** 2))
    least = min(spent, bent)
    noise = max(
        difference_noise(values) ** 2,
        least / max(1, values.size - 2),
        (LEAST_NOISE * float(np.ptp(values))) ** 2,
        1e-300,
    )
    return Fall((flat - least) / (2.0 * noise), (bent - spent) / (2.0 * noise))


def _averaged(curve: Curve) -> tuple[FloatArray, FloatArray]:
    """The steps and values, as means of parts where there are many."""
    size = len(curve)
    if size <= MOST_POINTS:
        return curve.steps, curve.values
    starts = np.arange(MOST_POINTS) * size // MOST_POINTS
    return means_from(curve.steps, starts), means_from(curve.values, starts)


def _misfits(shares: FloatArray, values: FloatArray, shapes: _Shapes) -> FloatArray:
    """The residual sums of squares of the best lines along shapes, of which only falls are fitted.

    Shape (shapes, rows of ``shares``).
    """
    place = np.searchsorted(GRID, shares, "right") - 1
    x = shapes.slopes.take(place, axis=1) * (shares - GRID[place]) + shapes.heights.take(place, axis=1)
    x -= x.mean(axis=2, keepdims=True)
    y = values - values.mean()
    rows = x[:, :, None, :]
    size, along = (rows @ x[:, :, :, None])[:, :, 0], (rows @ y[:, None])[:, :, 0]
    slope = np.where(size > 0.0, np.minimum(0.0, along / size), 0.0)
    return np.asarray(np.sum((y - slope * x) ** 2, axis=2))


@dataclass(frozen=True, eq=False)
class _Shapes:
    """Curves that rise from 0 to 1 on ``GRID``, a row each, and their slopes to the next place, 0 at the end.

    The first ``of_rate`` are the shares of the rate spent under usual schedules, the others those of a fall that bends.
    """

    heights: FloatArray
    slopes: FloatArray
    of_rate: int


@cache
def _shapes() -> _Shapes:
    """The shapes that are fitted, which no run changes."""
    spent = [_spent(warmup, schedule) for warmup in WARMUPS for schedule in (_level, _line, _cosine)]
    bent = [1.0 - (1.0 + speed * GRID) ** -power for speed in SPEEDS for power in POWERS]
    bent += [1.0 - np.exp(-rate * GRID) for rate in RATES]
    heights = np.stack([*spent, *bent])
    slopes = np.diff(heights, axis=1) / np.diff(GRID)
    return _Shapes(heights, np.pad(slopes, ((0, 0), (0, 1))), len(spent))


def _spent(warmup: float, schedule: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """The share of the rate spent under a linear warm-up and a schedule."""
    up = np.clip(GRID / warmup, 0.0, 1.0) if warmup else np.ones_like(GRID)
    late = np.clip((GRID - warmup) / (1.0 - warmup), 0.0, 1.0)
    total = np.cumsum(up * schedule(late))
    return np.asarray(total / total[-1])


def _level(late: FloatArray) -> FloatArray:
    return np.ones_like(late)


def _line(late: FloatArray) -> FloatArray:
    return 1.0 - late


def _cosine(late: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * late)))
