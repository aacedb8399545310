"""The state of a study that is shown while it runs, after each event."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuner.config.direction import Direction
from tuner.config.study_file import AS_MANY_AS_FIT
from tuner.study.events import Advanced, Closed, Event, Finished, Notice, Opened, Repeated, RowsLowered, Started
from tuner.study.results import TrialResult


@dataclass(frozen=True)
class Running:
    """A trial or a repeat that a worker trains now, and its last evaluation."""

    begun: Started | Repeated
    advanced: Advanced | None = None

    @property
    def key(self) -> tuple[int, int | None]:
        """The trial, and the seed of a repeat."""
        return self.begun.number, self.begun.seed if isinstance(self.begun, Repeated) else None


@dataclass(frozen=True)
class ProgressState:
    """All that is shown of a study at one moment; ``running`` are in the order in which they began."""

    opened: Opened | None = None
    trials: tuple[TrialResult, ...] = ()
    best: int | None = None
    running: tuple[Running, ...] = ()
    repeated: Repeated | None = None
    repeat_seconds: tuple[float, ...] = ()
    notices: tuple[Notice | RowsLowered, ...] = ()
    closed: Closed | None = None


def apply(progress: ProgressState, event: Event) -> ProgressState:
    """The state once the event has happened."""
    match event:
        case Opened():
            best = _best(event.done, event.direction)
            return replace(progress, opened=event, trials=event.done, best=best)
        case Started():
            return replace(progress, running=_without(progress, event.number, None, Running(event)))
        case Advanced():
            return replace(progress, running=tuple(_advanced(run, event) for run in progress.running))
        case Finished():
            trials = (*(t for t in progress.trials if t.number != event.trial.number), event.trial)
            return replace(
                progress, trials=trials, best=event.best, running=_without(progress, event.trial.number, None)
            )
        case Repeated(over=True):
            seconds = (*progress.repeat_seconds, event.seconds)
            running = _without(progress, event.number, event.seed)
            return replace(progress, repeated=event, repeat_seconds=seconds, running=running)
        case Repeated():
            # No trial runs any more once repeats begin.
            running = tuple(r for r in _without(progress, event.number, event.seed) if isinstance(r.begun, Repeated))
            return replace(progress, repeated=event, running=(*running, Running(event)))
        case Notice() | RowsLowered():
            return replace(progress, notices=(*progress.notices, event))
        case Closed():
            return replace(progress, closed=event, best=event.result.best, running=(), repeated=None)


def _without(progress: ProgressState, number: int, seed: int | None, *begun: Running) -> tuple[Running, ...]:
    """The runs that go on when that one has ended, or begins (``begun``): here, or where a lost worker left it."""
    return (*(run for run in progress.running if run.key != (number, seed)), *begun)


def _advanced(run: Running, event: Advanced) -> Running:
    return replace(run, advanced=event) if run.key == (event.number, event.seed) else run


def _best(trials: tuple[TrialResult, ...], direction: Direction) -> int | None:
    known = [trial for trial in trials if trial.value is not None]
    return min(known, key=lambda trial: direction.sign * (trial.value or 0.0)).number if known else None


def seconds_left(progress: ProgressState) -> float | None:
    """How long the trials and repeats to come will take; None until a trial has finished."""
    known = [trial.seconds for trial in progress.trials if trial.seconds > 0] + list(progress.repeat_seconds)
    if progress.opened is None or not known or progress.closed or progress.opened.total >= AS_MANY_AS_FIT:
        return None
    trials = max(0, progress.opened.total - len(progress.trials))
    repeats = (
        2 * progress.opened.seeds if progress.repeated is None else progress.repeated.total - progress.repeated.done
    )
    done = sum(run.advanced.share for run in progress.running if run.advanced)
    return sum(known) / len(known) * max(0.0, trials + repeats - done) / progress.opened.workers
