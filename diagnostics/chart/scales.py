"""The position of a value in a drawing, and which round values get a tick."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from diagnostics.model.curves import FloatArray

MAX_SIZE = 1e300


@dataclass(frozen=True)
class Scale:
    """A straight or logarithmic line from ``low`` .. ``high`` to the pixels ``start`` .. ``end``."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; values outside the scale are at its edge."""
        return float(self.all_at((value,))[0])

    def all_at(self, values: ArrayLike) -> FloatArray:
        """The pixels of many values; values outside the scale are at its edge."""
        inside = np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)
        if self.log:
            low = math.log10(self.low)
            share = (np.log10(inside) - low) / (math.log10(self.high) - low)
        else:
            size = max(abs(self.low), abs(self.high))  # divided first: high - low may not fit a float
            share = (inside / size - self.low / size) / (self.high / size - self.low / size)
        # Rounding may put the edge itself a hair beyond the end.
        return np.asarray(self.start + np.clip(share, 0.0, 1.0) * (self.end - self.start))

    def ticks(self, count: int = 5) -> tuple[float, ...]:
        """About ``count`` round values within the scale."""
        if self.log and math.log10(self.high) - math.log10(self.low) >= 0.9:
            return _decades(self.low, self.high, count)
        return _round_values(self.low, self.high, count)


def scale_over(values: Iterable[float], start: float, end: float, *, log: bool = False, margin: float = 0.06) -> Scale:
    """A scale that holds all the values with a margin at both ends; 0 to 1 for no value at all, or none but 0."""
    known = np.fromiter(values, dtype=np.float64)
    known = np.clip(known[np.isfinite(known)], -MAX_SIZE, MAX_SIZE)
    known[np.abs(known) <= 1 / MAX_SIZE] = 0.0
    known = known[known > 0] if log else known
    low, high = (float(known.min()), float(known.max())) if known.any() else (0.0, 1.0)
    if log and known.size:
        powers = math.log10(low), math.log10(high)
        room = max(margin * (powers[1] - powers[0]), 0.02)
        return Scale(10 ** max(powers[0] - room, -307), 10 ** min(powers[1] + room, 307), start, end, True)
    flat = high - low <= 1e-12 * max(abs(low), abs(high))
    room = 0.1 * abs(high) if flat else high * margin - low * margin
    return Scale(low - room, high + room, start, end)


def _round_values(low: float, high: float, count: int) -> tuple[float, ...]:
    rough = high / count - low / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(float(f"{k * step:.12g}") for k in range(first, last + 1))


def _decades(low: float, high: float, count: int) -> tuple[float, ...]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / count))
    whole = tuple(10.0**power for power in range(first, last + 1, every))
    if len(whole) >= 3:
        return whole
    steps = [digit * 10.0**power for power in range(first - 1, last + 1) for digit in (1, 2, 5)]
    return tuple(float(f"{value:.12g}") for value in steps if low <= value <= high)
