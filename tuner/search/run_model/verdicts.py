"""What the verdict on a run says of its rate: where it stands by its curves, and on which side of the edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.rate_estimate import OFFSETS, SPACING
from tuner.search.proposal import RATE, target_value
from tuner.search.run_model.form import Lines
from tuner.search.trial_view import TrialView

UP_AT_MOST, UP_BELOW, UP_WIDTH = 0.86, -1.2, 0.24
"""A rate more than a decade below the best is called too low in 86 % of the runs; the change takes a quarter decade."""
DOWN_ABOVE, DOWN_WIDTH = 0.46, 0.09
"""A rate called too high, or that diverged, lies half a decade above the best; the change is sharp."""
OUTLIERS, MISSED = 0.03, 0.002
"""The share of verdicts on the rate that are wrong, and of runs past the edge in which no rule sees anything."""
ALIKE = 0.4
"""The share of a verdict's error that all runs of a study have in common: n of them count as n / (1 + (n - 1) ALIKE).
So much it is on five tables that the estimate of the rate was not fitted on."""
ASTRAY = 0.1
"""The share of runs whose estimate says nothing."""


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on some runs.

    ``sides`` is +1 where the rate is called too low, -1 where it is called too high or the run diverged, 0 where it
    is healthy, nan where the verdict is on something else. ``estimates`` (runs x ``OFFSETS``) are log densities of
    log10(rate / best rate), 0 where there is none; ``estimated`` marks the others.
    """

    sides: FloatArray
    estimates: FloatArray
    estimated: np.ndarray

    @classmethod
    def of(cls, trials: Sequence[TrialView]) -> Verdicts:
        """What the verdicts on these trials say."""
        estimated = np.array([trial.rate is not None for trial in trials], bool)
        estimates = np.zeros((len(trials), len(OFFSETS)))
        for row, trial in enumerate(trials):
            if trial.rate is not None:
                estimates[row] = np.log((1 - ASTRAY) * trial.rate.alone.density + ASTRAY / len(OFFSETS))
        return cls(np.array([side_of(trial) for trial in trials], float), estimates, estimated)

    def log_likelihood(self, x: FloatArray, at: Lines) -> FloatArray:
        """The log-likelihood of all verdicts together at rates ``x``, for each row of parameters."""
        return np.asarray(self._of_sides(x, at) + self._of_estimates(x, at))

    def _of_sides(self, x: FloatArray, at: Lines) -> FloatArray:
        # Verdicts follow the estimate, whose best rate is that of a ladder of half decades (`benchmarks.rate`).
        off = x - at.best_of_ladder
        up = UP_AT_MOST * _sigmoid((UP_BELOW - off) / UP_WIDTH)
        down = _sigmoid((off - DOWN_ABOVE) / DOWN_WIDTH)
        # A rate above the best but below the edge may look healthy; nobody misses one that lets little be learned.
        healthy = (1 - up) * _sigmoid(-at.fall * (x - at.edge))
        chance = np.where(self.sides == 0, healthy, np.where(self.sides > 0, up, down))
        astray = np.where(self.sides == 0, MISSED, OUTLIERS)
        known = np.log(astray / np.where(self.sides == 0, 1, 2) + (1 - astray) * chance)
        return self._together(known, ~np.isnan(self.sides))

    def _of_estimates(self, x: FloatArray, at: Lines) -> FloatArray:
        nearest = np.rint((x - at.best_of_ladder - OFFSETS[0]) / SPACING).astype(int).clip(0, len(OFFSETS) - 1)
        return self._together(self.estimates[np.arange(len(x)), nearest], self.estimated)

    @staticmethod
    def _together(each: FloatArray, said: np.ndarray) -> FloatArray:
        """What those runs that say something say together, as far as they do not say the same."""
        return np.asarray(each[:, said].sum(axis=1) / (1 + max(int(said.sum()) - 1, 0) * ALIKE))


def side_of(trial: TrialView) -> float:
    """+1 where the verdict says that the rate is too low, -1 where it is too high or the run diverged, else 0.

    Nan without a verdict, and where it is on something else.
    """
    if trial.diverged or trial.label is None:
        return -1.0 if trial.diverged else math.nan
    advice = next((one for one in trial.advice if one.knob == RATE), None)
    target, now = None if advice is None else target_value(advice, trial), trial.settings.get(RATE)
    if not (isinstance(target, (int, float)) and isinstance(now, (int, float))):
        return 0.0 if trial.label == "healthy" else math.nan
    return float(np.sign(target - now))


def _sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)))
