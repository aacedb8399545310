"""The limits and remedies that the causes of underfitting share."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.rules.rule import Case, Fix

SLOW: Mapping[str, float] = {
    "barely": 0.02,
    "straight": 0.22,
    "alone": 0.4,
    "pace": 0.35,
    "seen_by": 0.1,
    "few": 8,
    "errors": 2.0,
    "done": 0.9,
}
"""Barely: less than 2 % lost. Straight: the last quarter falls at least 0.22 times as fast as a straight line (train
alone: 0.4), more than a logarithm does, and 0.35 times as fast as the second quarter. Asked from 0.9 of the run on.
A held-out loss first seen after a tenth of the run, or fewer than 8 times, needs more (2 standard errors)."""

NEARLY: Mapping[str, float] = {"straight": 0.15, "alone": 0.25, "pace": 0.22}
"""The same at two thirds: a healthy verdict is less sure where the last quarter falls that fast."""


def short_warmup_big_batch(case: Case) -> bool:
    """A batch of 64 and more with less than 3 % warm-up."""
    warmup = case.settings.warmup_ratio
    return (case.settings.batch_size or 0) >= 64 and warmup is not None and warmup < 0.03


def _at_center(case: Case) -> bool:
    """The rate is known to be at the center of its family or above."""
    return (case.rate_prior.relative(case.settings.learning_rate) or 0.0) >= 1.0


LONGER = (
    Fix(
        "num_train_epochs",
        "train twice as long, up to three epochs",
        "the loss goes on falling along the same line",
        times=2.0,
        at_most=3.0,
        when=lambda case: case.settings.num_train_epochs is not None or case.settings.max_steps is None,
        condition="where epochs are set",
        weight=0.9,
    ),
    Fix(
        "max_steps",
        "train twice as many steps",
        "the loss goes on falling along the same line",
        times=2.0,
        when=lambda case: case.settings.num_train_epochs is None and case.settings.max_steps is not None,
        condition="where only max_steps is set",
        weight=0.9,
    ),
)
SMALLER_BATCH = Fix(
    "batch_size",
    "use a quarter of the batch for the same number of rows",
    "four times as many updates from the same rows",
    times=0.25,
    at_least=4,
    weight=0.8,
)
HALF_RATE_WITH_IT = Fix(
    "learning_rate",
    "and halve the learning rate with it",
    "steps that suit the smaller batch",
    times=0.5,
    when=_at_center,
    condition="together with the smaller batch, where the rate is at the center or above",
    weight=0.6,
)
