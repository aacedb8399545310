"""What there is to show of a study: its state after each event, and the event as one plain line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from diagnostics.formatting import duration, number, setting
from tuner.config.study_file import AS_MANY_AS_FIT
from tuner.study.events import Advanced, Closed, Event, Finished, Notice, Opened, Repeated, Started
from tuner.study.results import AGAIN, ANOTHER_SEED, ONLY_SEED, Gain, TrialResult


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
    said: tuple[str, ...] = ()
    gain: Gain | None = None
    closed: bool = False


def apply(progress: ProgressState, event: Event) -> ProgressState:
    """The scene once the event has happened."""
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
        case Notice():
            return replace(progress, said=(*progress.said, event.text))
        case Closed():
            return replace(progress, closed=True, best=event.best, gain=event.gain, started=None, repeated=None)


def _best(trials: tuple[TrialResult, ...], direction: str) -> int | None:
    known = [trial for trial in trials if trial.value is not None]
    sign = 1 if direction == "minimize" else -1
    return min(known, key=lambda trial: sign * (trial.value or 0.0)).number if known else None


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


def moves(moved: Mapping[str, tuple[Any, Any]], moved_by: str, *, narrow: bool = False) -> str:
    """What changed, in words: ``learning_rate 1e-5 → 1e-4``; or ``your file``, or ``only the seed``."""
    if moved_by == "file":
        return "your file"
    names = {"learning_rate": "rate", "batch_size": "batch", "warmup_ratio": "warm-up"} if narrow else {}
    parts = [f"{names.get(k, k)} {setting(k, _short(a))} → {setting(k, _short(b))}" for k, (a, b) in moved.items()]
    return ", ".join(parts) or (ONLY_SEED if moved_by == AGAIN else "as before")


def way(direction: str) -> str:
    """Which way the metric is meant to go, in words."""
    return "lower is better" if direction == "minimize" else "higher is better"


def _short(value: Any) -> Any:
    return float(f"{value:.2g}") if isinstance(value, float) else value


def proposer(moved_by: str) -> str:
    """Who proposed a trial, in a word or two: the rule, the sampler, or a repeat's fresh seed."""
    if moved_by == AGAIN:
        return ANOTHER_SEED
    kind, _, name = moved_by.partition(":")
    return {"advice": name, "sampler": name or "sampler"}.get(kind, "")


def line(event: Event) -> str | None:
    """The event as one line of plain text; None when it is not worth a line."""
    match event:
        case Opened():
            return _opening(event)
        case Started():
            who = f" ({event.because or proposer(event.moved_by)})" if event.moved_by != "file" else ""
            text = moves(event.moved, event.moved_by).replace("→", "->")
            again = " goes on where it was cut:" if event.continued else ":"
            return f"trial {event.number}{again} {text}{who}"
        case Finished():
            return f"trial {event.trial.number}: {outcome(event.trial)}{' (best)' if _is_best(event) else ''}"
        case Repeated(over=True):
            value = number(event.value) if event.value is not None else "no value"
            return f"repeat {event.done} of {event.total}: trial {event.number}, seed {event.seed}: {value}"
        case Closed():
            return closing(event.best, event.gain)
        case Notice():
            return event.text
    return None


def _is_best(event: Finished) -> bool:
    return event.best == event.trial.number


def _opening(event: Opened) -> str:
    known = f"; {len(event.done)} done before" if event.done else ""
    return f"{event.name}: {goal(event)}{known}; in {event.folder}"


def goal(event: Opened) -> str:
    """What a study is to do: ``12 trials by eval_loss (lower is better), within 30 minutes``, and the proof."""
    count = f"{event.total} trial{'s' if event.total != 1 else ''}"
    count = "as many trials as fit" if event.total >= AS_MANY_AS_FIT else count
    budget = f", within {event.budget}" if event.budget else ""
    return f"{count} by {event.metric} ({way(event.direction)}){then_seeds(event.seeds)}{budget}"


def then_seeds(seeds: int) -> str:
    """``, then a proof on 3 fresh seeds``, or nothing."""
    return f", then a proof on {seeds} fresh seed{'s' if seeds != 1 else ''}" if seeds else ""


def outcome(trial: TrialResult) -> str:
    """How a trial ended: its value and verdict, or why it has none."""
    took = f", {duration(trial.seconds)}"
    if trial.state == "failed":
        return f"failed with {trial.error}{took}"
    if trial.state == "infeasible":
        return f"{trial.error}{took}"
    value = number(trial.value) if trial.value is not None else "diverged"
    stopped = f", {trial.error}" if trial.state == "pruned" and trial.value is not None else ""
    return f"{value}, {trial.label or 'unknown'}{stopped}{took}"


def closing(best: int | None, gain: Gain | None) -> str:
    """The end of a study in one line: the best trial, and what is proved."""
    if best is None:
        return "no trial has a value"
    return f"best: trial {best}" + (f"; {gain.message}" if gain else "")
