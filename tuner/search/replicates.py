"""The same settings on another seed: their mean, and how much a seed changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.model.methods import method_record
from tuner.search.scale import Scale
from tuner.search.trial_view import TrialView

MAX_RUNS_PER_SETTING = 3
"""The first run included. A claim of a gain needs as many."""
USUAL_PAIRS = 2
"""How many pairs of seeds the usual deviation of a method counts for."""


@dataclass(frozen=True)
class Group:
    """The finished runs of the same settings, the first of them leading, and how many others are running.

    ``losses`` are the runs' losses less what their seeds add to every setting.
    """

    trials: tuple[TrialView, ...]
    losses: tuple[float, ...]
    running: int = 0

    @property
    def runs(self) -> int:
        """How often the settings were started."""
        return len(self.losses) + self.running

    @property
    def loss(self) -> float:
        """The mean over the seeds."""
        return float(np.mean(self.losses))


def pooled(trials: Sequence[TrialView]) -> list[TrialView]:
    """The trials with the mean over all seeds of their settings as the loss, and its standard error.

    Without a repeat in the study nothing changes. ``stderr`` comes from the deviation between seeds of all repeated
    settings: it is larger for settings that ran once than for settings that ran three times.
    """
    if not any(trial.seed for trial in trials):
        return list(trials)
    groups = grouped(trials)
    deviation = seed_deviation(groups) or 0.0
    means = {trial.number: group for group in groups for trial in group.trials}
    return [
        replace(trial, loss=group.loss, stderr=deviation / math.sqrt(len(group.losses)))
        if (group := means.get(trial.number)) is not None
        else trial
        for trial in trials
    ]


def grouped(trials: Sequence[TrialView]) -> list[Group]:
    """The finished trials by their settings, in the order of the first of each; failed trials are left out."""
    found = by_settings(trials)
    # What a seed adds to a loss is a share of it: taken off as a difference it would leave less than nothing near 0.
    scale = Scale(all(trial.loss is None or trial.loss > 0 for members in found for trial in members))
    shift = _seed_shifts(found, scale)
    groups = []
    for members in found:
        ended = [trial for trial in members if not trial.running and trial.loss is not None]
        # Of a run that was stopped the end is not known: it counts only where no other run has one.
        ended = [trial for trial in ended if trial.stopped_at is None] or ended
        losses = tuple(_less(trial, shift.get(trial.seed, 0.0), scale) for trial in ended)
        if ended:
            groups.append(Group(tuple(ended), losses, len(members) - len(ended)))
    return groups


def by_settings(trials: Sequence[TrialView]) -> list[list[TrialView]]:
    """The trials that did not fail by their settings, in the order of the first of each."""
    found: dict[tuple[tuple[str, object], ...], list[TrialView]] = {}
    for trial in sorted(trials, key=lambda one: one.number):
        if not trial.failed:
            found.setdefault(tuple(sorted(trial.settings.items())), []).append(trial)
    return list(found.values())


def _less(trial: TrialView, shift: float, scale: Scale) -> float:
    """A trial's loss less what its seed adds to the height of every setting."""
    return float(scale.loss(np.asarray(scale.height(trial.loss or 0.0) - shift))) if shift else trial.loss or 0.0


def _seed_shifts(groups: Sequence[Sequence[TrialView]], scale: Scale) -> dict[int, float]:
    """How much each seed adds to a height, from the settings that ran with it and with the study's own seed.

    Some seeds are harder for every setting (their rows come in a worse order). The mean difference over m settings
    counts as m / (m + 1) of itself: a single difference is due to the setting as much as to the seed.
    """
    found: dict[int, list[float]] = {}
    for members in groups:
        whole = [t for t in members if t.usable and t.stopped_at is None]
        heights = [(t.seed, scale.height(t.loss)) for t in whole if t.loss is not None]
        own = [height for seed, height in heights if seed == 0]
        for seed, height in heights:
            if own and seed:
                found.setdefault(seed, []).append(height - own[0])
    return {seed: float(np.sum(gaps)) / (len(gaps) + 1) for seed, gaps in found.items()}


def seed_deviation(groups: Sequence[Group]) -> float | None:
    """The standard deviation between seeds, pooled over the settings that ran more than once; None without any.

    With few pairs two seeds often come close by chance: what is usual for the method counts as two pairs. Where nothing
    is usual, the deviation is raised by 1 + 1 / pairs.
    """
    stable = [group for group in groups if len(group.losses) > 1 and not any(t.diverged for t in group.trials)]
    if not stable:
        return None
    squares = sum(float(np.var(group.losses)) * len(group.losses) for group in stable)
    pairs = sum(len(group.losses) - 1 for group in stable)
    usual = method_record(stable[0].trials[0].method).seed_sd * min(abs(group.loss) for group in stable)
    if not usual:
        return math.sqrt(squares / pairs) * (1 + 1 / pairs)
    return math.sqrt((squares + USUAL_PAIRS * usual**2) / (pairs + USUAL_PAIRS))


def next_seed(trial: TrialView, trials: Sequence[TrialView]) -> int:
    """The number of the next fresh seed for a trial's settings: 1 for the first repeat."""
    return 1 + max((other.seed for other in trials if other.settings == trial.settings), default=0)
