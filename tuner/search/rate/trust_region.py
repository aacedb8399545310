"""The search along the learning rate, in decades, with all other settings held fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.model.message import Message, message
from diagnostics.model.rate_prior import MAX_RATE_FACTOR
from tuner.search.rate.sweep import LrSweep, heights, is_logarithmic, parabola

STEP_DECADES = 0.5
"""One step: half a decade, as from 1e-5 to 3e-5."""
MAX_STEP_DECADES = float(np.log10(MAX_RATE_FACTOR))
"""No step is longer than this."""
WIDE_GAP_DECADES = 0.9
"""The best rate may hide in a gap of about two steps."""
GAP_DEPTH = {1: 0.75, -1: 0.5}
"""Where between its upper bound (0) and its lower one (1) the loss in a gap above (1) and below (-1) the best rate is
guessed. The loss falls slowly and rises fast: in five tables of the search benchmark all 12 gaps above whose far end
was stable held a better rate (depth 0.75 and more in three of four), and none of the gaps below did."""
MIN_STEP_DECADES = 0.15
"""Rates closer than this (×1.4) are not worth a trial: 0.07 % of the loss in 548 LoRA runs."""
CURVATURE = 0.031
"""The share of the loss that a decade off the best rate costs, growing with the square: 3.1 % in 548 LoRA runs."""


@dataclass(frozen=True)
class Step:
    """Where to go next, as a position in decades, and why."""

    position: float
    why: Message

    def direction(self, sweep: LrSweep) -> int:
        """+1 when the step goes up from the best point, -1 when it goes down."""
        return 1 if self.position > sweep.best else -1


def next_step(sweep: LrSweep, advised: float = 0.0) -> Step | None:
    """The next position to try, or None when the rate is settled.

    ``advised`` is the step in decades that a diagnosis of the best point advises, 0 when it advises none. An open end
    is followed first (in the advised direction, else where the loss still falls), then the vertex of a parabola through
    the best point and its neighbors is tried, until the next position would be a neighbor of one tried before.
    """
    way = int(np.sign(advised))
    for direction in (way, *_open_ends(sweep, way)):
        step = _outward(sweep, direction, advised) if direction else None
        if step is not None:
            return step
    return _gap(sweep) or _vertex(sweep) or _half_way(sweep)


def _open_ends(sweep: LrSweep, way: int) -> list[int]:
    """The ends worth following when no advice points there, the more promising first."""
    above, below = sweep.nearest(1), sweep.nearest(-1)
    if above is None and below is None:
        if sweep.divergence_bound is not None and sweep.divergence_bound - sweep.best <= STEP_DECADES + 1e-9:
            return [-1]
        return [-way] if way else [1, -1] if sweep.best <= (sweep.low + sweep.high) / 2 else [-1, 1]
    if above is not None and below is not None:
        return []
    direction, known = (1, below) if above is None else (-1, above)
    assert known is not None
    # Equal losses one step apart: the best rate lies between them, within noise of both.
    flat = len(sweep.points) >= 3 and sweep.loss(known) - sweep.loss(sweep.best) <= sweep.noise
    return [] if flat or _bends(sweep, direction) else [direction]


def _bends(sweep: LrSweep, direction: int) -> bool:
    """Whether a parabola through the best point, an end, and two more has its vertex within half a step beyond."""
    fitted = parabola(sweep)
    if fitted is None:
        return False
    curve, slope, _, _ = fitted
    return curve > 0 and -slope / (2 * curve) * direction < STEP_DECADES / 2


def _outward(sweep: LrSweep, direction: int, advised: float) -> Step | None:
    """One step from the best point, or half-way to the neighbor where that side was tried before."""
    best, beyond = sweep.best, sweep.nearest(direction)
    size = abs(advised) if np.sign(advised) == direction else _stride(sweep, direction)
    if beyond is not None:
        if not advised or abs(beyond - best) <= STEP_DECADES + 0.1:
            return None
        return _unless_tried(sweep, (best + beyond) / 2, message("half-way-to-tried-rate"))
    position = best + direction * min(max(size, MIN_STEP_DECADES), MAX_STEP_DECADES)
    position = min(max(position, sweep.low), sweep.top)
    if (position - best) * direction <= 0:
        return None
    why = message("beyond-highest-rate" if direction > 0 else "beyond-lowest-rate")
    if direction > 0 and sweep.divergence_bound is not None and position == sweep.top:
        why = message("half-of-diverged-rate")
    return _unless_tried(sweep, position, why)


def _stride(sweep: LrSweep, direction: int) -> float:
    """How far to go beyond the best point in decades: one step, or two where the last one shows that it is far.

    From two points the rest of the way follows from the gain, on a parabola as shallow as those of LoRA runs; from
    three it is the vertex of their parabola. A fall that still grows steeper has no vertex: two steps. After a failure
    in the other direction it is one step. The very first step upward is two: a rate that is too high shows early and is
    stopped, one that is too low costs a whole run.
    """
    before = sweep.nearest(-direction)
    order = [x for x, _ in sweep.points]
    if before is None and direction > 0:
        return MAX_STEP_DECADES
    if before is None or order.index(before) > order.index(sweep.best):
        return STEP_DECADES
    fitted = parabola(sweep)
    if fitted is not None:
        curve, slope, _, _ = fitted
        rest = -slope / (2 * curve) * direction if curve > 0 else MAX_STEP_DECADES
    else:
        length, least = abs(sweep.best - before), abs(sweep.loss(sweep.best))
        gain = max(0.0, sweep.loss(before) - sweep.loss(sweep.best) - sweep.noise)
        rest = gain / (2 * CURVATURE * length * least) - length / 2 if least else MAX_STEP_DECADES
    return min(max(rest, STEP_DECADES), MAX_STEP_DECADES)


def _vertex(sweep: LrSweep) -> Step | None:
    """The vertex of a parabola through the best point and its neighbors, where it promises a gain beyond noise."""
    fitted = parabola(sweep)
    if fitted is None or fitted[0] <= 0:
        return None
    curve, slope, level, three = fitted
    offset = -slope / (2 * curve)
    position = sweep.best + offset
    if not max(three[0] - STEP_DECADES, sweep.low) <= position <= min(three[2] + STEP_DECADES, sweep.top):
        return None
    lowest = level - curve * offset**2
    if sweep.loss(sweep.best) - (np.exp(lowest) if is_logarithmic(sweep, three) else lowest) <= sweep.noise:
        return None
    return _unless_tried(sweep, float(position), message("vertex-of-rates"))


def expected_gain(sweep: LrSweep) -> float:
    """The share of the loss that a step into a gap beside the best point may save; 0 without such a gap.

    Over the rate, the loss falls and then rises: between two points it lies below their chord, and above the lines
    through the points beyond them. The guess for the middle of the gap lies between these bounds, by ``GAP_DEPTH``;
    where no point lies beyond, the lower bound is that of a shallow parabola.
    """
    return max((saved for _, saved in _gaps(sweep)), default=0.0)


def _gap(sweep: LrSweep) -> Step | None:
    """Into the gap beside the best point that promises most: to the vertex of a parabola in it, else half-way."""
    gaps = [(beyond, saved) for beyond, saved in _gaps(sweep) if saved > 0]
    if not gaps:
        return None
    beyond, _ = max(gaps, key=lambda gap: gap[1])
    vertex = _vertex(sweep)
    inside = vertex is not None and all(abs(vertex.position - end) >= STEP_DECADES / 2 for end in (sweep.best, beyond))
    if vertex is not None and inside and (vertex.position - sweep.best) * (beyond - sweep.best) > 0:
        return vertex
    return _into(sweep, beyond)


def _half_way(sweep: LrSweep) -> Step | None:
    """Into a gap that promises nothing, when everything else is settled: the guess may be wrong."""
    worse = [beyond for beyond, _ in _gaps(sweep) if sweep.loss(beyond) - sweep.loss(sweep.best) > sweep.noise]
    return _into(sweep, min(worse, key=sweep.loss)) if worse else None


def _into(sweep: LrSweep, beyond: float) -> Step | None:
    return _unless_tried(sweep, (sweep.best + beyond) / 2, message("gap-beside-best-rate"))


def _gaps(sweep: LrSweep) -> list[tuple[float, float]]:
    """The far ends of the wide gaps beside the best point, and the share of the loss that each promises to save."""
    ordered = sorted({x for x, _ in sweep.points})
    levels = heights(sweep, ordered)
    here = ordered.index(sweep.best)
    found = []
    for end in (here - 1, here + 1):
        if not 0 <= end < len(ordered) or abs(ordered[end] - sweep.best) < WIDE_GAP_DECADES:
            continue
        depth, chord = GAP_DEPTH[end - here], (levels[here] + levels[end]) / 2
        floor = _floor(ordered, levels, *sorted((here, end)))
        if floor is None:
            floor = chord - _sag(sweep, ordered, sweep.best - ordered[end]) / depth
        guess = chord - depth * (chord - floor)
        found.append((ordered[end], _saved(sweep, levels[here] - guess, ordered)))
    return found


def _floor(positions: Sequence[float], levels: Sequence[float], left: int, right: int) -> float | None:
    """The lowest that the loss may be between two points: on the lines through the points beyond; None without any."""
    points = list(zip(positions, levels, strict=True))
    middle = (positions[right] + positions[left]) / 2
    bounds = [_on_line(middle, points[left], points[left - 1])] if left > 0 else []
    bounds += [_on_line(middle, points[right], points[right + 1])] if right + 1 < len(points) else []
    return max(bounds, default=None)


def _sag(sweep: LrSweep, positions: Sequence[float], length: float) -> float:
    """How far a parabola of ``CURVATURE`` lies below the middle of a chord."""
    size = 1.0 if is_logarithmic(sweep, positions) else abs(sweep.loss(sweep.best))
    return CURVATURE * (length / 2) ** 2 * size


def _on_line(x: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[1] + (x - a[0]) * (b[1] - a[1]) / (b[0] - a[0])


def _saved(sweep: LrSweep, drop: float, positions: Sequence[float]) -> float:
    """A drop of the height from the best point as a share of its loss."""
    if is_logarithmic(sweep, positions):
        return float(1 - np.exp(-drop))
    least = abs(sweep.loss(sweep.best))
    return drop / least if least else 0.0


def _unless_tried(sweep: LrSweep, position: float, why: Message) -> Step | None:
    """The step, or None when a point that close has been tried or is being tried."""
    if any(abs(position - x) < MIN_STEP_DECADES - 1e-9 for x in (*sweep.pending, *(x for x, _ in sweep.points))):
        return None
    return Step(float(position), why)
