"""What each setting brought on the way from the user's file to the best trial: exact differences, no model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tuner.search.proposer import ProposerKind
from tuner.study.results import StudyResult, TrialResult, Value

MIN_TRIALS_FOR_IMPORTANCE = 30
"""From so many trials on, a model of the importance of settings has enough to learn from."""


@dataclass(frozen=True)
class PathStep:
    """The move from one trial to a later one on the path: the settings that changed as (old, new), and the metric.

    ``gain`` is above 0 where the metric got better. ``moved`` is empty for a repeat on another seed.
    """

    start: int
    trial: int
    moved: Mapping[str, tuple[Value, Value]]
    before: float
    after: float
    gain: float

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that moved together, by name."""
        return tuple(sorted(self.moved))


def parent_of(trials: Sequence[TrialResult], trial: TrialResult) -> TrialResult | None:
    """The trial whose settings a trial changed or repeats; None where no earlier trial has them."""
    if not trial.moved and trial.proposer.kind is not ProposerKind.ANOTHER_SEED:
        return None
    before = {**trial.settings, **{knob: old for knob, (old, _) in trial.moved.items()}}
    earlier = (other for other in trials if other.number < trial.number)
    return next((other for other in earlier if dict(other.settings) == before), None)


def gain_along_path(result: StudyResult) -> tuple[PathStep, ...]:
    """The moves from trial 0 to the best trial, in order; empty where either is unknown, or they are the same.

    A trial without a value is passed over, so that its move and the next one are one step. Where the way back ends
    before trial 0, the first step leads there from trial 0 at once.
    """
    first, best = result.baseline, result.winner
    if first is None or best is None or best.number == first.number:
        return ()
    path = [trial for trial in _way_back(result.trials, best) if _has_value(trial)]
    if path[:1] != [best] or not _has_value(first):
        return ()
    path += [] if path[-1].number == first.number else [first]
    return tuple(_step(result, start, end) for end, start in pairwise(path))[::-1]


def gain_by_setting(steps: Sequence[PathStep]) -> dict[tuple[str, ...], float]:
    """What each setting, or settings that only moved together, brought in all, the largest gain first."""
    total: dict[tuple[str, ...], float] = {}
    for step in steps:
        total[step.settings] = total.get(step.settings, 0.0) + step.gain
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def _way_back(trials: Sequence[TrialResult], trial: TrialResult) -> list[TrialResult]:
    """A trial, the one it came from, and so on; numbers only fall, so it ends."""
    way = [trial]
    while (parent := parent_of(trials, way[-1])) is not None:
        way.append(parent)
    return way


def _has_value(trial: TrialResult) -> bool:
    return trial.value is not None and math.isfinite(trial.value)


def _step(result: StudyResult, start: TrialResult, end: TrialResult) -> PathStep:
    before, after = float(start.value or 0.0), float(end.value or 0.0)
    knobs = dict.fromkeys((*start.settings, *end.settings))
    pairs = {knob: (start.settings.get(knob), end.settings.get(knob)) for knob in knobs}
    moved = {knob: pair for knob, pair in pairs.items() if pair[0] != pair[1]}
    return PathStep(start.number, end.number, moved, before, after, result.direction.gain(before, after))
