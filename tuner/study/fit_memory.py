"""Training that fits: a run that is out of memory is tried again with fewer rows on the device, and the study knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import optuna

from diagnostics.errors import BadInput
from diagnostics.formatting import plain_name, setting
from diagnostics.model.curves import Run
from tuner.study.context import StudyContext
from tuner.study.events import Notice
from tuner.study.protocols import Report
from tuner.study.workers.attempts import attempts_at, detect_lost_worker, under_way
from tuner.training.device_batch import DeviceBatch, device_batch, is_out_of_memory, limited_note, rows

PREFIX = "memory:"
GROWS = ("max_length", "lora_r", "num_generations", "max_completion_length")
"""Knobs that need more memory the higher they are: what did not fit there does not fit above either."""
HARMLESS = frozenset(
    (
        *("learning_rate", "batch_size", "warmup_ratio", "weight_decay", "max_grad_norm", "lora_alpha", "seed"),
        *("num_train_epochs", "max_steps", "lr_scheduler_type", "beta", "label_smoothing", "label_smoothing_factor"),
        *("adam_beta1", "adam_beta2", "adam_epsilon", "neftune_noise_alpha", "lora_dropout", "use_rslora"),
    )
)
"""Knobs that memory does not depend on; any other must be equal for a limit to hold."""


class DoesNotFit(Exception):
    """A run that is out of memory even with one row on the device; the message says so for people."""


class KillsItsWorker(DoesNotFit):
    """A run that ends its workers without an error, even with one row on the device: most likely out of memory."""


@dataclass(frozen=True)
class MemoryLimit:
    """Where memory ran out: the run, the settings that need memory, and the rows that may be on the device there.

    ``likely`` where nothing says so but workers that died without an error.
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
    return {knob: value for knob, value in sorted(settings.items()) if knob not in HARMLESS}


def _as_much(knob: str, wanted: Any, known: Any) -> bool:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (wanted, known))
    return bool(wanted >= known) if knob in GROWS and numbers else bool(wanted == known)


def limits(study: optuna.Study) -> Iterator[MemoryLimit]:
    """Where memory ran out in this study so far, in all workers."""
    for key, kept in sorted(study.user_attrs.items()):
        if key.startswith(PREFIX) and kept is not None:
            failed, fits = DeviceBatch(*kept["failed"]), DeviceBatch(*kept["fits"])
            yield MemoryLimit(key.removeprefix(PREFIX), kept["needs"], failed, fits, kept.get("likely", False))


def most_that_fits(study: optuna.Study, settings: Mapping[str, Any]) -> DeviceBatch | None:
    """How many rows a run with these settings may put on the device; None while nothing ran out of memory."""
    known = [limit.fits for limit in limits(study) if limit.holds_for(settings)]
    if not known:
        return None
    return DeviceBatch(min(one.train for one in known), min(one.evaluation for one in known))


class Fitted(NamedTuple):
    """A run, and what is to be said of a device batch that was lowered for it."""

    run: Run
    note: str | None


@dataclass(frozen=True)
class _Job:
    """A run that is to be trained; ``moves`` come on top of the settings (a seed)."""

    context: StudyContext
    settings: Mapping[str, Any]
    folder: Path
    moves: Mapping[str, Any]

    def under(self, limit: DeviceBatch | None) -> dict[str, Any]:
        """What the run is told to move under a limit."""
        return {**self.settings, **self.moves, **(limit.overrides if limit else {})}

    @property
    def at(self) -> str:
        """The settings that memory depends on, in words."""
        shown = [f"{plain_name(knob)} {setting(knob, value)}" for knob, value in needs_of(self.settings).items()]
        return f" at {', '.join(shown)}" if shown else ""


def train_fitting(
    context: StudyContext,
    settings: Mapping[str, Any],
    folder: Path,
    report: Report,
    moves: Mapping[str, Any] = MappingProxyType({}),
) -> Fitted:
    """The run with these settings, on as few rows at once as memory asks for, at the same effective batch.

    ``moves`` come on top of the settings (a seed). Raises ``DoesNotFit`` when one row is too many, and what the
    training raises.
    """
    job = _Job(context, settings, folder, moves)
    _answer_a_death(job)
    while True:
        limit = most_that_fits(context.study, settings)
        try:
            with under_way(context.study, folder, limit, report) as noted:
                run = context.train(job.under(limit), folder, noted)
            return Fitted(run, _note(job, limit))
        except BadInput:
            raise
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            problem = error
        # Outside of the handler, so that nothing holds on to the frames of the run that failed.
        in_vain = DoesNotFit(f"does not fit in memory, even with one row on the device{job.at}")
        in_vain.__cause__ = problem
        _lower(job, limit, "out of memory with", in_vain)


def _answer_a_death(job: _Job) -> None:
    """Lower the device batch where the last worker in this run was killed for memory, or several were killed.

    A run that takes its worker with it would otherwise take the next one as well, and so on.
    """
    death = detect_lost_worker(job.context.study, job.folder)
    if death is None or not (death.by_kernel or death.too_often):
        return
    limit = death.attempt.limit
    if death.by_kernel:
        in_vain = DoesNotFit(f"does not fit in memory, even with one row on the device{job.at}: the kernel killed it")
        _lower(job, limit, "its worker was killed, and the kernel was out of memory, with", in_vain)
    else:
        why = f"its workers were killed without an error, even with one row on the device{job.at}: "
        in_vain = KillsItsWorker(why + "out of memory, or a crash below Python")
        _lower(job, limit, "its workers were killed without an error with", in_vain, likely=True)


def _lower(job: _Job, limit: DeviceBatch | None, what: str, in_vain: DoesNotFit, *, likely: bool = False) -> None:
    """Let the whole study know that fewer rows fit than under this limit; raises ``in_vain`` after one row."""
    context, run = job.context, job.folder.name
    failed = device_batch(context.spec.config, context.spec.method, job.under(limit))
    fits = failed.halved
    if fits is None:
        if likely:  # it was no matter of rows, so the other runs need not do with fewer
            context.study.set_user_attr(f"{PREFIX}{run}", None)
        raise in_vain
    kept: dict[str, Any] = {"needs": needs_of(job.settings), "failed": [failed.train, failed.evaluation]}
    kept |= {"fits": [fits.train, fits.evaluation], "likely": likely}
    context.study.set_user_attr(f"{PREFIX}{run}", kept)
    context.say(Notice(f"{run}: {what} {rows(failed)}{job.at}; again with {rows(fits)}"))


def _note(job: _Job, limit: DeviceBatch | None) -> str | None:
    """What is to be said of the run's device batch, and of the workers that it cost."""
    note = limited_note(job.context.spec.config, job.context.spec.method, job.under(limit))
    killed = attempts_at(job.context.study, job.folder.name).killed
    if note is None or not killed:
        return note
    return f"{note}; {killed} worker{'s were' if killed > 1 else ' was'} killed in it before that"
