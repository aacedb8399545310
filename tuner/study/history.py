"""A study's trials as plain results, and how each rule's advice turned out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from tuner.search.advisor import incumbent
from tuner.search.record import (
    BECAUSE,
    CURVE,
    DIAGNOSIS,
    DIVERGED,
    ERROR,
    METRICS,
    MOVED_BY,
    PARENT,
    SECONDS,
    STEPS,
    STOPPED,
    Tried,
    beyond_noise,
    tried,
)
from tuner.study.results import RuleRecord, TrialResult

ADVICE = "advice:"


def tried_trials(study: Study) -> list[Tried]:
    """All trials of a study as the search sees them."""
    sign = 1.0 if study.direction is StudyDirection.MINIMIZE else -1.0
    return [tried(t, sign) for t in study.get_trials(deepcopy=False) if t.state is not TrialState.WAITING]


def best_number(study: Study) -> int | None:
    """The number of the best trial: the lowest or highest value, an unstable trial giving way in a near tie."""
    best = incumbent(tried_trials(study))
    return None if best is None else best.number


def trial_results(study: Study) -> tuple[TrialResult, ...]:
    """All trials that were started, in order."""
    trials = [t for t in study.get_trials(deepcopy=False) if t.state is not TrialState.WAITING]
    settings = {trial.number: trial.params for trial in trials}
    return tuple(trial_result(trial, settings) for trial in trials)


def trial_result(trial: FrozenTrial, settings: Mapping[int, Mapping[str, Any]]) -> TrialResult:
    """One trial as a plain result; ``settings`` are those of all trials, to say what has moved."""
    kept = trial.user_attrs
    verdict = kept.get(DIAGNOSIS) or {}
    before = settings.get(kept.get(PARENT, -1), {})
    moved = {k: (before[k], v) for k, v in trial.params.items() if k in before and before[k] != v}
    # What Optuna was told for a trial that diverged or failed is a stand-in, not a measurement.
    told = trial.state.is_finished() and not kept.get(DIVERGED) and ERROR not in kept
    stopped = kept.get(STOPPED)
    return TrialResult(
        number=trial.number,
        settings=trial.params,
        value=trial.value if told else None,
        state=_state(trial),
        label=verdict.get("label"),
        cause=verdict.get("cause"),
        diagnosis=verdict or None,
        moved_by=kept.get(MOVED_BY) or "sampler",
        moved=moved,
        because=kept.get(BECAUSE) or "",
        steps=float(kept.get(STEPS) or 0.0),
        seconds=float(kept.get(SECONDS) or 0.0),
        error=kept.get(ERROR) or (f"stopped: {stopped}" if stopped else None),
        folder=f"trial-{trial.number:03d}",
        metrics=kept.get(METRICS) or {},
        curve=tuple((x, y) for x, y in kept.get(CURVE) or ()),
    )


def _state(trial: FrozenTrial) -> str:
    if not trial.state.is_finished():
        return "running"
    if ERROR in trial.user_attrs or trial.state is TrialState.FAIL:
        return "failed"
    return "pruned" if STOPPED in trial.user_attrs else "complete"


def rule_records(trials: Sequence[Tried]) -> tuple[RuleRecord, ...]:
    """For each rule whose advice was followed: how often the value got better or worse beyond noise."""
    by_number = {trial.number: trial for trial in trials}
    counts: dict[str, dict[str, int]] = {}
    for trial in trials:
        parent = by_number.get(-1 if trial.parent is None else trial.parent)
        if not trial.moved_by.startswith(ADVICE) or trial.running or parent is None:
            continue
        outcomes = counts.setdefault(trial.moved_by.removeprefix(ADVICE), dict.fromkeys(("helped", "hurt", "even"), 0))
        outcomes[_outcome(trial, parent)] += 1
    return tuple(RuleRecord(rule, sum(outcomes.values()), **outcomes) for rule, outcomes in sorted(counts.items()))


def _outcome(child: Tried, parent: Tried) -> str:
    """Whether the advised trial was better than the one it started from: ``helped``, ``hurt`` or ``even``."""
    if not child.usable or not parent.usable:
        return "helped" if child.usable else "even" if not parent.usable else "hurt"
    return "helped" if beyond_noise(child, parent) else "hurt" if beyond_noise(parent, child) else "even"
