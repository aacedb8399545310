"""The seed that a trial trains with: the study's own, or a fresh one for a repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.search.attributes import RESEED

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial


SEED_STRIDE = 100
"""A repeat's seed lies this far from the study's own, so that the seeds right after that are fresh for a proof."""


def seed_of(trial: Trial | FrozenTrial, seed: int = 42) -> int:
    """The seed to train a trial with: the study's own, or a fresh one where the trial repeats earlier settings.

    A ``DiagnosisSampler(reseed=True)`` repeats the best settings where a few seeds must decide between them; an
    objective in such a study takes its seed from here.
    """
    repeat = replicate_of(trial)
    return seed + SEED_STRIDE + repeat if repeat else seed


def replicate_of(trial: Trial | FrozenTrial) -> int:
    """0 for a trial with settings of its own, n for the n-th repeat of earlier ones."""
    storage = getattr(trial, "storage", None)
    if storage is None:
        return int(trial.user_attrs.get(RESEED) or 0)
    # Optuna asks the sampler at the first suggestion: it must have spoken, unless somebody else set the parameters.
    # What it wrote is in the storage alone, for a live trial keeps the attributes that it was made with.
    if "fixed_params" not in storage.get_trial_system_attrs(trial._trial_id):
        _ = trial.relative_params  # type: ignore[union-attr]
    return int(storage.get_trial(trial._trial_id).user_attrs.get(RESEED) or 0)
