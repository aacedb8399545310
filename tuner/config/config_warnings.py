"""What can be said of a run before it is trained: settings that contradict each other, or the method."""

from __future__ import annotations

from collections.abc import Callable

from diagnostics.model.adapters import CHANGES_THE_BASE
from diagnostics.model.message import Message, message
from diagnostics.model.methods import method_record
from diagnostics.model.rate_prior import LORA_OVER_FULL, rate_prior_of
from diagnostics.model.settings import Settings

FAR = 12.0
"""Times the usual rate of a kind of adapter, or part of it: the usual ranges reach four times, and three beyond."""
GAMBLE, ENOUGH_ANSWERS = 5.0, 64
"""Times the usual rate at which runs of fewer answers a step collapsed (12 of 33 public runs at 8 answers)."""
SMALLEST_WIDTH = 1000
"""The hidden size of the smallest model among those runs; much smaller ones bear much higher rates."""


def config_warnings(settings: Settings) -> list[Message]:
    """One line on each thing that is probably not meant; ``settings`` are those of the run, the model's width too."""
    return [found for check in CHECKS if (found := check(settings)) is not None]


def _rate_of_another_kind(settings: Settings) -> Message | None:
    """Whether the learning rate is one of LoRA on a full run, of a full run on LoRA, or far from the adapter's own."""
    prior, rate = rate_prior_of(settings), settings.learning_rate
    if not (prior.center and prior.cap and rate):
        return None
    if settings.use_peft is False:
        return message("rate-of-adapter-without-one", rate=rate, center=prior.center) if rate >= prior.cap else None
    if settings.adapter_kind is not None:
        is_far = not prior.center / FAR < rate < prior.center * FAR
        named = message("rate-not-of-adapter", rate=rate, adapter=settings.adapter_kind, center=prior.center)
        return named if is_far else None
    is_low = rate <= prior.center / LORA_OVER_FULL
    return message("rate-of-full-with-adapter", rate=rate, center=prior.center) if is_low else None


def _gamble(settings: Settings) -> Message | None:
    """Whether few answers a step are to carry a high rate."""
    prior, rate, batch = rate_prior_of(settings), settings.learning_rate, settings.batch_size
    if method_record(settings.method).loss_is_objective or not (prior.center and rate and batch):
        return None
    if settings.hidden_size and settings.hidden_size < SMALLEST_WIDTH:
        return None
    is_gamble = rate >= GAMBLE * prior.center and batch < ENOUGH_ANSWERS
    return message("rate-needs-more-answers", rate=rate, batch=batch, center=prior.center) if is_gamble else None


def _other_reference(settings: Settings) -> Message | None:
    """Whether the reference model is not the one that the run starts from."""
    kind = settings.adapter_kind
    compares = method_record(settings.method).has_reference
    return message("reference-without-base", adapter=kind) if compares and kind in CHANGES_THE_BASE else None


def _no_mismatched_pairs(settings: Settings) -> Message | None:
    """Whether KTO has no other row of the batch to estimate its KL divergence from."""
    alone = settings.method == "kto" and settings.per_device_train_batch_size == 1
    return message("no-mismatched-pairs") if alone and settings.loss_type in (None, "kto") else None


CHECKS: tuple[Callable[[Settings], Message | None], ...] = (
    _rate_of_another_kind,
    _gamble,
    _other_reference,
    _no_mismatched_pairs,
)
