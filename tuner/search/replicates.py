"""The same settings on another seed: what the seed alone changes, and which settings it is worth asking again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuner.search.noise import noise_between
from tuner.search.trial_view import TrialView

MOST = 3
"""Runs of one setting, its first included: what a claim of a gain asks for as well."""
WITHIN = 2.0
"""Standard errors between two settings that may yet change places."""
FAR = 4.0
"""A lead of so many deviations between seeds needs no second run."""
RIVALS = 4
"""Settings in doubt at a time, the best included: the rest can wait until one of these drops out."""


@dataclass(frozen=True)
class Group:
    """The finished runs of one setting, the first of them leading; ``losses`` are freed of what their seeds change."""

    trials: tuple[TrialView, ...]
    losses: tuple[float, ...]
    under_way: int = 0

    @property
    def loss(self) -> float:
        """The mean over the seeds."""
        return float(np.mean(self.losses))


def pooled(trials: Sequence[TrialView]) -> list[TrialView]:
    """The trials with the mean over all seeds of their settings in place of a loss, and how far to doubt it.

    Without a repeat in the study nothing changes. ``doubt`` is the standard error of the mean, from the spread between
    seeds of all settings that were repeated: a setting that ran once is doubted more than one that ran thrice.
    """
    if not any(trial.seed for trial in trials):
        return list(trials)
    groups = grouped(trials)
    spread = between_seeds(groups) or 0.0
    told = {}
    for group in groups:
        doubt = spread / math.sqrt(len(group.losses))
        told.update({trial.number: (group.loss, doubt) for trial in group.trials})
    return [
        replace(trial, loss=told[trial.number][0], stderr=told[trial.number][1]) if trial.number in told else trial
        for trial in trials
    ]


def grouped(trials: Sequence[TrialView]) -> list[Group]:
    """The finished trials by their settings, in order of the first of each; one that failed tells nothing."""
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

    Some seeds are harder for every setting (their rows come in a worse order). The mean difference of m settings
    counts m / (m + 1) of what it is: one alone says as much of the setting as of the seed.
    """
    found: dict[int, list[float]] = {}
    for members in groups:
        own = [t.loss for t in members if t.seed == 0 and t.usable and t.loss is not None]
        for trial in members:
            if own and trial.seed and trial.usable and trial.loss is not None:
                found.setdefault(trial.seed, []).append(trial.loss - own[0])
    return {seed: float(np.sum(gaps)) / (len(gaps) + 1) for seed, gaps in found.items()}


def between_seeds(groups: Sequence[Group]) -> float | None:
    """The standard deviation between seeds, pooled over the settings that ran more than once; None without any.

    Of few pairs it is taken for larger than it looks (by 1 + 1 / pairs): two seeds often come close by chance.
    """
    calm = [group.losses for group in groups if len(group.losses) > 1 and not any(t.diverged for t in group.trials)]
    if not calm:
        return None
    squares = sum(float(np.var(losses)) * len(losses) for losses in calm)
    pairs = sum(len(losses) - 1 for losses in calm)
    return math.sqrt(squares / pairs) * (1 + 1 / pairs)


def in_doubt(trials: Sequence[TrialView]) -> TrialView | None:
    """The trial whose settings are most worth running on another seed; None when no repeat would settle anything.

    First the best one, unless it leads by far: what it gains over the others may be its seed's. Then, of those that lie
    within two standard errors of it, whichever ran least often. ``trials`` as they were told, not pooled.
    """
    groups = [group for group in grouped(trials) if not any(trial.diverged for trial in group.trials)]
    if len(groups) < 2:
        return None
    spread = between_seeds(groups)
    best = min(groups, key=lambda group: group.loss + (spread or 0.0) / math.sqrt(len(group.losses)))
    if spread is None or (len(best.losses) == 1 and not _leads(best, groups, spread)):
        return None if best.under_way else best.trials[0]
    rivals = sorted((group for group in groups if _may_win(group, best, spread)), key=lambda group: group.loss)
    open_ones = [group for group in [best, *rivals][:RIVALS] if len(group.losses) + group.under_way < MOST]
    if not rivals or not open_ones:
        return None
    return min(open_ones, key=lambda group: len(group.losses) + group.under_way).trials[0]


def _leads(best: Group, groups: Sequence[Group], spread: float) -> bool:
    """Whether no seed could have put the best settings so far ahead of the next ones."""
    gap = min(group.loss for group in groups if group is not best) - best.loss
    return gap > FAR * max(spread, noise_between(best.trials[0]))


def _may_win(group: Group, best: Group, spread: float) -> bool:
    """Whether the seeds leave open which of two settings is the better one, by more than what counts as noise."""
    if group is best:
        return False
    error = spread * math.sqrt(1 / len(group.losses) + 1 / len(best.losses))
    return group.loss - best.loss < WITHIN * error and WITHIN * error > noise_between(best.trials[0])


def next_seed(trial: TrialView, trials: Sequence[TrialView]) -> int:
    """The number of the next fresh seed for a trial's settings: 1 for the first repeat."""
    return 1 + max((other.seed for other in trials if other.settings == trial.settings), default=0)
