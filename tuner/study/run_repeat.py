"""The repeats of a study, run: the winner and the user's own file on fresh seeds, shared by all workers."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from tuner.search.divergence import diverged
from tuner.study import repeats
from tuner.study.context import StudyContext, repeat_plan
from tuner.study.events import Advanced, Notice, Repeated
from tuner.study.fit_memory import DoesNotFit, train_fitting
from tuner.study.history import trial_results
from tuner.study.measure import measure
from tuner.study.outcome import write_outcome
from tuner.study.run_trial import error_line
from tuner.study.workers.attempts import attempts_at
from tuner.study.workers.claims import drop_weights

POLL = 2.0
"""Seconds between two looks at what other workers have finished."""


def run_repeats(context: StudyContext) -> None:
    """Run the repeats that are missing, wait for those in other hands, and take over from a worker that dies."""
    mine: set[tuple[int, int]] = set()
    waits = False
    while missing := [key for key in repeat_plan(context) if key not in mine and not _is_done(context, *key)]:
        key = next((key for key in missing if _run_if_free(context, *key)), None)
        if key is not None:
            mine.add(key)
            continue
        if not waits:
            context.say(Notice(f"waiting for {repeats.folder_name(*missing[0])}, which another worker trains"))
        waits = True
        time.sleep(POLL)


def _is_done(context: StudyContext, trial: int, seed: int) -> bool:
    known = repeats.load(context.study, trial, seed)
    return known is not None and known.error is None


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
    context.say(Repeated(trial, seed, done, len(plan)))
    folder = context.out / repeats.folder_name(trial, seed)
    folder.mkdir(parents=True, exist_ok=True)
    value, steps, problem = _measured(context, trial, seed, settings, folder)
    seconds, lost = time.monotonic() - begun, attempts_at(context.study, folder.name).lost
    repeat = repeats.Repeat(trial, seed, value, seconds, dict(settings), problem, steps, lost)
    repeats.save(context.study, repeat, folder)
    drop_weights(folder, adapter=True)
    context.say(Repeated(trial, seed, done + 1, len(plan), True, value, repeat.seconds))


def _measured(
    context: StudyContext, trial: int, seed: int, settings: Mapping[str, Any], folder: Path
) -> tuple[float | None, float, str | None]:
    """The metric, the steps and the error of the run, each None or 0 where there is none."""
    metric = context.spec.study.metric

    def report(run: Run, share: float) -> str | None:
        curve = run.curve(metric)
        value = float(curve.values[-1]) if curve is not None and len(curve) else None
        context.say(Advanced(trial, share, value, None, seed))
        return None

    try:
        run = train_fitting(context, settings, folder, report, {"seed": seed}).run
    except BadInput:
        raise
    except Exception as error:
        (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        return None, 0.0, str(error) if isinstance(error, DoesNotFit) else error_line(error)
    value = None if diverged(run, diagnose(run), metric) else measure(run, metric, context.spec.study.direction).value
    return value, run.last_step, None


__all__ = ["run_repeats"]
