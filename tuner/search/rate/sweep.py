"""The learning rates tried with the same other settings, in decades, and the parabola through their losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BELOW_DIVERGED = 0.301
"""Decades. No rate above half of one that diverged is tried."""


@dataclass(frozen=True)
class LrSweep:
    """The rates tried with the same other settings, in the order of their trials, and the bounds of the search.

    ``points`` are positions, as decimal logarithms of the rate, and losses (lower is better). ``low`` and ``high`` are
    the ends of the space; ``divergence_bound`` is the lowest position that diverged, or None; ``noise`` is the largest
    difference in loss that means nothing; ``pending`` holds positions that are being tried right now.
    """

    points: Sequence[tuple[float, float]]
    low: float
    high: float
    divergence_bound: float | None = None
    noise: float = 0.0
    pending: Sequence[float] = ()

    @property
    def top(self) -> float:
        """The highest position that may be tried."""
        return self.high if self.divergence_bound is None else min(self.high, self.divergence_bound - BELOW_DIVERGED)

    @property
    def best(self) -> float:
        """The position of the lowest loss."""
        return min(self.points, key=lambda point: point[1])[0]

    def nearest(self, direction: int) -> float | None:
        """The tried position next to the best one, above (+1) or below (-1)."""
        beyond = [x for x, _ in self.points if (x - self.best) * direction > 1e-9]
        return min(beyond, key=lambda x: abs(x - self.best), default=None)

    def loss(self, position: float) -> float:
        """The lowest loss measured at a position."""
        return min(value for x, value in self.points if x == position)


def heights(sweep: LrSweep, positions: Sequence[float]) -> list[float]:
    """The losses at these positions, as logarithms where all are above 0."""
    losses = [sweep.loss(x) for x in positions]
    return [float(np.log(loss)) for loss in losses] if is_logarithmic(sweep, positions) else losses


def parabola(sweep: LrSweep) -> tuple[float, float, float, Sequence[float]] | None:
    """Curvature, slope and level at the best point of a parabola through three tried points, and these points."""
    ordered = sorted({x for x, _ in sweep.points})
    if len(ordered) < 3:
        return None
    middle = min(max(ordered.index(sweep.best), 1), len(ordered) - 2)
    three = ordered[middle - 1 : middle + 2]
    curve, slope, level = np.polyfit(np.subtract(three, sweep.best), heights(sweep, three), 2)
    return float(curve), float(slope), float(level), three


def is_logarithmic(sweep: LrSweep, positions: Sequence[float]) -> bool:
    """Whether losses are compared by their logarithms: over decades of the rate one may fall a hundredfold."""
    return all(sweep.loss(x) > 0 for x in positions)
