"""The names of the Optuna user attributes in which a trial keeps what is known of its run. Stored studies hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

DIAGNOSIS = "diagnosis"
DIVERGED = "diverged"
NOISE = "noise"
SHARE = "share"
METHOD = "method"
METRIC = "metric"
"""The canonical name of the curve that the study optimizes."""
START = "start"
"""The metric before training, and whether it was evaluated; else it is the first training loss."""
RESEED = "reseed"
MOVED_BY = "moved_by"
BECAUSE = "because"
PARENT = "parent"
STOPPED = "stopped"
SPARED = "spared"
ERROR = "error"
SECONDS = "seconds"
STEPS = "steps"
METRICS = "metrics"
BEFORE = "before"
CURVE = "curve"
RATE_PRIOR = "rate_prior"
"""Of a study: what was known of the best learning rate before it, as the decimal logarithm and its deviation."""
GENERAL_LOSS = "eval_general_loss"
"""The metric, among ``METRICS`` and ``BEFORE``, that shows what a run forgot."""
FORGETTING_LIMIT = "forgetting_limit"
"""The attribute of a study that says by how much that loss may rise in its best trial."""


def forgotten(attributes: Mapping[str, Any]) -> float | None:
    """By how much the loss on general text rose in a trial, in nats a token; None where it was not measured."""
    before, after = (attributes.get(key) or {} for key in (BEFORE, METRICS))
    if GENERAL_LOSS not in before or GENERAL_LOSS not in after:
        return None
    return float(after[GENERAL_LOSS]) - float(before[GENERAL_LOSS])


def excess_of(attributes: Mapping[str, Any], limit: float | None) -> float | None:
    """What a trial forgot beyond the limit, below 0 within it; None without a limit or a measurement."""
    lost = forgotten(attributes)
    return None if limit is None or lost is None else lost - limit


def store_attributes(study: Study, trial: FrozenTrial, values: Mapping[str, Any]) -> None:
    """Store attributes of a trial that is running: Optuna gives samplers and pruners a copy that cannot be written."""
    for name, value in values.items():
        study._storage.set_trial_user_attr(trial._trial_id, name, value)


def stored_attributes(study: Study, trial: FrozenTrial) -> Mapping[str, Any]:
    """The attributes of a trial that is running, with what a sampler stored: a live trial holds those it began with."""
    return study._storage.get_trial(trial._trial_id).user_attrs
