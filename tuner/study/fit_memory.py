"""Training that fits: a run that is out of memory is tried again with fewer rows on the device, and the study knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import optuna

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.message import Message, message
from tuner.errors import Unfinished
from tuner.study.context import StudyContext
from tuner.study.events import RowsLowered
from tuner.study.failure import Failure, FailureKind, RunGivenUp
from tuner.study.folder import trial_folder
from tuner.study.judge_ledger import judged_within
from tuner.study.protocols import Report
from tuner.study.words import failure_words
from tuner.study.workers.attempts import attempts_at, detect_lost_worker, under_way, was_attempted
from tuner.training.device_batch import DeviceBatch, device_batch, is_out_of_memory, lowered_batch_note

LIMIT_PREFIX = "memory:"
NEEDS_MORE_WHEN_HIGHER = ("max_length", "lora_r", "num_generations", "max_completion_length")
"""Knobs that need more memory the higher they are: what did not fit there does not fit above either."""
MEMORY_NEUTRAL = frozenset(
    (
        *("learning_rate", "batch_size", "warmup_ratio", "weight_decay", "max_grad_norm", "lora_alpha", "seed"),
        *("num_train_epochs", "max_steps", "lr_scheduler_type", "beta", "label_smoothing", "label_smoothing_factor"),
        *("adam_beta1", "adam_beta2", "adam_epsilon", "neftune_noise_alpha", "lora_dropout", "use_rslora"),
    )
)
"""Knobs that memory does not depend on; any other must be equal for a limit to hold."""


@dataclass(frozen=True)
class MemoryLimit:
    """Where memory ran out: the run, the settings that need memory, and the rows that may be on the device there.

    ``likely`` where nothing says so but that a worker was killed while hardly any memory was free.
    """

    run: str
    needs: Mapping[str, Any]
    failed: DeviceBatch
    fits: DeviceBatch
    likely: bool = False

    def holds_for(self, settings: Mapping[str, Any]) -> bool:
        """Whether a run with these settings needs at least as much memory."""
        needs = needs_of(settings)
        return needs.keys() == self.needs.keys() and all(_as_much(k, needs[k], v) for k, v in self.needs.items())


def needs_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that memory depends on, the rows on the device aside."""
    return {knob: value for knob, value in sorted(settings.items()) if knob not in MEMORY_NEUTRAL}


def _as_much(knob: str, wanted: Any, known: Any) -> bool:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (wanted, known))
    return bool(wanted >= known) if knob in NEEDS_MORE_WHEN_HIGHER and numbers else bool(wanted == known)


def limits(study: optuna.Study) -> Iterator[MemoryLimit]:
    """Where memory ran out in this study so far, in all workers."""
    for key, kept in sorted(study.user_attrs.items()):
        if key.startswith(LIMIT_PREFIX) and kept is not None:
            failed, fits = DeviceBatch(*kept["failed"]), DeviceBatch(*kept["fits"])
            yield MemoryLimit(key.removeprefix(LIMIT_PREFIX), kept["needs"], failed, fits, kept.get("likely", False))


def most_that_fits(study: optuna.Study, settings: Mapping[str, Any]) -> DeviceBatch | None:
    """How many rows a run with these settings may put on the device; None while nothing ran out of memory."""
    known = [limit.fits for limit in limits(study) if limit.holds_for(settings)]
    if not known:
        return None
    return DeviceBatch(min(one.train for one in known), min(one.evaluation for one in known))


class Fitted(NamedTuple):
    """A run, and the notes on a device batch that was lowered for it."""

    run: Run
    notes: tuple[Message, ...]


@dataclass(frozen=True)
class _Job:
    """A run that is to be trained; ``moves`` come on top of the settings (a seed)."""

    context: StudyContext
    settings: Mapping[str, Any]
    folder: Path
    moves: Mapping[str, Any]

    def under(self, limit: DeviceBatch | None) -> dict[str, Any]:
        """What the run changes of the file under a limit."""
        return {**self.settings, **self.moves, **(limit.overrides if limit else {})}


