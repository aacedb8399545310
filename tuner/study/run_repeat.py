"""The repeats of a study, run: the winner and the user's own file on fresh seeds, shared by all workers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.exceptions import StorageInternalError

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from tuner.errors import Unfinished
from tuner.search.divergence import diverged
from tuner.study import repeats
from tuner.study.context import StudyContext, repeat_plan
from tuner.study.events import Advanced, Notice, Repeated
from tuner.study.failure import Failure
from tuner.study.fit_memory import train_fitting
from tuner.study.folder import repeat_folder
from tuner.study.history import trial_results
from tuner.study.measure import Measure, forgotten_of, measure
from tuner.study.outcome import write_outcome
from tuner.study.retry import retried, write_traceback
from tuner.study.workers.attempts import attempts_at
from tuner.study.workers.claims import drop_weights

POLL_SECONDS = 0.5
"""Seconds between two checks of what other workers have finished."""


def run_repeats(context: StudyContext) -> None:
    """Run the repeats that are missing, wait for those in other hands, and take over from a worker that dies."""
    mine: set[tuple[int, int]] = set()
    waits = False
    while missing := [key for key in repeat_plan(context) if key not in mine and not _is_done(context, *key)]:
        key = next((key for key in missing if _run_if_free(context, *key)), None)
        if key is not None:
            mine.add(key)
            if _fails_again(context, *key):
                return
            continue
        if not waits:
            context.show(Notice(message("waiting-for-repeat", run=repeat_folder(*missing[0]))))
        waits = True
        time.sleep(POLL_SECONDS)


def _fails_again(context: StudyContext, trial: int, seed: int) -> bool:
    """Whether the settings of a trial without a value failed once more, so that no repeat would have a partner."""
    known = repeats.load(context.study, trial, seed)
    failed = known is not None and known.failure is not None
    return failed and trial == 0 and trial_results(context.study)[0].value is None


def _is_done(context: StudyContext, trial: int, seed: int) -> bool:
    known = repeats.load(context.study, trial, seed)
    return known is not None and known.failure is None


def _run_if_free(context: StudyContext, trial: int, seed: int) -> bool:
    """Whether the repeat was free, and so is done now."""
    lock = repeats.claim(context.study, context.locks, trial, seed)
    if lock is None:
        return False
    try:
        _run(context, trial, seed)
    finally:
        lock.release()
    write_outcome(context)
    return True


def _run(context: StudyContext, trial: int, seed: int) -> None:
    """Train a trial's settings on a fresh seed and keep the metric."""
    settings = next(result.settings for result in trial_results(context.study) if result.number == trial)
    plan = repeat_plan(context)
    done, begun = sum(_is_done(context, *key) for key in plan), time.monotonic()
    context.show(Repeated(trial, seed, done, len(plan)))
    folder = context.out / repeat_folder(trial, seed)
    folder.mkdir(parents=True, exist_ok=True)
    found, failure = _measured(context, trial, seed, settings, folder)
    seconds, lost = time.monotonic() - begun, attempts_at(context.study, folder.name).lost
    value, steps, rise = (found.value, found.steps, forgotten_of(found)) if found else (None, 0.0, None)
    repeat = repeats.Repeat(trial, seed, value, seconds, dict(settings), failure, steps, lost, rise)
    drop_weights(folder, adapter=True)  # before it is kept: nobody comes back to a repeat that is
    repeats.save(context.study, repeat, folder)
    context.show(Repeated(trial, seed, done + 1, len(plan), True, value, repeat.seconds))


def _measured(
    context: StudyContext, trial: int, seed: int, settings: Mapping[str, Any], folder: Path
) -> tuple[Measure | None, Failure | None]:
    """What the run is worth, without a value where it diverged, or why it failed."""
    metric = context.spec.study.metric

    def report(run: Run, share: float) -> str | None:
        curve = run.curve(metric)
        values = () if curve is None else tuple(curve.values.tolist())
        value = values[-1] if values else None
        context.show(Advanced(trial, share, value, None, seed, run.last_step, values))
        return None

    try:
        run = retried(context, folder, lambda: train_fitting(context, settings, folder, report, {"seed": seed})).run
    except (BadInput, StorageInternalError, Unfinished):
        raise
    except Exception as error:
        write_traceback(folder)
        return None, Failure.of(error)
    found = measure(run, metric, context.direction)
    return replace(found, value=None) if diverged(run, diagnose(run), metric) else found, None


__all__ = ["run_repeats"]
