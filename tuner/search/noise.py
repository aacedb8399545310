"""Differences that mean nothing: between the evaluations of a run, and between two trials."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from tuner.search.trial_view import TrialView

RELATIVE_NOISE_FLOOR = 0.003
"""A difference below 0.3 % is noise until seeds say otherwise."""
MIN_EVALS_FOR_NOISE = 8


def evaluation_noise(curve: Curve | None) -> float:
    """The standard deviation of a metric's evaluations late in the run, 0 when it moves one way or has too few.

    From third differences, which a smooth descent hardly has: their deviation is sqrt(20) times that of the noise.
    It is the smaller of the estimates from the last half and from the last five points: even a steep descent has some.
    """
    if curve is None or len(curve) < MIN_EVALS_FOR_NOISE:
        return 0.0
    half = curve.values[-max(6, len(curve) // 2) :]
    if len(set(np.sign(np.diff(half)))) == 1:
        return 0.0
    return min(_deviation(half), _deviation(half[-5:]))


def _deviation(values: FloatArray) -> float:
    """The standard deviation of the noise, robust against outliers, from the median of the third differences."""
    return float(1.4826 * np.median(np.abs(np.diff(values, n=3))) / np.sqrt(20))


def beyond_noise(better: TrialView, worse: TrialView) -> bool:
    """Whether ``better`` beats ``worse`` by more than 0.3 % and more than twice the noise of a curve or of seeds."""
    if better.loss is None or worse.loss is None:
        return False
    return worse.loss - better.loss > noise_between(better, worse)


def noise_between(*trials: TrialView) -> float:
    """The largest difference between these trials' losses that means nothing."""
    level = max((abs(t.loss) for t in trials if t.loss is not None), default=0.0)
    return max(RELATIVE_NOISE_FLOOR * level, 2 * max((max(t.noise, t.stderr) for t in trials), default=0.0))
