"""Where a run was resumed, or its packing changed: a jump of the loss exactly there says nothing about the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.message import Message, message
from diagnostics.signals import difference_noise, median

NEAR = 10
"""So many points on either side tell the levels before and after a join."""

SETTLING = 3
"""So many points after a join may stand far above those that follow."""

FEWEST = 3
SURE = 4.0
"""Standard errors from which on a jump counts."""

LEAST = 0.05
"""The share of the level from which on a jump counts."""

BLOWN = 1.5
"""A loss that stands so many times above all that came before tells of no other rows: the resumed run blew up."""


def remove_offsets(
    curves: Mapping[str, Curve], discontinuities: Sequence[float]
) -> tuple[dict[str, Curve], list[Message]]:
    """The curves with both losses as they would be without their jumps at the joins, and a note on each jump.

    What came before a join is shifted to the level after it, so that the end of the curve stays as it was logged.
    """
    found, notes = dict(curves), []
    for name in ("train_loss", "eval_loss"):
        curve = curves.get(name)
        for join in sorted(set(discontinuities), reverse=True) if curve is not None else ():
            calm = _settled(curve, join)  # type: ignore[arg-type]
            jump = _jump(calm, join, discontinuities)
            if jump:
                early = calm.steps < join
                calm = Curve(calm.steps, calm.values + np.where(early, jump, 0.0), calm.broken)
                notes.append(message("resume-offset", curve=name, jump=float(jump), step=float(join)))
            curve = calm
        if curve is not None:
            found[name] = curve
    return found, notes


def _settled(curve: Curve, join: float) -> Curve:
    """The curve without the few points right after a join that stand far above those before and those that follow."""
    first = int(np.searchsorted(curve.steps, join))
    before, after = curve.values[max(0, first - NEAR) : first], curve.values[first + SETTLING : first + SETTLING + NEAR]
    if min(before.size, after.size) < FEWEST:
        return curve
    level = max(median(before), median(after))
    bound = level + max(6.0 * difference_noise(curve.values), LEAST * abs(level))
    high = np.zeros(len(curve), dtype=np.bool_)
    high[first : first + SETTLING] = curve.values[first : first + SETTLING] > bound
    return curve if not high.any() else Curve(curve.steps[~high], curve.values[~high], curve.broken)


def _jump(curve: Curve, join: float, discontinuities: Sequence[float]) -> float:
    """By how much the level changes at a join, 0 when that is no more than its noise and its trend."""
    first = int(np.searchsorted(curve.steps, join))
    edges = np.searchsorted(curve.steps, sorted(discontinuities))
    start = max((int(edge) for edge in edges if edge < first), default=0)
    stop = min((int(edge) for edge in edges if edge > first), default=len(curve))
    parts = slice(max(start, first - NEAR), first), slice(first, min(stop, first + NEAR))
    if any(part.stop - part.start < FEWEST for part in parts):
        return 0.0
    (low, doubt), (high, more) = (_at(curve.steps[part], curve.values[part], join) for part in parts)
    error = difference_noise(curve.values) * float(np.sqrt(doubt + more))
    jump = high - low
    if jump > 0 and median(curve.values[parts[1]]) > BLOWN * float(curve.values[: max(1, first)].max()) > 0:
        return 0.0
    return jump if abs(jump) > max(SURE * error, LEAST * abs(low)) else 0.0


def _at(steps: FloatArray, values: FloatArray, step: float) -> tuple[float, float]:
    """The level of some points at a step, by a line through them, and its variance over that of one point."""
    x = steps - steps.mean()
    spread, away = float(np.dot(x, x)), step - float(steps.mean())
    slope = float(np.dot(x, values)) / spread
    return float(values.mean()) + slope * away, 1.0 / values.size + away**2 / spread
