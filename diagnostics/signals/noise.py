"""How much a series scatters, whatever its trend."""

from __future__ import annotations

import numpy as np

from diagnostics.curves import FloatArray

MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of a normal sample times this is its standard deviation."""


def robust_scale(values: FloatArray) -> float:
    """The standard deviation of the bulk of the values (1.4826 x MAD); 0 for fewer than two."""
    if values.size < 2:
        return 0.0
    return float(MAD_TO_SIGMA * np.median(np.abs(values - np.median(values))))


def difference_noise(values: FloatArray) -> float:
    """The standard deviation of white noise on top of any smooth trend; 0 for fewer than three values.

    The smaller of the estimates from first and from second differences: both are right for noise, and on a short
    curved series the first differences hold the curve as well.
    """
    if values.size < 3:
        return 0.0
    first = robust_scale(np.diff(values)) / np.sqrt(2.0)
    if values.size < 5:
        return float(first)
    second = MAD_TO_SIGMA * float(np.median(np.abs(np.diff(values, 2)))) / np.sqrt(6.0)
    return float(min(first, second))


def log_level(values: FloatArray, floor: float = 0.05) -> FloatArray:
    """The logarithm of a loss, made gentle near zero: log(L + ``floor`` x its typical early size).

    Multiplying the loss by a constant shifts the result and changes nothing else, and a loss that goes to zero (DPO)
    does not turn its last noise into swings. Zeros for a series without size.
    """
    if not values.size:
        return values
    shifted = values - min(0.0, float(values.min()))
    size = float(np.median(shifted[: max(1, values.size // 10)])) or float(shifted.max())
    if size <= 0.0:
        return np.zeros_like(values)
    return np.asarray(np.log(shifted / size + floor), dtype=np.float64)
