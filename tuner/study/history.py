"""A study's trials as plain results."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.search_space import intersection_search_space
from optuna.study import Study
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from diagnostics.model.records import current_rule_name
from tuner.search.attributes import (
    BECAUSE,
    CURVE,
    DIAGNOSIS,
    DIVERGED,
    ERROR,
    METRICS,
    MOVED_BY,
    PARENT,
    SECONDS,
    SPARED,
    STEPS,
    STOPPED,
)
from tuner.search.proposer import UNKNOWN_SAMPLER, Proposer
from tuner.search.replicates import pooled
from tuner.search.run_model.priors import stored_rate
from tuner.search.trial_view import TrialView, forgetting_limit, sign_of, trial_view
from tuner.search.winner import held_for_best
from tuner.study.failure import Failure
from tuner.study.folder import trial_folder
from tuner.study.results import TrialResult, TrialState, text_from, texts_from
from tuner.study.workers.attempts import lost_steps
from tuner.study.workers.claims import PLACE

MEMORY = "memory"
"""The notes on a device batch that was lowered for the trial."""
INFEASIBLE = "infeasible"
"""Set for a trial that does not fit in memory."""


def pooled_trials(study: Study) -> list[TrialView]:
    """All trials of a study as the search sees them: settings that ran on several seeds count by their mean."""
    return pooled(trial_views(study))


def trial_views(study: Study) -> list[TrialView]:
    """All trials of a study, each with its own value."""
    sign, limit = sign_of(study), forgetting_limit(study)
    return [
        trial_view(t, sign, limit=limit) for t in study.get_trials(deepcopy=False) if t.state is not OptunaState.WAITING
    ]


def best_number(study: Study) -> int | None:
    """The number of the best trial: where seeds do not tell which has the best value, the one that is expected to.

    Where every trial forgets more than the study allows, it is the one that forgets least.
    """
    ended, trials = (
        study.get_trials(deepcopy=False, states=(OptunaState.COMPLETE, OptunaState.PRUNED)),
        trial_views(study),
    )
    space = intersection_search_space(ended, include_pruned=True)
    best = held_for_best(trials, space, stored_rate(study.user_attrs)) or _least_forgotten(trials)
    return None if best is None else best.number


def _least_forgotten(trials: Sequence[TrialView]) -> TrialView | None:
    known = [trial for trial in trials if trial.excess is not None and not trial.running and not trial.seed]
    return min(known, key=lambda trial: trial.excess or 0.0, default=None)


def trial_results(study: Study) -> tuple[TrialResult, ...]:
    """All trials that were started, in order."""
    trials = [t for t in study.get_trials(deepcopy=False) if t.state is not OptunaState.WAITING]
    settings, lost = {trial.number: trial.params for trial in trials}, lost_steps(study)
    results = (trial_result(trial, settings) for trial in trials)
    return tuple(replace(one, lost=lost.get(one.folder, 0.0)) for one in results)


def trial_result(trial: FrozenTrial, settings: Mapping[int, Mapping[str, Any]]) -> TrialResult:
    """One trial as a plain result; ``settings`` are those of all trials, to say what has moved."""
    kept = trial.user_attrs
    verdict = kept.get(DIAGNOSIS) or {}
    # A trial that began before any other had ended has no parent: it is shown beside the file.
    parent = kept.get(PARENT)
    before = settings.get(0 if parent is None else parent, {})
    moved = {k: (before[k], v) for k, v in trial.params.items() if k in before and before[k] != v}
    # The value that Optuna has of a trial that diverged or failed is a stand-in, not a measurement.
    measured = trial.state.is_finished() and not kept.get(DIVERGED) and ERROR not in kept
    return TrialResult(
        number=trial.number,
        settings=trial.params,
        value=trial.value if measured else None,
        state=_state(trial),
        label=verdict.get("label"),
        cause=current_rule_name(verdict["cause"]) if verdict.get("cause") else None,
        diagnosis=verdict or None,
        proposer=Proposer.from_text(kept[MOVED_BY]) if kept.get(MOVED_BY) else UNKNOWN_SAMPLER,
        moved=moved,
        because=text_from(kept.get(BECAUSE)) or "",
        steps=float(kept.get(STEPS) or 0.0),
        seconds=float(kept.get(SECONDS) or 0.0),
        failure=Failure.from_dict(kept[ERROR], infeasible=INFEASIBLE in kept) if kept.get(ERROR) else None,
        stopped=text_from(kept.get(STOPPED)),
        spared=text_from(kept.get(SPARED)),
        folder=trial_folder(trial.number),
        metrics=kept.get(METRICS) or {},
        curve=tuple((x, y) for x, y in kept.get(CURVE) or ()),
        memory=texts_from(kept.get(MEMORY)),
    )


def placed(trials: tuple[TrialResult, ...], study: Study, out: Path) -> tuple[TrialResult, ...]:
    """The trials with the machine and the full path of each folder that is not in ``out``."""
    places = {trial.number: trial.user_attrs.get(PLACE) for trial in study.get_trials(deepcopy=False)}
    return tuple(_placed(trial, places.get(trial.number), out) for trial in trials)


def _placed(trial: TrialResult, place: tuple[str, str] | None, out: Path) -> TrialResult:
    here = (out / trial.folder).resolve()
    # A study's folder may have been moved: then a finished run lies here all the same.
    if place is None or tuple(place) == (platform.node(), str(here)) or (here / "diagnosis.json").exists():
        return trial
    host, path = place
    return replace(trial, folder=path, host=host)


def _state(trial: FrozenTrial) -> TrialState:
    if not trial.state.is_finished():
        return TrialState.RUNNING
    if INFEASIBLE in trial.user_attrs:
        return TrialState.INFEASIBLE
    if ERROR in trial.user_attrs or trial.state is OptunaState.FAIL:
        return TrialState.FAILED
    return TrialState.PRUNED if STOPPED in trial.user_attrs else TrialState.COMPLETE
