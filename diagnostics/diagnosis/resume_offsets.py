"""Jumps of the loss where a run was resumed or its packing changed: they say nothing about the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.message import Message, message
from diagnostics.signals import difference_noise, median

LEVEL_POINTS = 10
"""Points on either side of a discontinuity that give the levels before and after it."""

SETTLING_POINTS = 3
"""Points right after a discontinuity that may lie far above those that follow: the optimizer settles."""

MIN_POINTS = 3
"""The fewest points on either side that give a level."""

MIN_STANDARD_ERRORS = 4.0
"""A jump counts from this many standard errors."""

MIN_SHARE_OF_LEVEL = 0.05
"""A jump counts from this share of the level."""

BLOWUP_RATIO = 1.5
"""A loss this many times above all earlier values is not a matter of other rows: the resumed run blew up."""


def remove_offsets(
    curves: Mapping[str, Curve], discontinuities: Sequence[float]
) -> tuple[dict[str, Curve], list[Message]]:
    """The curves with both losses without their jumps at the discontinuities, and a note on each jump.

    The part before a discontinuity is shifted to the level after it; the end of the curve stays as it was logged.
    """
    found, notes = dict(curves), []
    for name in ("train_loss", "eval_loss"):
        curve = curves.get(name)
        for boundary in sorted(set(discontinuities), reverse=True) if curve is not None else ():
            calm = _settled(curve, boundary)  # type: ignore[arg-type]
            jump = _jump(calm, boundary, discontinuities)
            if jump:
                early = calm.steps < boundary
                calm = Curve(calm.steps, calm.values + np.where(early, jump, 0.0), calm.broken)
                notes.append(message("resume-offset", curve=name, jump=float(jump), step=float(boundary)))
            curve = calm
        if curve is not None:
            found[name] = curve
    return found, notes


def _settled(curve: Curve, boundary: float) -> Curve:
    """The curve without the few points right after a discontinuity that lie far above those before and after."""
    first = int(np.searchsorted(curve.steps, boundary))
    before, after = (
        curve.values[max(0, first - LEVEL_POINTS) : first],
        curve.values[first + SETTLING_POINTS : first + SETTLING_POINTS + LEVEL_POINTS],
    )
    if min(before.size, after.size) < MIN_POINTS:
        return curve
    level = max(median(before), median(after))
    bound = level + max(6.0 * difference_noise(curve.values), MIN_SHARE_OF_LEVEL * abs(level))
    high = np.zeros(len(curve), dtype=np.bool_)
    high[first : first + SETTLING_POINTS] = curve.values[first : first + SETTLING_POINTS] > bound
    return curve if not high.any() else Curve(curve.steps[~high], curve.values[~high], curve.broken)


def _jump(curve: Curve, boundary: float, discontinuities: Sequence[float]) -> float:
    """The change of the level at a discontinuity; 0 when noise and trend explain it."""
    first = int(np.searchsorted(curve.steps, boundary))
    edges = np.searchsorted(curve.steps, sorted(discontinuities))
    start = max((int(edge) for edge in edges if edge < first), default=0)
    stop = min((int(edge) for edge in edges if edge > first), default=len(curve))
    parts = slice(max(start, first - LEVEL_POINTS), first), slice(first, min(stop, first + LEVEL_POINTS))
    if any(part.stop - part.start < MIN_POINTS for part in parts):
        return 0.0
    noise = difference_noise(curve.values)
    (low, doubt), (high, more) = (_at(curve.steps[part], curve.values[part], boundary, noise) for part in parts)
    error = float(np.sqrt(doubt + more))
    jump = high - low
    if jump > 0 and median(curve.values[parts[1]]) > BLOWUP_RATIO * float(curve.values[: max(1, first)].max()) > 0:
        return 0.0
    return jump if abs(jump) > max(MIN_STANDARD_ERRORS * error, MIN_SHARE_OF_LEVEL * abs(low)) else 0.0


def _at(steps: FloatArray, values: FloatArray, step: float, noise: float) -> tuple[float, float]:
    """The level of some points at a step, by a line through them, and its variance.

    One point scatters by the ``noise``, or by what the line leaves of the points where that is more: a loss that still
    falls in a curve lies off any line, the most at its ends.
    """
    x = steps - steps.mean()
    spread, away = float(np.dot(x, x)), step - float(steps.mean())
    slope = float(np.dot(x, values)) / spread
    left = values - values.mean() - slope * x
    variance = max(noise**2, float(np.dot(left, left)) / max(1, values.size - 2))
    return float(values.mean()) + slope * away, variance * (1.0 / values.size + away**2 / spread)
