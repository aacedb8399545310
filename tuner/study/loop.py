"""The loop: propose settings, train, diagnose, record; then repeat the winner and the user's file on fresh seeds."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics.errors import BadInput
from diagnostics.model.message import message
from tuner.search.distributions import distributions
from tuner.study import repeats
from tuner.study.budget import seconds_spent
from tuner.study.context import StudyContext, repeat_plan
from tuner.study.events import Closed, Event, Finished, Notice, Opened, Show
from tuner.study.history import best_number, trial_results
from tuner.study.interruptible import interruptible
from tuner.study.open_study import opened, start_settings
from tuner.study.outcome import ENDED, write_outcome
from tuner.study.protocols import Report, Train
from tuner.study.results import StudyResult
from tuner.study.run_repeat import POLL_SECONDS, run_repeats
from tuner.study.run_trial import finished, run_trial
from tuner.study.stop_rules import stop_if_hopeless, why_no_more
from tuner.study.workers.claims import Claim, claim, free_disk

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from tuner.config.study_file import StudySpec


def run_study(
    spec: StudySpec,
    train: Train,
    out: Path,
    *,
    storage: str | None = None,
    trials: int | None = None,
    show: Show | None = None,
    base: BaseSampler | None = None,
) -> StudyResult:
    """The study's result, once ``trials`` trials (default: the file's) and the repeats are finished.

    A study in ``out`` continues where it stopped; a finished one only gets its report again. ``show`` is called with
    each event; ``base`` replaces the base sampler. Raises ``BadInput`` when the file changed since the study began or
    when every trial fails alike, and ``Unfinished`` when the machine, the database or the network ended it; passes
    ``KeyboardInterrupt`` on with the study left ready to continue.
    """
    if not spec.study.space:
        raise BadInput(f"{spec.path}: study.space is missing; list the settings to search with their ranges")
    out = Path(out)
    total = trials or spec.study.trials
    with opened(spec, out, storage, base, show or _ignore) as (study, locks):
        space = distributions(spec.study.space)
        return _run(StudyContext(spec, train, out, study, space, total, locks, show or _ignore))


def _run(context: StudyContext) -> StudyResult:
    """Search, repeat and report; when something ends it early, the report of what is there is written all the same."""
    block = context.spec.study
    context.show(opening(context))
    for knob in sorted(context.space.keys() - context.searched.keys()):
        context.show(Notice(message("rescales-metric", knob=knob, metric=block.metric)))
    with interruptible():
        try:
            _search(context)
            free_disk(context.out, finished(context), best_number(context.study))  # a worker may have died before it
            run_repeats(context)
        except BaseException:
            with suppress(Exception):
                write_outcome(context)
            raise
    result = write_outcome(context)
    context.show(Closed(result))
    return result


def opening(context: StudyContext, workers: int = 1) -> Opened:
    """The event that a study begins or continues."""
    block = context.spec.study
    return Opened(
        name=context.spec.name,
        metric=block.metric,
        direction=context.direction,
        total=context.total,
        seeds=block.seeds,
        done=tuple(trial for trial in trial_results(context.study) if not trial.is_running),
        folder=str(context.out),
        minutes=block.minutes,
        steps=block.steps,
        workers=workers,
    )


def _ignore(event: Event) -> None:
    """Ignore the event."""


def _search(context: StudyContext) -> None:
    """Run trials until the total or the budget is reached or no gain is in sight; cut trials always continue.

    While other workers still train, wait: one that dies leaves its trial.
    """
    begun, before = time.monotonic(), seconds_spent(trial_results(context.study), repeats.all_of(context.study))
    start, waits, ended, why = start_settings(context.spec), False, -1, None
    while True:
        trials = trial_results(context.study)
        if sum(not trial.is_running for trial in trials) != ended:
            # The gain that is left takes a while to compute, and changes only when a trial ends.
            ended = sum(not trial.is_running for trial in trials)
            why = why_no_more(context, trials, before + time.monotonic() - begun)
        held = claim(context.study, context.locks, context.out, context.space, 0 if why else context.total, start)
        if held is not None:
            _run_held(context, held)
            continue
        trials = trial_results(context.study)  # another worker may have begun or ended one before the claim
        running = next((trial.number for trial in trials if trial.is_running), None)
        if running is None:
            break
        if not waits:
            context.show(Notice(message("waiting-for-trial", trial=running)))
        waits = True
        time.sleep(POLL_SECONDS)
    if why and len(trials) < context.total:
        context.study.set_user_attr(ENDED, {"trials": len(trials), "why": why.to_dict()})
        context.show(Notice(why))


def _run_held(context: StudyContext, held: Claim) -> None:
    """Run one trial and report it."""
    try:
        result = run_trial(context, held)
    finally:
        held.lock.release()
    if result is None:
        return
    free_disk(context.out, finished(context), best_number(context.study))
    write_outcome(context)
    context.show(Finished(result, best_number(context.study)))
    if result.number == 0 and result.label == "broken":
        context.show(Notice(message("first-trial-broken", cause=result.cause)))
    stop_if_hopeless(context)


__all__ = ["Report", "StudyContext", "Train", "repeat_plan", "run_study"]
