"""The remedies that unstable runs share: a lower rate, a longer warm-up, tighter clipping, a larger batch."""

from __future__ import annotations

from diagnostics.rules.rule import Case, Fix

PLAYBOOK = "Google tuning playbook"
LOSS_STAYS = "a loss that falls without jumps"


def is_wild(case: Case) -> bool:
    """Jitter of a third of the level and more."""
    return max(case.measured.get(k, 0.0) for k in ("train_jitter", "swing")) >= 0.3


def warmup_spent(case: Case) -> bool:
    """The warm-up already takes a tenth of the run."""
    return (case.settings.warmup_ratio or 0.0) >= 0.1


def is_low_already(case: Case) -> bool:
    """The rate is known to be below 0.3 of its family's center."""
    ratio = case.rate_prior.relative(case.settings.learning_rate)
    return ratio is not None and ratio < 0.3


LOOK_AT_DATA = Fix(
    "data",
    "look at the order of the rows, at adam_beta2 and at the number of held-out rows first",
    "a loss as calm as that of other runs at this rate",
    when=is_low_already,
    condition="below 0.3 of the family's center",
)
LONGER_WARMUP = Fix(
    "warmup_ratio",
    "warm up over at least 3 % of the steps, at most 10 %",
    "a calm start",
    times=2.0,
    at_least=0.03,
    at_most=0.1,
    weight=0.7,
)
TIGHTER_CLIP = Fix(
    "max_grad_norm",
    "clip the gradient norm at 0.3",
    "single bad batches no longer move the weights far",
    to=0.3,
    weight=0.6,
    when=lambda case: (case.settings.max_grad_norm or 1.0) > 0.3,
    condition="where the limit is above 0.3",
)
BIGGER_BATCH = Fix(
    "batch_size",
    "double the batch, by gradient accumulation if memory is short",
    "less noise per step",
    times=2.0,
    at_most=128,
    weight=0.5,
)


def cut_rate(times: float, words: str, **more: object) -> Fix:
    """A cut of the learning rate."""
    return Fix("learning_rate", words, LOSS_STAYS, times=times, **more)  # type: ignore[arg-type]
