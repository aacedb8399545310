"""The form: the metric at a run's end as a function of its settings.

What a run learns grows with rate x number of updates until it has learned all (``L``), and the edge of stability ends
it (``E``). The optimum is no parameter: it follows from the two, so it moves with batch and beta as they do.

    y = level - L E (depth (1 - excess s^2) + shifts of the depth) + (bad - plateau depth) (1 - E)
    L = sigmoid(ln 10 / width (x - start + shifts of the descent))
    E = sigmoid(-ln 10 / sharpness (x - start - gap - shifts of the edge))
    s = decades above one width past the start of the descent: what a rate costs that is higher than it need be
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.search.run_model.features import COORDINATES, Points

LEVEL, DEPTH, CENTER, WIDTH, GAP, SHARPNESS, EXCESS, BAD, PLATEAU, SIGMA, MISFIT = range(11)
"""The columns of a table of parameters; depth, width, sharpness, excess, the noise sigma and the misfit are logarithms,
the plateau is a logit."""
FIRST_SHIFT = 11
"""Then three for each coordinate: how it shifts the descent, the edge (both in decades), and the depth."""
SIZE = FIRST_SHIFT + 3 * len(COORDINATES)
CENTER_SHARE = 0.7
"""The center, which is nearest to what a user picks, lies this share of the gap above the start of the descent."""
LN10 = float(np.log(10))
NEWTON_ROUNDS = 5
HALF = 0.5
"""Decades between the rungs of a ladder of rates."""
LARGEST = 300.0
"""The argument of a hyperbolic sine that a float still holds."""


@dataclass(frozen=True)
class Lines:
    """Where the descent and the edge lie in decades, and how steep they are; rows of parameters x points.

    ``excess`` is the share of the depth that a squared decade too much costs.
    """

    descent: FloatArray
    edge: FloatArray
    rise: FloatArray
    fall: FloatArray
    excess: FloatArray

    @cached_property
    def best(self) -> FloatArray:
        """The best rate in decades: where what more rate brings equals what it breaks, or costs."""
        return self._balanced(self.rise, self.fall)

    @cached_property
    def best_of_ladder(self) -> FloatArray:
        """The rate in decades from which half a decade up and half a decade down end alike.

        That is what a ladder of half decades shows for the best (its three lowest ends put on a parabola), and it lies
        below ``best`` where the edge is steeper than the descent.
        """
        return self._balanced(*(np.sinh(np.minimum(HALF * one, LARGEST)) / HALF for one in (self.rise, self.fall)))

    def _balanced(self, gained: FloatArray, broken: FloatArray) -> FloatArray:
        """Where a step up gains as much as it loses, as shares of what is left to learn and of what is broken."""
        both = self.rise + self.fall
        below_edge = (np.log(gained / broken) + self.rise * self.descent + self.fall * self.edge) / both
        # Near the end of the descent exp(-rise (x - descent)) of the depth is still to be learned. That pays for the
        # excess until s exp(rise s) = gained / (20 excess).
        paid = self.descent + (LN10 + _product_log(self.rise * gained / (20 * self.excess))) / self.rise
        return np.asarray(np.minimum(below_edge, paid))


def lines(parameters: FloatArray, z: FloatArray) -> Lines:
    """The descent and the edge at coordinates ``z`` (points x ``COORDINATES``) for each row of parameters."""
    start = parameters[:, CENTER] - CENTER_SHARE * parameters[:, GAP]
    shifts = parameters[:, FIRST_SHIFT:].reshape(len(parameters), 3, len(COORDINATES))
    descent = start[:, None] - shifts[:, 0] @ z.T
    edge = (start + parameters[:, GAP])[:, None] + shifts[:, 1] @ z.T
    rise, fall = LN10 / np.exp(parameters[:, WIDTH]), LN10 / np.exp(parameters[:, SHARPNESS])
    return Lines(descent, edge, rise[:, None], fall[:, None], np.exp(parameters[:, EXCESS, None]))


def mean(parameters: FloatArray, points: Points, at: Lines | None = None) -> FloatArray:
    """The metric of every point (columns) for every row of parameters."""
    at = at or lines(parameters, points.z)
    learned = _sigmoid(at.rise * (points.x - at.descent))
    stable = _sigmoid(-at.fall * (points.x - at.edge))
    deeper = parameters[:, FIRST_SHIFT + 2 * len(COORDINATES) :] @ points.z.T
    over = np.maximum(points.x - at.descent - LN10 / at.rise, 0.0)
    depth = np.exp(parameters[:, DEPTH, None]) * np.maximum(1 - at.excess * over**2, 0.0) + deeper
    level, bad = parameters[:, LEVEL, None], parameters[:, BAD, None]
    past = bad - np.exp(parameters[:, DEPTH, None]) * _sigmoid(parameters[:, PLATEAU, None])
    return np.asarray(level - learned * stable * depth + past * (1 - stable))


def _sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)))


def _product_log(values: FloatArray) -> FloatArray:
    """The w with w exp(w) = value, for values of 0 and more (Lambert's function), by Newton's method."""
    found = np.log1p(values)
    for _ in range(NEWTON_ROUNDS):
        found = found - (found - values * np.exp(-found)) / (1 + found)
    return np.asarray(found)
