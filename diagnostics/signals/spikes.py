"""Sudden jumps of a series: where, how many, and whether it came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diagnostics.curves import FloatArray
from diagnostics.signals.noise import MAD_TO_SIGMA, difference_noise, log_level

IntArray = NDArray[np.int64]

CENTRES = 160
SAMPLES = 61
"""At most so many windows are evaluated, from at most so many values each: diagnosing runs at every evaluation."""


@dataclass(frozen=True)
class Spikes:
    """The spikes of a series: start indices, share of points, highest jump in units of noise, share recovered."""

    starts: tuple[int, ...]
    score: float
    height: float
    recovered: float


def rolling_median(values: FloatArray, window: int) -> FloatArray:
    """The median over a window around every point, which is cut where the series ends.

    Long series are evaluated at ``CENTRES`` points, from ``SAMPLES`` evenly spaced values each, and interpolated.
    """
    half = min(window // 2, max(0, (values.size - 1) // 2))
    if half == 0:
        return values.copy()
    centres = np.unique(np.linspace(0, values.size - 1, min(values.size, CENTRES)).astype(int))
    reach = np.unique(np.linspace(-half, half, min(2 * half + 1, SAMPLES)).round().astype(int))
    inner = (centres >= half) & (centres < values.size - half)
    medians = np.empty(centres.size)
    medians[inner] = np.median(values[centres[inner, None] + reach], axis=1)
    medians[~inner] = _cut_medians(values, centres[~inner], half)
    return np.asarray(np.interp(np.arange(values.size), centres, medians), dtype=np.float64)


def _cut_medians(values: FloatArray, centres: IntArray, half: int) -> FloatArray:
    """The medians over the windows that reach beyond the series, of the values that are there."""
    places = centres[:, None] + np.arange(-half, half + 1)
    there = (places >= 0) & (places < values.size)
    # What is not there is sorted to the end; the middle is taken of the rest.
    ordered = np.sort(np.where(there, values[np.clip(places, 0, values.size - 1)], np.inf), axis=1)
    count = there.sum(axis=1)
    rows = np.arange(centres.size)
    return np.asarray((ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2, dtype=np.float64)


def window_for(size: int) -> int:
    """The odd window over which a curve of that many points is local: at least 11, else a twentieth."""
    return max(11, size // 20) | 1


def local_residual(values: FloatArray, window: int | None = None) -> FloatArray:
    """Log loss minus its rolling median: the wiggle that is left when trend and level are gone."""
    logs = log_level(values)
    return logs - rolling_median(logs, window or window_for(values.size))


def spikes(values: FloatArray, *, deviations: float, height: float, company: FloatArray | None = None) -> Spikes:
    """The spikes of a loss: residuals above ``deviations`` local scales and above ``height`` (in log loss).

    A single point counts only when another of its two neighbours stands out too or ``company`` (the gradient norm at
    the same points) jumps with it: one odd batch is no spike. Recovered: back within two noises of the level before
    it within 5 % of the points. After OLMo-core's stability monitor, with medians for means.
    """
    if values.size < 12:
        return Spikes((), 0.0, 0.0, 1.0)
    rest = local_residual(values)
    scale = local_scale(rest)
    out = (rest > deviations * scale) & (rest > height)
    out &= np.convolve(out, np.ones(3), mode="same") >= 2 if company is None else _accompanied(out, company)
    starts = _starts(out, window_for(values.size) // 2)
    if not starts:
        return Spikes((), 0.0, 0.0, 1.0)
    tallest = float(np.max(rest[out] / np.maximum(scale[out], 1e-9)))
    back = sum(_recovers(log_level(values), s) for s in starts) / len(starts)
    return Spikes(starts, len(starts) / values.size, tallest, back)


def local_scale(rest: FloatArray) -> FloatArray:
    """The robust scale of residuals around each point, never below a quarter of that of the whole series."""
    size = np.abs(rest - np.median(rest))
    whole = MAD_TO_SIGMA * float(np.median(size))
    near = MAD_TO_SIGMA * rolling_median(size, 3 * window_for(rest.size))
    return np.maximum(near, 0.25 * whole)


def _accompanied(out: np.ndarray, company: FloatArray) -> np.ndarray:
    """Which of the flagged points have a flagged neighbour or a jump of the gradient norm beside them."""
    rest = local_residual(company)
    jump = rest > 5.0 * np.maximum(local_scale(rest), 1e-9)
    beside = np.convolve(jump, np.ones(3), mode="same") >= 1
    return np.asarray((np.convolve(out, np.ones(3), mode="same") >= 2) | beside)


def _starts(out: np.ndarray, gap: int) -> tuple[int, ...]:
    """The first index of each run of flagged points; runs closer than ``gap`` are one event."""
    flagged = np.flatnonzero(out)
    if not flagged.size:
        return ()
    return tuple(int(i) for i in flagged[np.concatenate([[True], np.diff(flagged) > gap])])


def _recovers(logs: FloatArray, start: int) -> bool:
    """Whether the series is back at its level before ``start`` within a twentieth of its length."""
    before = logs[max(0, start - 10) : start]
    if not before.size:
        return False
    reach = max(8, logs.size // 20)
    after = logs[start + 1 : start + 1 + reach]
    bound = float(np.median(before)) + 2.0 * max(difference_noise(logs), 1e-9)
    return bool(after.size and after.min() <= bound)
