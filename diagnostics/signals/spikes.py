"""Sudden jumps of a series: where, how many, and whether it came back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import FloatArray
from diagnostics.signals.median import median, medians_of, sampled
from diagnostics.signals.memo import memoize
from diagnostics.signals.noise import MAD_TO_SIGMA, difference_noise, log_level

IntArray = NDArray[np.int64]

MAX_WINDOWS = 160
MAX_PER_WINDOW = 61
"""At most so many windows are evaluated, from at most so many values each: a diagnosis runs at every evaluation."""
MAX_PER_CUT_WINDOW = 511
"""The few windows that the ends of a series cut are evaluated from at most so many values."""
CONFIRMING_SCALES = 5.0
"""A confirming series jumps when it stands so many local scales out."""
POINTS_BEFORE = 3
"""A spike is compared with the lowest of so many points before it."""


@dataclass(frozen=True)
class Spikes:
    """The spikes of a series: their start indices, number over points, highest in local scales, share recovered."""

    starts: tuple[int, ...]
    score: float
    height: float
    recovered: float


NONE = Spikes((), 0.0, 0.0, 1.0)
"""What is said of a series without spikes."""


@memoize
def rolling_median(values: FloatArray, window: int) -> FloatArray:
    """The median over a window of so many points around every point, the same shape; cut where the series ends.

    Long series are evaluated at ``MAX_WINDOWS`` points, from ``MAX_PER_WINDOW`` evenly spaced values each, and
    interpolated.
    """
    half = min(window // 2, max(0, (values.size - 1) // 2))
    if half == 0:
        return values.copy()
    where = _windows(values.size, half)
    medians = np.empty(where.centers.size)
    medians[where.inner] = medians_of(values.take(where.places))
    # Missing values are sorted to the end; the median is that of the rest.
    ordered = np.sort(np.where(where.there, values.take(where.cut), np.inf), axis=1)
    count = where.there.sum(axis=1)
    rows = np.arange(count.size)
    medians[~where.inner] = (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
    return np.asarray(np.interp(np.arange(values.size), where.centers, medians), dtype=np.float64)


class _Windows(NamedTuple):
    """The windows over a series: their centers, which of them lie inside it, and the indices that they look at.

    ``places`` has a row for each window inside; ``cut`` one for each other, with ``there``: the index exists.
    """

    centers: IntArray
    inner: NDArray[np.bool_]
    places: IntArray
    cut: IntArray
    there: NDArray[np.bool_]


@lru_cache(maxsize=16)
def _windows(size: int, half: int) -> _Windows:
    """The windows of ``half`` points to either side; runs of one study have the same number of points."""
    centers = np.linspace(0, size - 1, MAX_WINDOWS).astype(np.int64) if size > MAX_WINDOWS else np.arange(size)
    inner = (centers >= half) & (centers < size - half)
    cut = centers[~inner, None] + _reach(half, MAX_PER_CUT_WINDOW)
    there = (cut >= 0) & (cut < size)
    return _Windows(
        centers, inner, centers[inner, None] + _reach(half, MAX_PER_WINDOW), np.clip(cut, 0, size - 1), there
    )


@lru_cache(maxsize=16)
def _reach(half: int, count: int) -> IntArray:
    """At most about ``count`` whole numbers from ``-half`` to ``half``, evenly spaced."""
    if 2 * half + 1 <= count:
        return np.arange(-half, half + 1)
    return np.unique(np.linspace(-half, half, count).round().astype(np.int64))


def window_for(size: int) -> int:
    """The odd window over which a curve of that many points is local: at least 11, else a twentieth."""
    return max(11, size // 20) | 1


@memoize
def local_residual(values: FloatArray) -> FloatArray:
    """Log loss minus its rolling median: the wiggle without trend and level."""
    logs = log_level(values)
    return logs - rolling_median(logs, window_for(values.size))


def spikes(
    values: FloatArray,
    *,
    deviations: float,
    height: float,
    least_climb: float = 0.0,
    confirming: FloatArray | None = None,
    allow_single: bool = False,
) -> Spikes:
    """The spikes of a loss: residuals above ``deviations`` local scales and above ``height``, in log loss.

    From the points right before it a spike must climb: by ``height`` too, for at the edge of the window a steep fall
    stands above its own median, and by ``least_climb`` in the values' unit, for near 0 a few noises are a multiple.

    A single point counts only when one of its two neighbors stands out too or a ``confirming`` series (the gradient
    norm at the same points) jumps with it: one odd batch is not a spike. With ``allow_single`` single points count all
    the same, for a series whose points are steps and not means over steps. Recovered: back within two noises of the
    level before it within 5 % of the points. After OLMo-core's stability monitor, with medians for means.
    """
    if values.size < 12:
        return NONE
    rest = local_residual(values)
    high = rest > height
    if not high.any():
        return NONE
    scale = local_scale(rest)
    out = (rest > deviations * scale) & high
    if not allow_single and out.any():
        out &= np.convolve(out, np.ones(3), mode="same") >= 2 if confirming is None else _accompanied(out, confirming)
    events = [
        event for event in _events(out, window_for(values.size) // 2) if _climbs(values, event, height, least_climb)
    ]
    if not events:
        return NONE
    flagged, starts = np.concatenate(events), tuple(int(event[0]) for event in events)
    tallest = float(np.max(rest[flagged] / np.maximum(scale[flagged], 1e-9)))
    back = sum(_recovers(log_level(values), s) for s in starts) / len(starts)
    return Spikes(starts, len(starts) / values.size, tallest, back)


@memoize
def local_scale(rest: FloatArray) -> FloatArray:
    """The robust scale of residuals around each point, never below a quarter of that of the whole series.

    Spikes point upwards. Where so many of them swell the scale that they are measured by, it is taken from the
    residuals below the median, and may shrink to half.
    """
    size = np.abs(rest - median(sampled(rest)))
    whole = MAD_TO_SIGMA * median(sampled(size))
    near = np.maximum(MAD_TO_SIGMA * rolling_median(size, 3 * window_for(rest.size)), 0.25 * whole)
    low = np.flatnonzero(rest <= 0.0)
    if low.size < 12:
        return near
    below = MAD_TO_SIGMA * rolling_median(-rest[low], 3 * window_for(rest.size) // 2)
    return np.asarray(np.clip(np.interp(np.arange(rest.size), low, below), 0.5 * near, near))


def _accompanied(out: np.ndarray, confirming: FloatArray) -> np.ndarray:
    """Which of the flagged points have a flagged neighbor or a jump of the gradient norm beside them."""
    rest = local_residual(confirming)
    jump = rest > CONFIRMING_SCALES * np.maximum(local_scale(rest), 1e-9)
    beside = np.convolve(jump, np.ones(3), mode="same") >= 1
    return np.asarray((np.convolve(out, np.ones(3), mode="same") >= 2) | beside)


def _events(out: np.ndarray, gap: int) -> list[IntArray]:
    """The flagged indices, one array an event; runs of flagged points closer than ``gap`` are one event."""
    flagged = np.flatnonzero(out)
    return np.split(flagged, np.flatnonzero(np.diff(flagged) > gap) + 1) if flagged.size else []


def _climbs(values: FloatArray, event: IntArray, height: float, least: float) -> bool:
    """Whether an event stands above the lowest of the few points before it: by ``height`` in logs, and by ``least``."""
    start = int(event[0])
    before = slice(max(0, start - POINTS_BEFORE), start)
    if start == 0:
        return False
    logs = log_level(values)
    climb = float(values[event].max() - values[before].min())
    return climb >= least and float(logs[event].max() - logs[before].min()) >= height


def _recovers(logs: FloatArray, start: int) -> bool:
    """Whether the series is back at its level before ``start`` within a twentieth of its length."""
    before = logs[max(0, start - 10) : start]
    if not before.size:
        return False
    reach = max(8, logs.size // 20)
    after = logs[start + 1 : start + 1 + reach]
    bound = median(before) + 2.0 * max(difference_noise(logs), 1e-9)
    return bool(after.size and after.min() <= bound)
