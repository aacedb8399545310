"""Training that fits: a run that is out of memory is tried again with fewer rows on the device, and the study knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import optuna

from diagnostics.curves import Run
from diagnostics.errors import BadInput
from diagnostics.wording import plain_name, setting
from tuner.study.events import Said
from tuner.study.setup import Report, Setup
from tuner.training.memory import DeviceBatch, device_batch, is_out_of_memory, limited_note, rows

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


@dataclass(frozen=True)
class MemoryLimit:
    """Where memory ran out: the run, the settings that need memory, and the rows that may be on the device there."""

    run: str
    needs: Mapping[str, Any]
    failed: DeviceBatch
    fits: DeviceBatch

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
        if key.startswith(PREFIX):
            failed, fits = DeviceBatch(*kept["failed"]), DeviceBatch(*kept["fits"])
            yield MemoryLimit(key.removeprefix(PREFIX), kept["needs"], failed, fits)


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


def train_fitting(
    setup: Setup,
    settings: Mapping[str, Any],
    folder: Path,
    report: Report,
    moves: Mapping[str, Any] = MappingProxyType({}),
) -> Fitted:
    """The run with these settings, on as few rows at once as memory asks for, at the same effective batch.

    ``moves`` come on top of the settings (a seed). Raises ``DoesNotFit`` when one row is too many, and what the
    training raises.
    """
    fitting = most_that_fits(setup.study, settings)
    while True:
        limited = {**settings, **moves, **(fitting.moves if fitting else {})}
        try:
            run = setup.train(limited, folder, report)
            return Fitted(run, limited_note(setup.spec.config, setup.spec.method, limited))
        except BadInput:
            raise
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            problem = error
        # Outside of the handler, so that nothing holds on to the frames of the run that failed.
        fitting = _smaller(setup, limited, settings, folder, problem)


def _smaller(
    setup: Setup, limited: Mapping[str, Any], settings: Mapping[str, Any], folder: Path, error: Exception
) -> DeviceBatch:
    """The device batch to try next, now known to the whole study; raises ``DoesNotFit`` when there is none."""
    failed = device_batch(setup.spec.config, setup.spec.method, limited)
    fits = failed.halved
    needs = needs_of(settings)
    if fits is None:
        raise DoesNotFit(f"does not fit in memory, even with one row on the device{_at(needs)}") from error
    kept = {"needs": needs, "failed": [failed.train, failed.evaluation], "fits": [fits.train, fits.evaluation]}
    setup.study.set_user_attr(f"{PREFIX}{folder.name}", kept)
    setup.say(Said(f"{folder.name}: out of memory with {rows(failed)}{_at(needs)}; again with {rows(fits)}"))
    return fits


def _at(needs: Mapping[str, Any]) -> str:
    shown = [f"{plain_name(knob)} {setting(knob, value)}" for knob, value in needs.items()]
    return f" at {', '.join(shown)}" if shown else ""
