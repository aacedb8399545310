"""How much a metric differs without a reason: between evaluations of one run, and between seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tuner.search.noise import noise_between
from tuner.search.trial_view import TrialView
from tuner.study.repeats import Repeat


@dataclass(frozen=True)
class Noise:
    """Differences of the metric that mean nothing, in its own unit.

    ``counts_from``: the least by which the search takes a trial for better. ``evaluations``: the jumps between
    evaluations late in a run. ``seeds``: the standard deviation between seeds of the best settings, None before they
    were repeated.
    """

    counts_from: float
    evaluations: float
    seeds: float | None = None


def noise_of_study(tried: Sequence[TrialView], best: int | None, repeats: Iterable[Repeat]) -> Noise | None:
    """The noise of the best trial, between seeds as well where it was repeated; None without a best trial."""
    winner = next((trial for trial in tried if trial.number == best), None)
    if winner is None:
        return None
    # Other settings may be noisier by orders of magnitude, trial 0 above all.
    own = [repeat for repeat in repeats if repeat.trial == best]
    return Noise(noise_between(winner), winner.noise, seed_deviation(own))


def seed_deviation(repeats: Sequence[Repeat]) -> float | None:
    """The standard deviation of one trial's metric between seeds; None with fewer than two values."""
    values = [repeat.value for repeat in repeats if repeat.value is not None]
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
