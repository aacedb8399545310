"""For which runs a fix is meant: conditions on the settings and on what the rule measured."""

from __future__ import annotations

from diagnostics.model.rate_estimate import RateSide
from diagnostics.rules.rule import Case

LONG_WARMUP, SHORT_WARMUP = 0.1, 0.03
"""Shares of the run."""
BIG_BATCH = 64
SOME_DROPOUT = 0.05
BELOW_CENTER, FAR_ABOVE_CENTER = 0.3, 10.0
"""The learning rate over its center."""
FAR_CLIMB = 10.0
"""The highest loss over its start: a third of a rate that did this would still be too high."""
FIRST_STEPS = 0.02
"""A fault in this first share of the run came as soon as the rate was up."""


def warmup_is_short(case: Case) -> bool:
    """Less than a tenth of the run is warm-up."""
    return (case.settings.warmup_ratio or 0.0) < LONG_WARMUP


def warmup_is_long(case: Case) -> bool:
    """The warm-up already takes a tenth of the run."""
    return not warmup_is_short(case)


def several_epochs(case: Case) -> bool:
    """More than one pass over the rows, or unknown."""
    return case.settings.num_train_epochs is None or case.settings.num_train_epochs > 1.0


def short_warmup_big_batch(case: Case) -> bool:
    """A batch of 64 or more with less than 3 % warm-up."""
    warmup = case.settings.warmup_ratio
    return (case.settings.batch_size or 0) >= BIG_BATCH and warmup is not None and warmup < SHORT_WARMUP


def little_dropout(case: Case) -> bool:
    """Dropout is below 0.05, or not known."""
    return (case.settings.lora_dropout or 0.0) < SOME_DROPOUT


def rate_below_center(case: Case) -> bool:
    """The rate is known to be below 0.3 of its center."""
    ratio = case.rate_prior.relative(case.settings.learning_rate)
    return ratio is not None and ratio < BELOW_CENTER


def rate_at_center(case: Case) -> bool:
    """The rate is known to be at its center or above, and what the run shows does not tell that it is too low."""
    told_low = case.rate_estimate is not None and case.rate_estimate.tells(RateSide.TOO_LOW)
    return not told_low and (case.rate_prior.relative(case.settings.learning_rate) or 0.0) >= 1.0


def rate_far_too_high(case: Case) -> bool:
    """Within the first 2 % of the run above the cap, at ten times the center, or a climb to ten times the start."""
    if case.measured.get("highest", 0.0) >= FAR_CLIMB * case.measured.get("start", float("inf")) > 0.0:
        return True
    rate, cap = case.settings.learning_rate, case.rate_prior.cap
    first = case.measured.get("share", 1.0) <= FIRST_STEPS and rate is not None and cap is not None and rate > cap
    return first or (case.rate_prior.relative(rate) or 0.0) >= FAR_ABOVE_CENTER
