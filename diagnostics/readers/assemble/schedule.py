"""The planned length of a run, from a learning rate that decays to 0, and its warm-up, from one that rises first."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import Curve, FloatArray

MIN_RATES = 12
"""The fewest logged rates from the peak on."""

MIN_RISING, MAX_START = 2, 0.7
"""A warm-up is seen in so many rising rates, of which the first is at most this share of the peak."""

MAX_DEVIATION = 0.01
"""The largest deviation of a rate from the schedule, as a share of the peak."""


def planned_steps(learning_rate: Curve) -> float | None:
    """The step at which a linear or cosine decay from the peak will reach 0; None for other rates.

    Other decays (exponential, in stairs, to a floor) show no end, and a rate near 0 needs none.
    """
    rates, steps = learning_rate.values, learning_rate.steps
    if len(learning_rate) < MIN_RATES or rates.max() <= 0:
        return None
    # A warm-up that ends, or a level stretch: the decay begins where the peak was seen last.
    start = len(learning_rate) - 1 - int(np.argmax(rates[::-1]))
    share, along = rates[start:] / rates[start], steps[start:] - steps[start]
    if share.size < MIN_RATES or not 0.02 < share[-1] < 0.98 or not (np.diff(share) < 0).all():
        return None
    for form, inverse in ((_linear, _linear_at), (_cosine, _cosine_at)):
        length = along[-1] / inverse(float(share[-1]))
        if np.abs(form(along / length) - share).max() <= MAX_DEVIATION:
            return float(steps[start] + length)
    return None


def warmup_steps(learning_rate: Curve) -> float | None:
    """The steps over which the rate rises in a straight line from near 0 to its peak; None when it does not.

    They follow from the slope, for the peak itself may lie between two logged steps.
    """
    rates, steps = learning_rate.values, learning_rate.steps
    top = int(np.argmax(rates)) if rates.size else 0
    if top < MIN_RISING or rates[0] < 0 or rates[0] > MAX_START * rates[top] or top == rates.size - 1:
        return None
    rising, along = rates[: top + 1], steps[: top + 1]
    slope = float((rising[top - 1] - rising[0]) / (along[top - 1] - along[0]))
    straight = rising[0] + slope * (along - along[0])
    if slope <= 0 or np.abs(straight - rising)[:-1].max() > MAX_DEVIATION * rates[top]:
        return None
    start = float(along[0] - rising[0] / slope)
    length = float(rates[top] / slope)
    reached = start + length
    return length if along[top - 1] <= reached <= 1.1 * along[top] and abs(start) <= max(2.0, 0.1 * length) else None


def _linear(done: FloatArray) -> FloatArray:
    return 1.0 - done


def _linear_at(share: float) -> float:
    return 1.0 - share


def _cosine(done: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * done)), dtype=np.float64)


def _cosine_at(share: float) -> float:
    return float(np.arccos(2.0 * share - 1.0) / np.pi)
