"""The trial that a study holds for its best: of those that seeds do not tell apart, the one that the model expects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from optuna.distributions import BaseDistribution

from diagnostics.model.methods import method_record
from tuner.search.noise import RELATIVE_NOISE_FLOOR
from tuner.search.proposal import incumbent
from tuner.search.replicates import Group, grouped, pooled
from tuner.search.rescaling import searched_space
from tuner.search.run_model.posterior import Posterior, RunModel
from tuner.search.run_model.priors import Normal
from tuner.search.trial_view import TrialView

FORM_ERROR = 0.012
"""What the model may be off by near the best: so much the form misses on tables of LoRA SFT. Where seeds differ by
less than twice that, what was measured says more than what is expected."""
STANDARD_ERRORS = 2.0
"""Two settings that lie closer than this, in standard errors of their difference, may yet change places."""


def held_for_best(
    trials: Sequence[TrialView], space: Mapping[str, BaseDistribution], rate: Normal | None = None
) -> TrialView | None:
    """The best trial so far; ``trials`` have their own losses. None without a usable one.

    ``rate`` is what was known of the best rate beforehand, in decades.

    The lowest of many noisy losses is low by luck as much as by its settings (the winner's curse: Smith and Winkler
    2006). So of the settings that the noise between seeds does not tell from the lowest, the one counts whose posterior
    mean is the lowest: that mean leans on the runs nearby. Where seeds hardly differ, or
    the method's noise is not known, the lowest counts.
    """
    lowest = incumbent(pooled(trials))
    if lowest is None or not lowest.method or not method_record(lowest.method).seed_sd:
        return lowest
    searched = searched_space(space, lowest.method, lowest.metric)
    model = RunModel(searched, rate).posterior(trials) if RunModel.serves(searched) else None
    if model is None or model.noise < 2 * FORM_ERROR:
        return lowest
    return _expected(model, _not_told_apart(model, trials, lowest))


def _not_told_apart(model: Posterior, trials: Sequence[TrialView], lowest: TrialView) -> list[TrialView]:
    """The settings that seeds do not tell from the lowest, by their first trials; the lowest is among them."""
    groups = [group for group in grouped(trials) if all(one.usable and one.stopped_at is None for one in group.trials)]
    best = next((group for group in groups if group.trials[0].number == lowest.number), None)
    if best is None:
        return [lowest]

    def is_close(group: Group) -> bool:
        error = model.noise * math.sqrt(1 / len(group.losses) + 1 / len(best.losses))
        return model.scale.height(group.loss) - model.scale.height(best.loss) <= STANDARD_ERRORS * error

    return [group.trials[0] for group in groups if group is best or (is_close(group) and not group.trials[0].seed)]


def _expected(model: Posterior, rivals: Sequence[TrialView]) -> TrialView:
    """The rival of the lowest posterior mean; among near ties an unstable one gives way."""
    means = model.heights([trial.settings for trial in rivals])[0].mean(axis=0)
    ties = [trial for trial, mean in zip(rivals, means, strict=True) if mean < means.min() + RELATIVE_NOISE_FLOOR]
    stable = [trial for trial in ties if trial.label not in ("unstable", "broken")]
    return min(stable, key=lambda one: means[rivals.index(one)]) if stable else rivals[int(np.argmin(means))]
