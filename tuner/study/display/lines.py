"""Each event of a study as one plain line, and the parts of it that the live table shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostics.formatting import duration, number, setting
from tuner.config.study_file import AS_MANY_AS_FIT
from tuner.messages import text
from tuner.search.proposer import Proposer, ProposerKind
from tuner.study.events import Closed, Event, Finished, Notice, Opened, Repeated, RowsLowered, Started
from tuner.study.results import StudyResult, TrialResult, TrialState
from tuner.study.words import direction_words, ending, gain_words, lowered_words, source, unmoved

NARROW_NAMES = {"learning_rate": "rate", "batch_size": "batch", "warmup_ratio": "warm-up"}


def moves(moved: Mapping[str, tuple[Any, Any]], by: Proposer, *, narrow: bool = False) -> str:
    """What changed, to two digits: ``learning_rate 1e-5 → 1e-4``; or ``your file``, or ``only the seed``."""
    if by.kind is ProposerKind.FILE:
        return source(by)
    names = NARROW_NAMES if narrow else {}
    parts = [f"{names.get(k, k)} {setting(k, _short(a))} → {setting(k, _short(b))}" for k, (a, b) in moved.items()]
    return ", ".join(parts) or unmoved(by) or "as before"


def _short(value: Any) -> Any:
    return float(f"{value:.2g}") if isinstance(value, float) else value


def proposer(by: Proposer) -> str:
    """Who proposed a trial, in a word or two: the rule, the sampler, or a repeat's fresh seed; empty for the file."""
    return by.detail or ("" if by.kind is ProposerKind.FILE else source(by))


def line(event: Event) -> str | None:
    """The event as one line of plain text; None when it is not worth a line."""
    match event:
        case Opened():
            return _opening(event)
        case Started():
            why = text(event.because) or proposer(event.proposer)
            why = f" ({why})" if why else ""
            moved = moves(event.moved, event.proposer).replace("→", "->")
            return f"trial {event.number}{continued(event)}: {moved}{why}"
        case Finished():
            return f"trial {event.trial.number}: {outcome(event.trial)}{' (best)' if _is_best(event) else ''}"
        case Repeated(over=True):
            value = number(event.value) if event.value is not None else "no value"
            return f"repeat {event.done} of {event.total}: trial {event.number}, seed {event.seed}: {value}"
        case Closed():
            return closing(event.result)
        case Notice():
            return text(event.message)
        case RowsLowered():
            return lowered_words(event)
    return None


def continued(event: Started) -> str:
    """What is added to the number of a trial that was cut before."""
    return " continues where it was cut" if event.continued else ""


def _is_best(event: Finished) -> bool:
    return event.best == event.trial.number


def _opening(event: Opened) -> str:
    known = f"; {len(event.done)} done before" if event.done else ""
    return f"{event.name}: {goal(event)}{known}; in {event.folder}"


def goal(event: Opened) -> str:
    """What a study is to do: ``12 trials by eval_loss (lower is better), within 30 minutes``, and the proof."""
    count = f"{event.total} trial{'s' if event.total != 1 else ''}"
    count = "as many trials as fit" if event.total >= AS_MANY_AS_FIT else count
    parts = [f"{event.minutes:g} minutes"] if event.minutes is not None else []
    parts += [f"{event.steps:,} steps"] if event.steps is not None else []
    budget = f", within {' and '.join(parts)}" if parts else ""
    by = f", {event.workers} workers" if event.workers > 1 else ""
    return f"{count} by {event.metric} ({direction_words(event.direction)}){then_seeds(event.seeds)}{budget}{by}"


def then_seeds(seeds: int) -> str:
    """``, then a proof on 3 fresh seeds``, or nothing."""
    return f", then a proof on {seeds} fresh seed{'s' if seeds != 1 else ''}" if seeds else ""


def outcome(trial: TrialResult) -> str:
    """How a trial ended: its value and verdict, or why it has none."""
    took = f", {duration(trial.seconds)}"
    why = ending(trial)
    if trial.state is TrialState.FAILED:
        return f"failed with {why or 'no value'}{took}"
    if trial.state is TrialState.INFEASIBLE:
        return f"{why}{took}"
    value = number(trial.value) if trial.value is not None else "diverged"
    stopped = f", {why}" if trial.state is TrialState.PRUNED and trial.value is not None else ""
    return f"{value}, {trial.label or 'unknown'}{stopped}{took}"


def closing(result: StudyResult) -> str:
    """The end of a study in one line: the best trial, and what is proved."""
    proof = f"; {gain_words(result.gain, result.metric, result.direction)}" if result.gain else ""
    return best_trial(result) + (proof if result.best is not None else "")


def best_trial(result: StudyResult) -> str:
    """The best trial in a line."""
    return "no trial has a value" if result.best is None else f"best: trial {result.best}"
