"""How a curve comes down: how far, how fast late in the run and before, and how sure each of these is."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.model.curves import Curve, FloatArray

MANY = 40
"""From so many points on levels are taken on block means: four and more of them in each of ten blocks."""


@signals.memoize
def uncertainty(curve: Curve) -> float:
    """The standard error of the fall of a noisy curve; 0 for short ones, whose every point is a mean of many steps."""
    if len(curve) < MANY:
        return 0.0
    return signals.jitter(curve.values) * float(np.sqrt(2.0 / (0.1 * len(curve))))


@signals.memoize
def over_dose(curve: Curve, learning_rate: Curve | None) -> Curve:
    """The curve over the sum of the learning rates instead of steps, where the rate is logged and not always 0.

    A schedule that decays to 0 flattens any curve over steps; over the dose only a loss that is learned flattens.
    """
    if learning_rate is None or len(learning_rate) < 4 or not len(curve):
        return curve
    steps, rates = learning_rate.steps, np.maximum(learning_rate.values, 0.0)
    spent = np.concatenate([[0.0], np.cumsum(0.5 * (rates[1:] + rates[:-1]) * np.diff(steps))])
    if spent[-1] <= 0:
        return curve
    dose = np.interp(curve.steps, steps, spent / spent[-1])
    return Curve.from_points(dose, curve.values)


@signals.memoize
def fall_of(curve: Curve) -> float:
    """The share of its start that the curve lost; of many points the first tenth, unless it starts far above that."""
    values = curve.values
    fall = signals.progress(values)
    if values.size < MANY:
        return fall
    steady = signals.progress(signals.block_means(values))
    return fall if abs(fall - steady) > 3.0 * uncertainty(curve) else steady


@signals.memoize
def late_share(curve: Curve) -> float:
    """The late share of a curve, on block means where it has many points."""
    if len(curve) < MANY:
        return signals.late_share(curve.steps, curve.values)
    steps, values = (signals.block_means(v, 20) for v in (curve.steps, curve.values))
    return signals.late_share(steps, np.concatenate([[signals.head(curve.values)], values[1:]]))


@signals.memoize
def late_error(curve: Curve, share: float = 0.25) -> float:
    """The standard error of the late share of a curve of few points, from the noise of the two levels it compares.

    0 for many points, whose late share is taken on block means.
    """
    values = curve.values
    total = signals.head(values) - signals.tail(values)
    if values.size >= MANY or total <= 0:
        return 0.0
    levels = 1.0 + 1.0 / max(3 if values.size >= 12 else 1, round(0.1 * values.size))
    return float(signals.difference_noise(values) * np.sqrt(levels) / (share * total))


def pace_of(curve: Curve) -> float:
    """The fall in the last quarter of the run over that in the second quarter."""
    steps, values = curve.steps, curve.values
    at = steps[0] + (steps[-1] - steps[0]) * np.asarray([0.25, 0.5, 0.75])
    if values.size >= MANY:
        reach = 0.05 * (steps[-1] - steps[0])
        quarters = [float(np.median(values[np.abs(steps - x) <= reach])) for x in at]
    else:
        quarters = [float(v) for v in np.interp(at, steps, values)]
    second = quarters[0] - quarters[1]
    late = quarters[2] - signals.tail(values)
    return late / second if second > 0 else (np.inf if late > 0 else 0.0)


@signals.memoize
def falls_late(curve: Curve) -> bool:
    """Whether the second half of the curve falls, beyond its noise.

    Of a few evaluations each of which is the lowest so far, what looks like noise is the bend of the curve.
    """
    if 5 <= len(curve) < MANY and np.all(np.diff(curve.values) < 0):
        return True
    values = curve.values[curve.values.size // 2 :]
    direction, p = signals.mann_kendall(signals.block_means(values))
    drop = float(np.median(values[: max(1, values.size // 10)]) - signals.tail(values))
    certain = values.size < 5 or p < 0.1
    error = float(np.sqrt(2.0 / max(1.0, 0.2 * values.size))) if values.size >= 20 else 1.0
    return direction < 0 and certain and drop > 3.0 * error * signals.difference_noise(values)


PARTS, LEAST = 10, 14
"""Single training losses are asked whether they rose in means of so many parts of the run, from so many logs on."""


def has_risen(train_loss: Curve, eval_loss: Curve | None, limit: float, noises: float) -> bool:
    """Whether a loss rose above its lowest so far by ``limit`` of its start and by so many noises.

    The held-out loss where it was logged, else, in means of parts of the run, the training loss. Its noise is that of
    the second half: in the first the rate may have thrown it about.
    """
    if eval_loss is not None and len(eval_loss) >= 3:
        values = eval_loss.values
        noise = signals.difference_noise(values) if len(values) >= 8 else 0.0
        return _climb(values) > limit * abs(float(values[0])) + noises * noise
    values = train_loss.values
    if values.size < LEAST:
        return False
    parts = signals.block_means(values, PARTS)
    noise = signals.difference_noise(values[values.size // 2 :]) * float(np.sqrt(2.0 * parts.size / values.size))
    return _climb(parts) > limit * abs(float(parts[0])) + noises * noise


def _climb(values: FloatArray) -> float:
    """The largest rise of a series above its lowest value so far."""
    return float(np.max(values - np.minimum.accumulate(values)))
