"""How much a series scatters around its trend."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.signals.median import MAX_SAMPLE, median, sampled
from diagnostics.signals.memo import memoize

MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of a normal sample times this is its standard deviation."""

MOST_DIGITS = 8


def robust_scale(values: FloatArray) -> float:
    """The standard deviation of the bulk of the values (1.4826 x MAD), in their unit; 0 for fewer than two."""
    if values.size < 2:
        return 0.0
    some = sampled(values)
    return MAD_TO_SIGMA * median(np.abs(some - median(some)))


@memoize
def difference_noise(values: FloatArray) -> float:
    """The standard deviation of white noise on top of any smooth trend, in the values' unit; 0 for fewer than three.

    The smaller of the estimates from first and from second differences: both are right for noise, and on a short
    curved series the first differences hold the curve as well.
    """
    if values.size < 3:
        return 0.0
    first = robust_scale(_differences(values, 1)) / np.sqrt(2.0)
    if values.size < 5:
        return float(first)
    second = MAD_TO_SIGMA * median(np.abs(_differences(values, 2))) / np.sqrt(6.0)
    return float(min(first, second))


def _differences(values: FloatArray, order: int) -> FloatArray:
    """The first or second differences of neighboring values, at evenly spaced places where there are very many."""
    if values.size <= MAX_SAMPLE:
        moves = values[1:] - values[:-1]
        return moves if order == 1 else moves[1:] - moves[:-1]
    at = np.linspace(0, values.size - 1 - order, MAX_SAMPLE).astype(np.int64)
    first = values[at + 1] - values[at]
    return first if order == 1 else values[at + 2] - values[at + 1] - first


@memoize
def log_level(values: FloatArray, floor: float = 0.05) -> FloatArray:
    """The logarithm of a loss, flattened near zero: log(loss / early size + ``floor``), the same shape.

    Multiplying the loss by a constant shifts the result and changes nothing else, and a loss that goes to zero (DPO)
    does not turn its last noise into swings. Zeros for a series without size.
    """
    if not values.size:
        return values
    shifted = values - min(0.0, float(values.min()))
    size = median(sampled(shifted[: max(1, values.size // 10)])) or float(shifted.max())
    if size <= 0.0:
        return np.zeros_like(values)
    return np.asarray(np.log(shifted / size + floor), dtype=np.float64)


@memoize
def rounding(values: FloatArray) -> float:
    """The step to which the last value is rounded, as far as the way all of them are written tells; 0 beyond 8 digits.

    Programs write a fixed number of decimals or of digits: 0.001 after 1.125 and 1.25, 0.1 after 0.012 and 2.3.
    """
    if not values.size:
        return 0.0
    size = np.abs(values)
    last = float(10.0 ** np.floor(np.log10(size[-1]))) if size[-1] > 0.0 else 0.0
    places = 10.0 ** np.floor(np.log10(np.where(size > 0.0, size, 1.0)))
    decimals = next((d for d in range(MOST_DIGITS) if _on_grid(values, 10.0**-d)), None)
    digits = next((d for d in range(MOST_DIGITS) if _on_grid(values, places * 10.0**-d)), None)
    return max(0.0 if decimals is None else 10.0**-decimals, 0.0 if digits is None else last * 10.0**-digits)


def _on_grid(values: FloatArray, step: FloatArray | float) -> bool:
    """Whether every value is a multiple of its step."""
    return bool(np.all(np.abs(values - step * np.round(values / step)) <= 1e-9 * np.abs(values)))