def train_fitting(
    context: StudyContext,
    settings: Mapping[str, Any],
    folder: Path,
    report: Report,
    moves: Mapping[str, Any] = MappingProxyType({}),
) -> Fitted:
    """The run with these settings, on as few rows at once as memory asks for, at the same effective batch.

    ``moves`` come on top of the settings (a seed). Raises ``RunGivenUp`` when one row is too many, and what the
    training raises.
    """
    job = _Job(context, settings, folder, moves)
    if not was_attempted(context.study, folder.name):
        # A run of an earlier study in this folder; one of this study may have ended without its value being recorded.
        (folder / "diagnosis.json").unlink(missing_ok=True)
    _answer_lost_worker(job)
    while True:
        limit = most_that_fits(context.study, settings)
        try:
            judge = judged_within(context.study, folder.name, context.spec.study.judge)
            with judge, under_way(context.study, folder, limit, report) as noted:
                run = context.train(job.under(limit), folder, noted)
            return Fitted(run, _notes(job, limit))
        except BadInput:
            raise
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            problem = error
        # Outside of the handler, so that nothing holds on to the frames of the run that failed.
        _lower(job, limit, FailureKind.OUT_OF_MEMORY, problem)


def _answer_lost_worker(job: _Job) -> None:
    """Lower the device batch where the last worker in this run was killed for memory; give up after many losses.

    A run that takes its worker with it would otherwise take the next one as well, and so on. Whoever preempts workers
    or restarts the machine leaves no sign of memory, and the run begins again as it was. Raises ``RunGivenUp`` after
    ``MAX_LOSSES_WITHOUT_PROGRESS``; for trial 0, which every gain is measured against, ``Unfinished``.
    """
    loss = detect_lost_worker(job.context.study, job.folder)
    if loss is None:
        return
    if loss.for_memory:
        kind = FailureKind.KILLED_FOR_MEMORY if loss.by_kernel else FailureKind.WORKERS_KILLED
        _lower(job, loss.attempt.limit, kind)
    elif loss.too_often:
        failure = Failure(FailureKind.WORKERS_LOST, losses=loss.in_a_row)
        if job.folder.name == trial_folder(0):
            raise Unfinished(f"{job.folder}: {failure_words(failure)}; the same command tries it again")
        raise RunGivenUp(failure)


def _lower(job: _Job, limit: DeviceBatch | None, kind: FailureKind, problem: Exception | None = None) -> None:
    """Let the whole study know that fewer rows fit than under this limit; raises ``RunGivenUp`` after one row."""
    context, run, needs = job.context, job.folder.name, needs_of(job.settings)
    likely = kind is FailureKind.WORKERS_KILLED
    failed = device_batch(context.spec.config, context.spec.method, job.under(limit))
    fits = failed.halved
    if fits is None:
        if likely:  # the rows did not matter, so the other runs need not do with fewer
            context.study.set_user_attr(f"{LIMIT_PREFIX}{run}", None)
        raise RunGivenUp(Failure(kind, settings=needs)) from problem
    kept: dict[str, Any] = {"needs": needs, "failed": [failed.train, failed.evaluation]}
    kept |= {"fits": [fits.train, fits.evaluation], "likely": likely}
    context.study.set_user_attr(f"{LIMIT_PREFIX}{run}", kept)
    context.show(RowsLowered(run, kind, failed, fits, needs))


def _notes(job: _Job, limit: DeviceBatch | None) -> tuple[Message, ...]:
    """The notes on the run's device batch, and on the workers that it cost."""
    note = lowered_batch_note(job.context.spec.config, job.context.spec.method, job.under(limit))
    killed = attempts_at(job.context.study, job.folder.name).killed
    if note is None:
        return ()
    return (note, message("workers-killed-before", killed=killed)) if killed else (note,)
