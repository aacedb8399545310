"""Steps below 0: a count that was logged with the wrong sign, or damage."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import FloatArray


def without_negatives(steps: FloatArray) -> FloatArray:
    """The steps in the order they were logged, those below 0 as nan; unchanged where they never fall.

    Where they count down from 0 or below, they are counted up instead: sorted, such a log would run backward.
    """
    if not (steps < 0).any():
        return steps
    known = steps[np.isfinite(steps)]
    change = np.diff(known)
    if (change >= 0).all():
        return steps
    if (known <= 0).all() and (change <= 0).all():
        return np.abs(steps)
    return np.where(steps < 0, np.nan, steps)
