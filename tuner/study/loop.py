"""The loop: ask for settings, train, diagnose, tell; then repeat the winner and the user's own file on fresh seeds."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostics.curves import Run
from diagnostics.diagnosis import diagnose
from diagnostics.errors import BadInput
from tuner.search.distributions import distributions, is_used_up
from tuner.search.record import diverged
from tuner.study import repeats
from tuner.study.events import Advanced, Closed, Event, Finished, Opened, Repeated, Said, Show
from tuner.study.history import best_number, trial_results
from tuner.study.measure import measure
from tuner.study.opening import SAME_ERRORS, opened, start_settings
from tuner.study.outcome import write_outcome
from tuner.study.results import StudyResult
from tuner.study.setup import Report, Setup, Train, repeat_plan
from tuner.study.trial_run import error_line, finished, run_trial
from tuner.study.trials import claim, drop_weights, free_disk

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from tuner.spec import StudySpec


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

    A study in ``out`` goes on where it stopped; a finished one only gets its report again. ``show`` is told of each
    event; ``base`` replaces the base sampler. Raises ``BadInput`` when the file changed since the study began or when
    every trial fails alike, and passes ``KeyboardInterrupt`` on with the study left ready to go on.
    """
    if not spec.study.space:
        raise BadInput(f"{spec.path}: study.space is missing; list the knobs to search with their ranges")
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    total = trials or spec.study.trials
    with opened(spec, out, storage, base) as study:
        space = distributions(spec.study.space)
        return _run(Setup(spec, train, out, study, space, total, storage is None, show or _silent))


def _run(setup: Setup) -> StudyResult:
    """Search, repeat and report; whatever ends it early, the report of what is there is written."""
    block = setup.spec.study
    done = tuple(trial for trial in trial_results(setup.study) if trial.state != "running")
    setup.say(Opened(setup.spec.name, block.metric, block.direction, setup.total, block.seeds, done, str(setup.out)))
    with _interruptible():
        try:
            _search(setup)
            _repeat(setup)
        except BaseException:
            with suppress(Exception):
                write_outcome(setup)
            raise
    result = write_outcome(setup)
    setup.say(Closed(result.best, result.gain))
    return result


def _silent(event: Event) -> None:
    """Nobody wants to know."""


@contextmanager
def _interruptible() -> Iterator[None]:
    """A block in which SIGTERM interrupts like Ctrl-C, so that locks, storage and report are left in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _search(setup: Setup) -> None:
    """Run trials until the total is reached or the time left is needed for the repeats; cut trials always go on."""
    begun, spent = time.monotonic(), _spent(setup)
    start = start_settings(setup.spec)
    while True:
        in_time = _time_left(setup, spent + time.monotonic() - begun)
        used_up = is_used_up([trial.settings for trial in trial_results(setup.study)], setup.space)
        total = setup.total if in_time and not used_up else 0
        held = claim(setup.study, setup.out, setup.space, total, start, ours=setup.ours)
        if held is None:
            break
        try:
            result = run_trial(setup, held)
        finally:
            held.lock.release()
        free_disk(setup.out, finished(setup), best_number(setup.study))
        write_outcome(setup)
        setup.say(Finished(result, best_number(setup.study)))
        if result.number == 0 and result.label == "broken":
            setup.say(Said(f"trial 0 looks broken ({result.cause}): no setting cures that, see its report"))
        _stop_if_hopeless(setup)
    if len(trial_results(setup.study)) >= setup.total:
        return
    if used_up:
        setup.say(Said("every setting of the space has been tried"))
    elif not in_time:
        minutes = setup.spec.study.minutes
        setup.say(Said(f"no time for another trial: the rest of {minutes:g} minutes is for the repeats"))


def _spent(setup: Setup) -> float:
    """Seconds that trials and repeats have taken so far."""
    known = [repeat.seconds for repeat in repeats.all_in(setup.out)]
    return sum(trial.seconds for trial in trial_results(setup.study)) + sum(known)


def _time_left(setup: Setup, spent: float) -> bool:
    """Whether another trial fits into ``minutes`` with the repeats still to come; the first trial always does."""
    minutes = setup.spec.study.minutes
    known = [trial.seconds for trial in trial_results(setup.study) if trial.seconds]
    if minutes is None or not known:
        return True
    mean = sum(known) / len(known)
    return spent + mean * (1 + 2 * setup.spec.study.seeds) <= 60 * minutes


def _stop_if_hopeless(setup: Setup) -> None:
    """Raise ``BadInput`` when the latest trials all failed with the same error, out of memory aside.

    That is a bug, or a full disk: more trials would fail alike, and settings are not to blame.
    """
    trials = [trial for trial in trial_results(setup.study) if trial.state != "running"]
    errors = {trial.error for trial in trials[-SAME_ERRORS:]}
    error = errors.pop()
    learned = any(trial.state != "failed" for trial in trials)
    if len(trials) < SAME_ERRORS or errors or error is None or trials[-1].state != "failed":
        return
    if learned and "memory" in error.lower():
        return
    which = "latest" if learned else "first"
    more = f" with --trials {setup.total + SAME_ERRORS}" if learned else ""
    raise BadInput(
        f"{setup.spec.path}: the {which} {SAME_ERRORS} trials all failed with {error}; the traceback is in "
        f"{setup.out / trials[-1].folder / 'error.txt'}; mend it and run the command again{more}"
    )


def _repeat(setup: Setup) -> None:
    """Run the repeats that are missing, unless trials are still running in another process."""
    results = trial_results(setup.study)
    running = [trial.number for trial in results if trial.state == "running"]
    if running:
        setup.say(Said(f"trial {running[0]} still runs in another process, which will do the repeats"))
        return
    plan = repeat_plan(setup)
    settings = {trial.number: trial.settings for trial in results}
    for done, (trial, seed) in enumerate(plan):
        lock = repeats.claim(repeats.folder_of(setup.out, trial, seed))
        if lock is None:
            continue
        try:
            _run_repeat(setup, trial, seed, settings[trial], done, len(plan))
        finally:
            lock.release()
        write_outcome(setup)


def _run_repeat(setup: Setup, trial: int, seed: int, settings: Mapping[str, Any], done: int, total: int) -> None:
    """Train a trial's settings on a fresh seed and keep the metric."""
    folder = repeats.folder_of(setup.out, trial, seed)
    metric, begun = setup.spec.study.metric, time.monotonic()
    setup.say(Repeated(trial, seed, done, total))

    def report(run: Run, share: float) -> str | None:
        curve = run.curve(metric)
        value = float(curve.values[-1]) if curve is not None and len(curve) else None
        setup.say(Advanced(trial, share, value, None, seed))
        return None

    value, problem = None, None
    try:
        run = setup.train({**settings, "seed": seed}, folder, report)
    except BadInput:
        raise
    except Exception as error:
        (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        problem = error_line(error)
    else:
        value = None if diverged(run, diagnose(run), metric) else measure(run, metric, setup.spec.study.direction).value
    repeat = repeats.Repeat(trial, seed, value, time.monotonic() - begun, dict(settings), problem)
    repeats.save(repeat, folder)
    drop_weights(folder, adapter=True)
    setup.say(Repeated(trial, seed, done + 1, total, True, value, repeat.seconds))


__all__ = ["Report", "Setup", "Train", "repeat_plan", "run_study"]
