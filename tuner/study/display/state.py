"""The state of a study that is shown while it runs, after each event."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuner.config.direction import Direction
from tuner.config.study_file import AS_MANY_AS_FIT
from tuner.study.events import Advanced, Closed, Event, Finished, Notice, Opened, Repeated, RowsLowered, Started
from tuner.study.results import TrialResult


@dataclass(frozen=True)
class ProgressState:
    """All that is shown of a study at one moment."""

    opened: Opened | None = None
    trials: tuple[TrialResult, ...] = ()
    best: int | None = None
    started: Started | None = None
    advanced: Advanced | None = None
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
            return replace(progress, started=event, advanced=None)
        case Advanced():
            return replace(progress, advanced=event)
        case Finished():
            trials = (*(t for t in progress.trials if t.number != event.trial.number), event.trial)
            return replace(progress, trials=trials, best=event.best, started=None, advanced=None)
        case Repeated():
            seconds = (*progress.repeat_seconds, event.seconds) if event.over else progress.repeat_seconds
            return replace(progress, repeated=event, repeat_seconds=seconds, advanced=None, started=None)
        case Notice() | RowsLowered():
            return replace(progress, notices=(*progress.notices, event))
        case Closed():
            return replace(progress, closed=event, best=event.result.best, started=None, repeated=None)


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
    done = progress.advanced.share if progress.advanced else 0.0
    return sum(known) / len(known) * max(0.0, trials + repeats - done)
