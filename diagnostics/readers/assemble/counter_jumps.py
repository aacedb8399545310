"""Where the counters of a log (tokens, epochs) jump: a resumed run, another packing, another batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.message import Message, message
from diagnostics.signals import difference_noise, median

WINDOW = 8
"""Points before and after a step whose pace is compared."""

MIN_PACE_RATIO = 1.5
"""A counter's pace changes where it differs by this factor before and after a step."""

MAX_CHANGES = 3
"""More changes than this come from the order of the rows (by length), not from resumed runs."""

MAX_POINTS = 8_000
"""A longer counter is first searched on half as many points: what it counts between two of them is exact."""

COUNTERS: Mapping[str, str] = {"num_tokens": "tokens", "epoch": "epochs"}


def counter_jumps(curves: Mapping[str, Curve]) -> tuple[list[float], list[Message]]:
    """The steps at which a counter falls back or continues at another pace, and a note on each."""
    found: list[float] = []
    notes: list[Message] = []
    for name, unit in COUNTERS.items():
        curve = curves.get(name)
        if curve is None or len(curve) < 3:
            continue
        back = np.flatnonzero(np.diff(curve.values) < 0) + 1
        changes = _changes_of_pace(curve) if back.size == 0 else []
        if back.size <= MAX_CHANGES:
            found += [float(curve.steps[place]) for place in back]
            notes += [message("counter-falls-back", counter=name, step=float(curve.steps[place])) for place in back]
        for place, before, after in changes if len(changes) <= MAX_CHANGES else ():
            step = float(curve.steps[place])
            found.append(step)
            notes.append(message("pace-changes", counter=unit, step=step, before=float(before), after=float(after)))
    return found, notes


def _changes_of_pace(curve: Curve) -> list[tuple[int, float, float]]:
    """The indices from which on a counter that rises goes at another pace for good, with both paces."""
    if len(curve) < 2 * WINDOW + 1:
        return []
    if len(curve) > MAX_POINTS:
        return _closer(curve, np.linspace(0, len(curve) - 1, MAX_POINTS // 2).astype(np.int64))
    pace = np.diff(curve.values) / np.diff(curve.steps)
    if (pace <= 0).any():
        return []
    logs = np.log(pace)
    windows = np.lib.stride_tricks.sliding_window_view(logs, WINDOW)
    levels = np.median(windows, axis=1)
    change = levels[WINDOW:] - levels[:-WINDOW]
    limit = max(float(np.log(MIN_PACE_RATIO)), 4.0 * difference_noise(logs) / float(np.sqrt(WINDOW)))
    found = []
    left = np.abs(change)
    while left.size and left.max() > limit:
        start = int(left.argmax())
        part = slice(start, start + 2 * WINDOW)
        place = start + _split(logs[part])
        found.append((place + 1, median(pace[part.start : place]), median(pace[place : part.stop])))
        left[max(0, start - WINDOW) : start + WINDOW] = 0.0
    return sorted(found)


def _split(values: FloatArray) -> int:
    """The index that parts the values best into two levels."""
    first = np.arange(1, values.size)
    sums = np.cumsum(values)[:-1]
    apart = sums / first - (values.sum() - sums) / (values.size - first)
    return int(np.argmax(np.abs(apart) * np.sqrt(first * (values.size - first)))) + 1


def _closer(curve: Curve, some: NDArray[np.int64]) -> list[tuple[int, float, float]]:
    """The same for a long curve: looked for among ``some`` of its points, and then around what was found."""
    found = []
    for place, *_ in _changes_of_pace(Curve(curve.steps[some], curve.values[some])):
        near = slice(int(some[max(0, place - WINDOW)]), int(some[min(some.size - 1, place + WINDOW)]) + 1)
        exact = _changes_of_pace(Curve(curve.steps[near], curve.values[near]))
        found += [(near.start + at, before, after) for at, before, after in exact]
    return found
