"""The repeats of a study, run: the winner and the user's own file on fresh seeds, shared by all workers."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diagnostics.curves import Run
from diagnostics.diagnosis import diagnose
from diagnostics.errors import BadInput
from tuner.search.record import diverged
from tuner.study import repeats
from tuner.study.attempts import attempts_at
from tuner.study.events import Advanced, Repeated, Said
from tuner.study.history import trial_results
from tuner.study.measure import measure
from tuner.study.memory import DoesNotFit, train_fitting
from tuner.study.outcome import write_outcome
from tuner.study.setup import Setup, repeat_plan
from tuner.study.trial_run import error_line
from tuner.study.trials import drop_weights

POLL = 2.0
"""Seconds between two looks at what other workers have finished."""


def run_repeats(setup: Setup) -> None:
    """Run the repeats that are missing, wait for those in other hands, and take over from a worker that dies."""
    mine: set[tuple[int, int]] = set()
    waits = False
    while missing := [key for key in repeat_plan(setup) if key not in mine and not _is_done(setup, *key)]:
        key = next((key for key in missing if _run_if_free(setup, *key)), None)
        if key is not None:
            mine.add(key)
            continue
        if not waits:
            setup.say(Said(f"waiting for {repeats.folder_name(*missing[0])}, which another worker trains"))
        waits = True
        time.sleep(POLL)


def _is_done(setup: Setup, trial: int, seed: int) -> bool:
    known = repeats.load(setup.study, trial, seed)
    return known is not None and known.error is None


def _run_if_free(setup: Setup, trial: int, seed: int) -> bool:
    """Whether the repeat was free, and so is done now."""
    lock = repeats.claim(setup.study, setup.locks, trial, seed)
    if lock is None:
        return False
    try:
        _run(setup, trial, seed)
    finally:
        lock.release()
    write_outcome(setup)
    return True


def _run(setup: Setup, trial: int, seed: int) -> None:
    """Train a trial's settings on a fresh seed and keep the metric."""
    settings = next(result.settings for result in trial_results(setup.study) if result.number == trial)
    plan = repeat_plan(setup)
    done, begun = sum(_is_done(setup, *key) for key in plan), time.monotonic()
    setup.say(Repeated(trial, seed, done, len(plan)))
    folder = setup.out / repeats.folder_name(trial, seed)
    folder.mkdir(parents=True, exist_ok=True)
    value, steps, problem = _measured(setup, trial, seed, settings, folder)
    seconds, lost = time.monotonic() - begun, attempts_at(setup.study, folder.name).lost
    repeat = repeats.Repeat(trial, seed, value, seconds, dict(settings), problem, steps, lost)
    repeats.save(setup.study, repeat, folder)
    drop_weights(folder, adapter=True)
    setup.say(Repeated(trial, seed, done + 1, len(plan), True, value, repeat.seconds))


def _measured(
    setup: Setup, trial: int, seed: int, settings: Mapping[str, Any], folder: Path
) -> tuple[float | None, float, str | None]:
    """The metric, the steps and the error of the run, each None or 0 where there is none."""
    metric = setup.spec.study.metric

    def report(run: Run, share: float) -> str | None:
        curve = run.curve(metric)
        value = float(curve.values[-1]) if curve is not None and len(curve) else None
        setup.say(Advanced(trial, share, value, None, seed))
        return None

    try:
        run = train_fitting(setup, settings, folder, report, {"seed": seed}).run
    except BadInput:
        raise
    except Exception as error:
        (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        return None, 0.0, str(error) if isinstance(error, DoesNotFit) else error_line(error)
    value = None if diverged(run, diagnose(run), metric) else measure(run, metric, setup.spec.study.direction).value
    return value, run.last_step, None


__all__ = ["run_repeats"]
