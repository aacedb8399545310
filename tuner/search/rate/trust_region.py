"""The search along one line: the learning rate in decades, everything else held still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.model.message import Message, message
from tuner.search.rate.sweep import LrSweep, heights, is_logarithmic, parabola

STEP_DECADES = 0.5
"""One step of the ladder 1e-5, 3e-5, 1e-4: half a decade."""
MAX_STEP_DECADES = 1.0
"""No step is longer than two rungs."""
WIDE_GAP_DECADES = 0.9
"""A gap of about two rungs: the best rate may hide in it."""
MIN_PARABOLA_DEPTH = {1: 0.75, -1: 0.5}
"""How far from the upper bound to the lower one the loss in a gap above (1) and below (-1) the best rate is guessed. It
falls long and rises soon: in five tables of the search benchmark all 12 gaps above whose far end was no edge of
stability held a better rate (depth 0.75 and more in three of four), and none of those below did."""
MIN_STEP_DECADES = 0.15
"""Rates closer than this (×1.4) are not worth a trial: 0.07 % of the loss in 548 LoRA runs."""
CURVATURE = 0.031
"""How much of the loss a decade off the best rate costs, growing with the square: 3.1 % in 548 LoRA runs."""


@dataclass(frozen=True)
class Step:
    """Where to go next on a line, and why; ``direction`` is the way it leaves the best point."""

    position: float
    why: Message

    def direction(self, line: LrSweep) -> int:
        """+1 when the step goes up from the best point, -1 when it goes down."""
        return 1 if self.position > line.best else -1


def next_step(line: LrSweep, advised: float = 0.0) -> Step | None:
    """The next position to try, or None when the line is settled.

    ``advised`` is the step in decades that a diagnosis of the best point asks for, 0 when it asks for nothing. An open
    end is followed first (the advised way, else the way that still improves), then the vertex of a parabola through
    the best point and its neighbors is tried, until the next position would be a neighbor of one tried before.
    """
    way = int(np.sign(advised))
    for direction in (way, *_open_ends(line, way)):
        step = _outward(line, direction, advised) if direction else None
        if step is not None:
            return step
    return _gap(line) or _vertex(line) or _half_way(line)


def _open_ends(line: LrSweep, way: int) -> list[int]:
    """The ends worth following when no advice points there, the more promising first."""
    above, below = line.nearest(1), line.nearest(-1)
    if above is None and below is None:
        if line.divergence_bound is not None and line.divergence_bound - line.best <= STEP_DECADES + 1e-9:
            return [-1]
        return [-way] if way else [1, -1] if line.best <= (line.low + line.high) / 2 else [-1, 1]
    if above is not None and below is not None:
        return []
    direction, known = (1, below) if above is None else (-1, above)
    assert known is not None
    # Equal losses a rung apart: the best rate lies between them, within noise of both.
    flat = len(line.points) >= 3 and line.loss(known) - line.loss(line.best) <= line.noise
    return [] if flat or _bends(line, direction) else [direction]


def _bends(line: LrSweep, direction: int) -> bool:
    """Whether the best point is an end, and a parabola through it and two more turns within half a rung beyond it."""
    fitted = parabola(line)
    if fitted is None:
        return False
    curve, slope, _, _ = fitted
    return curve > 0 and -slope / (2 * curve) * direction < STEP_DECADES / 2


def _outward(line: LrSweep, direction: int, advised: float) -> Step | None:
    """One step from the best point, or half-way to the neighbor where that side was tried before."""
    best, beyond = line.best, line.nearest(direction)
    size = abs(advised) if np.sign(advised) == direction else _stride(line, direction)
    if beyond is not None:
        if not advised or abs(beyond - best) <= STEP_DECADES + 0.1:
            return None
        return _unless_tried(line, (best + beyond) / 2, message("half-way-to-tried-rate"))
    position = best + direction * min(max(size, MIN_STEP_DECADES), MAX_STEP_DECADES)
    position = min(max(position, line.low), line.top)
    if (position - best) * direction <= 0:
        return None
    why = message("beyond-highest-rate" if direction > 0 else "beyond-lowest-rate")
    if direction > 0 and line.divergence_bound is not None and position == line.top:
        why = message("half-of-diverged-rate")
    return _unless_tried(line, position, why)


def _stride(line: LrSweep, direction: int) -> float:
    """How far to go beyond the best point in decades: one rung, or more where the last step says it is far to go.

    From two points the rest of the way follows from the gain, on a bowl as shallow as those of LoRA runs are; from
    three it is the vertex of their parabola. A fall that still grows steeper has no vertex: two rungs. A way that was
    turned into because the other one failed begins with one rung. The very first step begins with two upwards: a rate
    that is too high shows early and is stopped, one that is too low costs a whole run.
    """
    before = line.nearest(-direction)
    order = [x for x, _ in line.points]
    if before is None and direction > 0:
        return MAX_STEP_DECADES
    if before is None or order.index(before) > order.index(line.best):
        return STEP_DECADES
    fitted = parabola(line)
    if fitted is not None:
        curve, slope, _, _ = fitted
        rest = -slope / (2 * curve) * direction if curve > 0 else MAX_STEP_DECADES
    else:
        length, least = abs(line.best - before), abs(line.loss(line.best))
        gain = max(0.0, line.loss(before) - line.loss(line.best) - line.noise)
        rest = gain / (2 * CURVATURE * length * least) - length / 2 if least else MAX_STEP_DECADES
    return min(max(rest, STEP_DECADES), MAX_STEP_DECADES)


def _vertex(line: LrSweep) -> Step | None:
    """The lowest point of a parabola through the best point and its neighbors, when a gain is in sight."""
    fitted = parabola(line)
    if fitted is None or fitted[0] <= 0:
        return None
    curve, slope, level, three = fitted
    offset = -slope / (2 * curve)
    position = line.best + offset
    if not max(three[0] - STEP_DECADES, line.low) <= position <= min(three[2] + STEP_DECADES, line.top):
        return None
    lowest = level - curve * offset**2
    if line.loss(line.best) - (np.exp(lowest) if is_logarithmic(line, three) else lowest) <= line.noise:
        return None
    return _unless_tried(line, float(position), message("vertex-of-rates"))


def expected_gain(line: LrSweep) -> float:
    """What a step into the widest gap beside the best point may save of the loss, as a share; 0 without such a gap.

    The loss of a rate falls and then rises: between two points it lies below their chord, and above the lines through
    the points beyond them. The guess for the middle of the gap lies between these two bounds, by ``DEPTH``, and in a
    shallow bowl where nothing lies beyond.
    """
    return max((saved for _, saved in _gaps(line)), default=0.0)


def _gap(line: LrSweep) -> Step | None:
    """Into the gap beside the best point that promises most: to the vertex of the parabola there, else half-way."""
    gaps = [(beyond, saved) for beyond, saved in _gaps(line) if saved > 0]
    if not gaps:
        return None
    beyond, _ = max(gaps, key=lambda gap: gap[1])
    vertex = _vertex(line)
    inside = vertex is not None and all(abs(vertex.position - end) >= STEP_DECADES / 2 for end in (line.best, beyond))
    if vertex is not None and inside and (vertex.position - line.best) * (beyond - line.best) > 0:
        return vertex
    return _into(line, beyond)


def _half_way(line: LrSweep) -> Step | None:
    """Into a gap that promises nothing, when all else is settled: the guess may be wrong."""
    worse = [beyond for beyond, _ in _gaps(line) if line.loss(beyond) - line.loss(line.best) > line.noise]
    return _into(line, min(worse, key=line.loss)) if worse else None


def _into(line: LrSweep, beyond: float) -> Step | None:
    return _unless_tried(line, (line.best + beyond) / 2, message("gap-beside-best-rate"))


def _gaps(line: LrSweep) -> list[tuple[float, float]]:
    """The ends of the wide gaps beside the best point, and what each promises to save."""
    ordered = sorted({x for x, _ in line.points})
    levels = heights(line, ordered)
    here = ordered.index(line.best)
    found = []
    for end in (here - 1, here + 1):
        if not 0 <= end < len(ordered) or abs(ordered[end] - line.best) < WIDE_GAP_DECADES:
            continue
        middle = (line.best + ordered[end]) / 2
        bounds = [
            _on_line(middle, (ordered[i], levels[i]), (ordered[i + step], levels[i + step]))
            for i, step in ((min(here, end), -1), (max(here, end), 1))
            if 0 <= i + step < len(ordered)
        ]
        chord = (levels[here] + levels[end]) / 2
        floor = (
            max(bounds)
            if bounds
            else chord - _sag(line, ordered, line.best - ordered[end]) / MIN_PARABOLA_DEPTH[end - here]
        )
        guess = chord - MIN_PARABOLA_DEPTH[end - here] * (chord - floor)
        found.append((ordered[end], _saved(line, levels[here] - guess, ordered)))
    return found


def _sag(line: LrSweep, positions: Sequence[float], length: float) -> float:
    """How far the shallowest of bowls hangs below the middle of a chord."""
    size = 1.0 if is_logarithmic(line, positions) else abs(line.loss(line.best))
    return CURVATURE * (length / 2) ** 2 * size


def _on_line(x: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[1] + (x - a[0]) * (b[1] - a[1]) / (b[0] - a[0])


def _saved(line: LrSweep, drop: float, positions: Sequence[float]) -> float:
    """A drop of the height from the best point as a share of its loss."""
    if is_logarithmic(line, positions):
        return float(1 - np.exp(-drop))
    least = abs(line.loss(line.best))
    return drop / least if least else 0.0


def _unless_tried(line: LrSweep, position: float, why: Message) -> Step | None:
    """The step, or None when a point that close has been tried or is being tried."""
    if any(abs(position - x) < MIN_STEP_DECADES - 1e-9 for x in (*line.pending, *(x for x, _ in line.points))):
        return None
    return Step(float(position), why)
