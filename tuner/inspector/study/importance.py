"""Which settings mattered: Optuna's importance (PED-ANOVA), taken from the trials in ``study.json``."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.config.direction import Direction
from tuner.config.search_space import Choice, is_same
from tuner.inspector.study.axes import Axis, axes_of
from tuner.study.results import StudyResult, TrialResult, TrialState

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

MIN_BEST_TRIALS = 5
MIN_TRIALS = 5
"""With fewer trials that have a value, the shares are down to chance."""


def importance(study: StudyResult) -> dict[str, float] | None:
    """Each setting's share of what makes a trial good, the largest first; None where too few trials have a value.

    The evaluator is PED-ANOVA, which is Optuna's default: in which settings do the best trials differ from all of them?
    Its best tenth would be one or two of a dozen trials, so here at least ``MIN_BEST_TRIALS`` are the best. A stopped
    trial counts with the value it was stopped at, as it does for the sampler. The storage of the study is not opened,
    since another process may be writing to it.
    """
    axes = axes_of(study)
    used = [trial for trial in study.trials if _counts(trial, axes)]
    values = {trial.value for trial in used}
    axes = [axis for axis in axes if len({repr(trial.settings.get(axis.name)) for trial in used}) > 1]
    if len(used) < MIN_TRIALS or len(values) < 2 or not axes:
        return None
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        copy = optuna.create_study(direction="maximize" if study.direction is Direction.MAXIMIZE else "minimize")
        copy.add_trials([_trial(trial, axes) for trial in used])
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(
            target_quantile=max(0.1, min(0.5, MIN_BEST_TRIALS / len(used)))
        )
        shares = optuna.importance.get_param_importances(copy, evaluator=evaluator)
    known = {name: share for name, share in shares.items() if math.isfinite(share)}
    return known or None


def _counts(trial: TrialResult, axes: list[Axis]) -> bool:
    known = all(axis.place(trial.settings.get(axis.name)) is not None for axis in axes)
    return trial.value is not None and math.isfinite(trial.value) and trial.state is not TrialState.FAILED and known


def _trial(trial: TrialResult, axes: list[Axis]) -> FrozenTrial:
    from optuna.trial import create_trial

    return create_trial(
        params={axis.name: _spelled(axis, trial) for axis in axes},
        distributions={axis.name: _distribution(axis) for axis in axes},
        value=trial.value,
    )


def _spelled(axis: Axis, trial: TrialResult) -> object:
    """The value as its axis holds it: 8 where the trial has 8.0."""
    value = trial.settings[axis.name]
    return next(one for one in axis.span.values if is_same(one, value)) if isinstance(axis.span, Choice) else value


def _distribution(axis: Axis) -> BaseDistribution:
    """The axis as Optuna's distribution; a range without its steps, which trial 0 need not keep to."""
    from tuner.search.distributions import distribution_of

    span = axis.span
    return distribution_of(span if isinstance(span, Choice) else replace(span, step=None, integer=False))
