"""How a curve comes down: how far, how fast late in the run and before, and how sure each of these is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.preconditions import MIN_EVALS_FOR_END, MIN_EVALS_FOR_NOISE, MIN_POINTS_FOR_SCATTER, TREND_P
from diagnostics.model.curves import Curve, FloatArray

MANY_POINTS = 40
"""From this many points on, levels are taken on block means: at least four points in each of ten blocks."""
MIN_RATES_TO_SUM = 4
MIN_POINTS_FOR_TREND = 5
FALL_SIGMA = 3.0
"""A difference between two estimates of a fall, or the fall of a second half, counts from so many noises on."""
RISE_PARTS = 10
"""Training losses of single batches rise when the means of this many parts of the run do."""
MIN_LOSSES_FOR_RISE = 14


@signals.memoize
def uncertainty(curve: Curve) -> float:
    """The standard error of a curve's fall, as a share of its level.

    0 for a curve of fewer than ``MANY_POINTS``: each of its points is a mean over many steps.
    """
    if len(curve) < MANY_POINTS:
        return 0.0
    return signals.jitter(curve.values) * float(np.sqrt(2.0 / (0.1 * len(curve))))


@signals.memoize
def over_cumulative_lr(curve: Curve, learning_rate: Curve | None) -> Curve:
    """The curve over the cumulative learning rate (0 to 1) instead of steps, where the rate is logged and not all 0.

    A schedule that decays to 0 flattens any curve over steps; over the cumulative rate only a loss that has been
    learned flattens.
    """
    if learning_rate is None or len(learning_rate) < MIN_RATES_TO_SUM or not len(curve):
        return curve
    steps, rates = learning_rate.steps, np.maximum(learning_rate.values, 0.0)
    spent = np.concatenate([[0.0], np.cumsum(0.5 * (rates[1:] + rates[:-1]) * np.diff(steps))])
    if spent[-1] <= 0:
        return curve
    return Curve.from_points(np.interp(curve.steps, steps, spent / spent[-1]), curve.values)


@signals.memoize
def descent_of(curve: Curve) -> float:
    """How far a curve came down from its start to its lowest level, in its unit; 0 where it only rose."""
    values = curve.values
    level = signals.rolling_median(values, max(3, values.size // 20) | 1)
    return max(0.0, signals.head(values) - float(level.min()))


@signals.memoize
def fall_of(curve: Curve) -> float:
    """The share of its start that the curve lost; of many points the first tenth, unless it starts far above that."""
    values = curve.values
    fall = signals.progress(values)
    if values.size < MANY_POINTS:
        return fall
    steady = signals.progress(signals.block_means(values))
    return fall if abs(fall - steady) > FALL_SIGMA * uncertainty(curve) else steady


@signals.memoize
def late_share(curve: Curve) -> float:
    """The fall in the last quarter over that of a straight line, on block means where the curve has many points."""
    if len(curve) < MANY_POINTS:
        return signals.late_share(curve.steps, curve.values)
    steps, values = (signals.block_means(v, 20) for v in (curve.steps, curve.values))
    return signals.late_share(steps, np.concatenate([[signals.head(curve.values)], values[1:]]))


@signals.memoize
def late_error(curve: Curve, share: float = 0.25) -> float:
    """The standard error of ``late_share`` for a curve of few points, from the noise of the two levels it compares.

    0 for many points, whose late share is taken on block means.
    """
    values = curve.values
    total = signals.head(values) - signals.tail(values)
    if values.size >= MANY_POINTS or total <= 0:
        return 0.0
    levels = 1.0 + 1.0 / max(3 if values.size >= 12 else 1, round(0.1 * values.size))
    return float(signals.difference_noise(values) * np.sqrt(levels) / (share * total))


def pace_of(curve: Curve) -> float:
    """The fall in the last quarter of the run over that in the second quarter; infinite where only the last falls."""
    steps, values = curve.steps, curve.values
    at = steps[0] + (steps[-1] - steps[0]) * np.asarray([0.25, 0.5, 0.75])
    if values.size >= MANY_POINTS:
        reach = 0.05 * (steps[-1] - steps[0])
        quarters = [signals.median(values[np.abs(steps - x) <= reach]) for x in at]
    else:
        quarters = [float(v) for v in np.interp(at, steps, values)]
    second = quarters[0] - quarters[1]
    late = quarters[2] - signals.tail(values)
    return late / second if second > 0 else (np.inf if late > 0 else 0.0)


@signals.memoize
def falls_late(curve: Curve) -> bool:
    """Whether the second half of the curve falls by more than its noise.

    Where each of a few evaluations is the lowest so far, what looks like noise is the bend of the curve.
    """
    if MIN_POINTS_FOR_TREND <= len(curve) < MANY_POINTS and np.all(np.diff(curve.values) < 0):
        return True
    values = curve.values[curve.values.size // 2 :]
    direction, p = signals.mann_kendall(signals.block_means(values))
    drop = signals.median(values[: max(1, values.size // 10)]) - signals.tail(values)
    certain = values.size < MIN_POINTS_FOR_TREND or p < TREND_P
    error = float(np.sqrt(2.0 / max(1.0, 0.2 * values.size))) if values.size >= MIN_POINTS_FOR_SCATTER else 1.0
    return direction < 0 and certain and drop > FALL_SIGMA * error * signals.difference_noise(values)


@dataclass(frozen=True)
class RiseLimits(Arguments):
    """How far a loss must rise above its lowest value so far for the rise to be real."""

    max_rise: float
    """The rise, as a share of the loss's start..."""
    sigma: float
    """... on top of so many noises of the loss."""

    def exceeded(self, values: FloatArray, noise: float) -> bool:
        """Whether the values, each with this noise, rise further."""
        return signals.largest_rise(values) > self.max_rise * abs(float(values[0])) + self.sigma * noise


def has_risen(train_loss: Curve, eval_loss: Curve | None, limits: RiseLimits) -> bool:
    """Whether the held-out loss, or without one the training loss in means of parts of the run, rose on its way.

    The noise of the training loss is that of its second half: in the first half a high rate may have scattered it.
    """
    if eval_loss is not None and len(eval_loss) >= MIN_EVALS_FOR_END:
        values = eval_loss.values
        return limits.exceeded(values, signals.difference_noise(values) if len(values) >= MIN_EVALS_FOR_NOISE else 0.0)
    values = train_loss.values
    if values.size < MIN_LOSSES_FOR_RISE:
        return False
    parts = signals.block_means(values, RISE_PARTS)
    noise = signals.difference_noise(values[values.size // 2 :]) * float(np.sqrt(2.0 * parts.size / values.size))
    return limits.exceeded(parts, noise)
