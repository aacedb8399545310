"""The same settings on another seed: how much a seed changes, and which settings are worth repeating."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.search.noise import noise_between
from tuner.search.trial_view import TrialView

MAX_RUNS_PER_SETTING = 3
"""The first run included. A claim of a gain needs as many."""
RIVAL_STANDARD_ERRORS = 2.0
"""Two settings this close, in standard errors of their difference, may yet change places."""
CLEAR_LEAD_DEVIATIONS = 4.0
"""A lead of this many standard deviations between seeds needs no second run."""
MAX_RIVALS = 4
"""Settings that are compared at a time, the best included; the rest wait until one of these drops out."""


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
    by_settings: dict[tuple[tuple[str, object], ...], list[TrialView]] = {}
    for trial in sorted(trials, key=lambda one: one.number):
        if not trial.failed:
            by_settings.setdefault(tuple(sorted(trial.settings.items())), []).append(trial)
    shift = _seed_shifts(list(by_settings.values()))
    groups = []
    for members in by_settings.values():
        ended = [trial for trial in members if not trial.running and trial.loss is not None]
        losses = tuple((trial.loss or 0.0) - shift.get(trial.seed, 0.0) for trial in ended)
        if ended:
            groups.append(Group(tuple(ended), losses, len(members) - len(ended)))
    return groups


def _seed_shifts(groups: Sequence[Sequence[TrialView]]) -> dict[int, float]:
    """How much each seed adds to a loss, from the settings that ran with it and with the study's own seed.

    Some seeds are harder for every setting (their rows come in a worse order). The mean difference over m settings
    counts as m / (m + 1) of itself: a single difference is due to the setting as much as to the seed.
    """
    found: dict[int, list[float]] = {}
    for members in groups:
        own = [t.loss for t in members if t.seed == 0 and t.usable and t.loss is not None]
        for trial in members:
            if own and trial.seed and trial.usable and trial.loss is not None:
                found.setdefault(trial.seed, []).append(trial.loss - own[0])
    return {seed: float(np.sum(gaps)) / (len(gaps) + 1) for seed, gaps in found.items()}


def seed_deviation(groups: Sequence[Group]) -> float | None:
    """The standard deviation between seeds, pooled over the settings that ran more than once; None without any.

    It is raised by 1 + 1 / pairs: with few pairs, two seeds often come close by chance.
    """
    stable = [group.losses for group in groups if len(group.losses) > 1 and not any(t.diverged for t in group.trials)]
    if not stable:
        return None
    squares = sum(float(np.var(losses)) * len(losses) for losses in stable)
    pairs = sum(len(losses) - 1 for losses in stable)
    return math.sqrt(squares / pairs) * (1 + 1 / pairs)


def in_doubt(trials: Sequence[TrialView]) -> TrialView | None:
    """The trial whose settings are most worth running on another seed; None when no repeat would settle anything.

    The best one comes first, unless it leads by far: its lead may be its seed's. Then comes, of those that lie within
    two standard errors of it, the one that ran least often. ``trials`` have their own losses, not pooled ones.
    """
    groups = [group for group in grouped(trials) if not any(trial.diverged for trial in group.trials)]
    if len(groups) < 2:
        return None
    deviation = seed_deviation(groups)
    best = min(groups, key=lambda group: group.loss + (deviation or 0.0) / math.sqrt(len(group.losses)))
    if deviation is None or (len(best.losses) == 1 and not _leads(best, groups, deviation)):
        return None if best.running else best.trials[0]
    rivals = sorted((group for group in groups if _may_win(group, best, deviation)), key=lambda group: group.loss)
    unsettled = [group for group in [best, *rivals][:MAX_RIVALS] if group.runs < MAX_RUNS_PER_SETTING]
    if not rivals or not unsettled:
        return None
    return min(unsettled, key=lambda group: group.runs).trials[0]


def _leads(best: Group, groups: Sequence[Group], deviation: float) -> bool:
    """Whether no seed could have put the best settings so far ahead of the next ones."""
    gap = min(group.loss for group in groups if group is not best) - best.loss
    return gap > CLEAR_LEAD_DEVIATIONS * max(deviation, noise_between(best.trials[0]))


def _may_win(group: Group, best: Group, deviation: float) -> bool:
    """Whether seeds may still decide which of two settings is better, by more than what counts as noise."""
    if group is best:
        return False
    limit = RIVAL_STANDARD_ERRORS * deviation * math.sqrt(1 / len(group.losses) + 1 / len(best.losses))
    return group.loss - best.loss < limit and limit > noise_between(best.trials[0])


def next_seed(trial: TrialView, trials: Sequence[TrialView]) -> int:
    """The number of the next fresh seed for a trial's settings: 1 for the first repeat."""
    return 1 + max((other.seed for other in trials if other.settings == trial.settings), default=0)
