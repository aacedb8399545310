"""What a study may cost, in minutes and in training steps, with what the repeats will take kept aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diagnostics.model.message import Message, message
from tuner.study.repeats import Repeat
from tuner.study.results import TrialResult

if TYPE_CHECKING:
    from tuner.config.study_file import StudyBlock


def steps_paid(steps: float, settings: Mapping[str, Any], first: TrialResult | None) -> float:
    """A run's optimizer steps in steps of trial 0: those that see as many samples, for a larger batch costs more."""
    batch, usual = settings.get("batch_size"), first.settings.get("batch_size") if first else None
    if isinstance(batch, (int, float)) and isinstance(usual, (int, float)) and usual:
        return steps * batch / usual
    return steps


def steps_spent(trials: Sequence[TrialResult], repeats: Iterable[Repeat]) -> float:
    """The steps of all trials and repeats so far, failed attempts included, in steps of trial 0."""
    first = trials[0] if trials else None
    paid = sum(steps_paid(trial.steps + trial.lost, trial.settings, first) for trial in trials)
    return paid + sum(steps_paid(repeat.steps + repeat.lost, repeat.settings, first) for repeat in repeats)


def seconds_spent(trials: Iterable[TrialResult], repeats: Iterable[Repeat]) -> float:
    """The seconds of all trials and repeats so far."""
    return sum(trial.seconds for trial in trials) + sum(repeat.seconds for repeat in repeats)


def used_up(
    block: StudyBlock, trials: Sequence[TrialResult], repeats: Sequence[Repeat], seconds: float
) -> Message | None:
    """Why no other trial fits into the budget, the repeats to come included; None while one does.

    The first trial always does. ``seconds`` is the time spent so far.
    """
    ended = [trial for trial in trials if not trial.is_running]
    if not ended:
        return None
    missing = repeats_missing(block, repeats)
    return _no_time(block, ended, missing, seconds) or _no_steps(block, trials, repeats, missing)


def repeats_missing(block: StudyBlock, repeats: Sequence[Repeat]) -> int:
    """How many repeats are still to come."""
    return max(0, 2 * block.seeds - sum(repeat.trial == 0 for repeat in repeats))


def _no_time(block: StudyBlock, ended: Sequence[TrialResult], missing: int, seconds: float) -> Message | None:
    known = [trial.seconds for trial in ended if trial.seconds]
    if block.minutes is None or not known:
        return None
    if seconds + sum(known) / len(known) * (1 + missing) <= 60 * block.minutes:
        return None
    return message("minutes-kept" if missing else "minutes-spent", minutes=block.minutes)


def _no_steps(
    block: StudyBlock, trials: Sequence[TrialResult], repeats: Sequence[Repeat], missing: int
) -> Message | None:
    """A run that is not stopped may take as many steps as the longest so far, and so may those that run now."""
    if block.steps is None:
        return None
    whole = max(steps_paid(trial.steps, trial.settings, trials[0]) for trial in trials)
    running = sum(trial.is_running for trial in trials)
    spent = steps_spent([trial for trial in trials if not trial.is_running], repeats)
    if spent + whole * (1 + running + missing) <= block.steps:
        return None
    if not missing:
        return message("steps-spent", spent=spent, steps=block.steps)
    return message("steps-kept", spent=spent, steps=block.steps, kept=whole * missing)
