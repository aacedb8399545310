"""What the verdict on a run says of its rate: how likely it is, by where the rate lies to the best one and the edge."""

from __future__ import annotations

import math

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.search.proposal import RATE, target_value
from tuner.search.run_model.form import Lines
from tuner.search.trial_view import TrialView

UP_AT_MOST, UP_BELOW, UP_WIDTH = 0.86, -1.2, 0.24
"""A rate more than a decade below the best is called too low in 86 % of the runs; the change takes a quarter decade."""
DOWN_ABOVE, DOWN_WIDTH = 0.46, 0.09
"""A rate called too high, or that diverged, lies half a decade above the best; the change is sharp."""
OUTLIERS, MISSED = 0.03, 0.002
"""The share of verdicts on the rate that are wrong, and of runs past the edge in which no rule sees anything."""


def side_of(trial: TrialView) -> float:
    """+1 where the verdict says that the rate is too low, -1 where it is too high or the run diverged, else 0.

    Nan without a verdict.
    """
    if trial.diverged or trial.label is None:
        return -1.0 if trial.diverged else math.nan
    advice = next((one for one in trial.advice if one.knob == RATE), None)
    target, now = None if advice is None else target_value(advice, trial), trial.settings.get(RATE)
    if not (isinstance(target, (int, float)) and isinstance(now, (int, float))):
        return 0.0
    return float(np.sign(target - now))


def log_likelihood(x: FloatArray, at: Lines, sides: FloatArray) -> FloatArray:
    """The log-likelihood of all verdicts together at rates ``x``, for each row of parameters."""
    up = UP_AT_MOST * _sigmoid((UP_BELOW - (x - at.best)) / UP_WIDTH)
    down = _sigmoid((x - at.best - DOWN_ABOVE) / DOWN_WIDTH)
    # A rate above the best but below the edge may look healthy; nobody misses one that lets little be learned.
    healthy = (1 - up) * _sigmoid(-at.fall * (x - at.edge))
    chance = OUTLIERS / 2 + (1 - OUTLIERS) * np.where(sides > 0, up, down)
    known = np.log(np.where(sides == 0, MISSED + (1 - MISSED) * healthy, chance))
    return np.asarray(np.where(np.isnan(sides), 0.0, known).sum(axis=1))


def _sigmoid(values: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)))
