"""The label of a training, from what no log shows: the loss on unseen rows, at this rate and at the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.verdicts.trained.training import Trace

REACHED, MISSED = 0.9, 0.65
"""Shares of the descent that the best rate reaches: a run that came so far is well; one that did not is sick."""
SLOWER, HOTTER = 5.0, 2.0
"""A run that missed is too slow so far below the best rate, too hot so far above it."""
RISES, MAY_RISE = 0.15, 0.05
"""The end above the lowest true loss, as a share of the descent: an overfit run, and the most of one that is not."""
STILL_FALLS = 0.12
"""A run whose last quarter brought this share of the descent may as well be called too short."""
THROWN = 1.2
"""A run that ends well after its loss stood so many times above its start may as well be called unstable."""
NOT_LEARNED = 0.03
"""The best descent over the start: below it nothing was learned at any rate."""


@dataclass(frozen=True)
class Truth:
    """What a run is, and what it may be called."""

    label: str
    accepted: frozenset[str]


def truths(sweep: Sequence[Trace], family: str) -> list[Truth | None]:
    """The truth of each training of a sweep over rates, None where it cannot be said."""
    start = float(sweep[0].truth[0])
    ends = [_end(trace) for trace in sweep]
    lowest = min(float(np.nanmin(trace.truth)) for trace in sweep)
    descent = start - lowest
    if family == "dead" or descent < NOT_LEARNED * start:
        return [_of_dead(trace, start) if family == "dead" else None for trace in sweep]
    best = sweep[int(np.argmin(ends))].rate
    return [_of(trace, end, start, descent, best) for trace, end in zip(sweep, ends, strict=True)]


def _end(trace: Trace) -> float:
    """The true loss at the end, infinite where training stopped on a loss that is not finite."""
    if not np.isfinite(trace.loss[-1]):
        return float("inf")
    return float(np.nan_to_num(np.median(trace.truth[-3:]), nan=np.inf))


def _of(trace: Trace, end: float, start: float, descent: float, best: float) -> Truth | None:
    low = float(np.nanmin(trace.truth))
    reached, rise, ratio = (start - end) / descent, (end - low) / descent, trace.rate / best
    if not np.isfinite(end):
        return _sick("unstable", "broken")
    if rise >= RISES and _memorizes(trace):
        hot = ["unstable"] if ratio > HOTTER else []
        return _sick("overfit", *hot) if (start - low) / descent > MISSED or ratio < HOTTER else None
    if reached < MISSED:
        if ratio > HOTTER:
            return _sick("unstable", "broken", *(["underfit"] if 0.0 <= reached < 0.15 else []))
        return _sick("underfit") if ratio < 1.0 / SLOWER and rise < MAY_RISE else None
    if reached < REACHED or rise > MAY_RISE:
        return None
    late = float(np.interp(0.75 * trace.at[-1], trace.at, trace.truth)) - end
    more = {"underfit"} if late > STILL_FALLS * descent else set()
    more |= {"unstable"} if float(np.nanmax(trace.truth)) > THROWN * start else set()
    return Truth("healthy", frozenset({"healthy"} | more))


def _of_dead(trace: Trace, start: float) -> Truth:
    """A set-up that cannot learn: every sick label will do."""
    return _sick("underfit", "broken", "unstable", *(["overfit"] if _memorizes(trace) else []))


def _memorizes(trace: Trace) -> bool:
    """Whether the training loss went on falling after the true loss was lowest."""
    turned = trace.at[int(np.nanargmin(trace.truth))]
    steps = np.arange(trace.loss.size)
    around = trace.loss[np.abs(steps - turned) <= 0.05 * trace.loss.size]
    return bool(around.size and np.mean(trace.loss[-around.size :]) < np.mean(around))


def _sick(label: str, *more: str) -> Truth:
    return Truth(label, frozenset({label, *more}))
