"""Whether a series has a trend. Every test works on block means.

On smoothed or autocorrelated series Mann-Kendall raises 26-66 % false alarms at a nominal 5 %; on means of
non-overlapping blocks it keeps 4-6 %.
"""

from __future__ import annotations

from collections import Counter
from math import erfc, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import FloatArray
from diagnostics.signals.median import median
from diagnostics.signals.memo import memoize

BLOCKS = 10
MIN_STRETCH = 5
"""A stretch of fewer values is too short for a plateau."""


class Trend(NamedTuple):
    """Direction (-1, 0, 1), two-sided p of Mann-Kendall, and total change in the values' unit."""

    direction: int
    p: float
    change: float


@memoize
def block_means(values: FloatArray, blocks: int = BLOCKS) -> FloatArray:
    """Means of ``blocks`` non-overlapping blocks of about equal size, shape (blocks,).

    A series with fewer values than blocks comes back as it is.
    """
    if values.size <= blocks:
        return values
    return means_from(values, np.arange(blocks) * values.size // blocks)


def means_from(values: FloatArray, starts: NDArray[np.intp]) -> FloatArray:
    """The means of the parts of a series that begin at ``starts`` (rising, the first 0)."""
    sizes = np.empty(starts.size)
    sizes[:-1] = starts[1:] - starts[:-1]
    sizes[-1] = values.size - starts[-1]
    return np.asarray(np.add.reduceat(values, starts) / sizes, dtype=np.float64)


def mann_kendall(values: FloatArray) -> tuple[int, float]:
    """The direction of a monotone trend (-1, 0, 1) and its two-sided p.

    Mann 1945 and Kendall 1975, with the normal approximation and ties corrected; 0 and 1 for fewer than three values.
    """
    n = values.size
    if n < 3:
        return 0, 1.0
    above = np.sign(values[None, :] - values[:, None])
    score = float(np.triu(above, 1).sum())
    ties = Counter(values.tolist()).values()
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18.0
    if variance <= 0.0 or score == 0.0:
        return 0, 1.0
    z = (abs(score) - 1.0) / sqrt(variance)
    return (1 if score > 0 else -1), float(erfc(z / sqrt(2.0)))


def theil_sen(values: FloatArray) -> float:
    """The median slope between all pairs of points, per index (Theil 1950, Sen 1968); 0 for fewer than two."""
    if values.size < 2:
        return 0.0
    first, last = np.triu_indices(values.size, 1)
    return median((values[last] - values[first]) / (last - first))


def trend(values: FloatArray, blocks: int = BLOCKS) -> Trend:
    """The trend of a series on its block means."""
    means = block_means(values, blocks)
    direction, p = mann_kendall(means)
    return Trend(direction, p, theil_sen(means) * max(0, means.size - 1))


def late_slope(steps: FloatArray, values: FloatArray, share: float = 0.25) -> tuple[float, float]:
    """The change per tenth of the run over its last ``share``, as a fraction of the level there, and its p."""
    first = steps[-1] - share * (steps[-1] - steps[0])
    late = values[steps >= first]
    level = abs(median(late)) if late.size else 0.0
    if late.size < 4 or level == 0.0:
        return 0.0, 1.0
    found = trend(late, min(BLOCKS, late.size))
    return found.change / level * (0.1 / share), found.p


def plateau(values: FloatArray) -> tuple[float, float]:
    """The size of a stretch's total change, as a fraction of its level, and the p of its trend.

    A plateau has a small change and a large p.
    """
    level = abs(median(values)) if values.size else 0.0
    if values.size < MIN_STRETCH or level == 0.0:
        return 0.0, 1.0
    found = trend(values)
    return abs(found.change) / level, found.p
