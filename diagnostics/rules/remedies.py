"""Fixes that several rules share."""

from __future__ import annotations

from collections.abc import Callable

from diagnostics.rules.conditions import (
    LONG_WARMUP,
    SHORT_WARMUP,
    little_dropout,
    rate_at_center,
    rate_below_center,
    rate_far_too_high,
    several_epochs,
    warmup_is_short,
)
from diagnostics.rules.rule import Case, Fix, Number

PLAYBOOK = "Google tuning playbook"


def cut_rate(
    times: Number,
    description: str,
    *,
    expect: str = "a loss that falls without jumps",
    weight: float = 1.0,
    when: Callable[[Case], bool] | None = None,
    condition: str = "",
    by_estimate: bool = False,
) -> Fix:
    """A cut of the learning rate."""
    return Fix(
        "learning_rate",
        description,
        expect,
        times=times,
        weight=weight,
        when=when,
        condition=condition,
        by_estimate=by_estimate,
    )


def halve_rate(expect: str, weight: float = 1.0) -> Fix:
    """Half the learning rate, whatever its estimate: a run that overfits says nothing of its rate."""
    return cut_rate(0.5, "use {factor:times} the learning rate", expect=expect, weight=weight)


RAISE_RATE = Fix(
    "learning_rate",
    "use {factor:times} the learning rate",
    "a loss that falls faster; raise it again only if that helped",
    times=3.0,
    by_estimate=True,
)
HALF_RATE_WITH_SMALLER_BATCH = Fix(
    "learning_rate",
    "and use {factor:times} the learning rate with it",
    "steps that suit the smaller batch",
    times=0.5,
    when=rate_at_center,
    condition="together with the smaller batch, where the rate is at the center or above and does not look too low",
    weight=0.6,
)
LONGER_WARMUP = Fix(
    "warmup_ratio",
    "warm up over at least 3 % of the steps, at most 10 %",
    "a calm start",
    times=2.0,
    at_least=SHORT_WARMUP,
    at_most=LONG_WARMUP,
    weight=0.7,
)
TENTH_WARMUP = Fix(
    "warmup_ratio",
    "warm up over {new:percent} of the steps",
    "a calmer start",
    to=LONG_WARMUP,
    when=warmup_is_short,
    condition="where it is shorter",
    weight=0.6,
)
TIGHTER_CLIP = Fix(
    "max_grad_norm",
    "clip the gradient norm at {new}",
    "single bad batches no longer move the weights far",
    to=0.3,
    weight=0.6,
    when=lambda case: (case.settings.max_grad_norm or 1.0) > 0.3,
    condition="where the limit is above 0.3",
)
BIGGER_BATCH = Fix(
    "batch_size",
    "use {factor:times} the batch, by gradient accumulation if memory is short",
    "less noise per step",
    times=2.0,
    at_most=128,
    weight=0.5,
)
SMALLER_BATCH = Fix(
    "batch_size",
    "use {factor:times} the batch for the same number of rows",
    "more updates from the same rows",
    times=0.25,
    at_least=4,
    weight=0.8,
)
LOOK_AT_DATA = Fix(
    "data",
    "look at the order of the rows, at adam_beta2 and at the number of held-out rows first",
    "a loss as calm as that of other runs at this rate",
    when=rate_below_center,
    condition="below 0.3 of the center",
)
CHECK_WHAT_IS_TRAINED = Fix(
    "data",
    "overfit one batch of eight rows first: check that the parameters require gradients, that inputs and labels "
    "belong together, and that the labels are not masked",
    "a loss near 0 on the eight rows",
)
LONGER = (
    Fix(
        "num_train_epochs",
        "train for {factor:times} the epochs, up to three in all",
        "the loss keeps falling along the same line",
        times=2.0,
        at_most=3.0,
        when=lambda case: case.settings.num_train_epochs is not None or case.settings.max_steps is None,
        condition="where epochs are set",
        weight=0.9,
    ),
    Fix(
        "max_steps",
        "train for {factor:times} the steps",
        "the loss keeps falling along the same line",
        times=2.0,
        when=lambda case: case.settings.num_train_epochs is None and case.settings.max_steps is not None,
        condition="where only max_steps is set",
        weight=0.9,
    ),
)
CHECKPOINT = Fix(
    "checkpoint", "use the checkpoint at the minimum of the held-out loss", "the best model of this run, at no cost"
)
ONE_OR_TWO_EPOCHS = Fix(
    "num_train_epochs",
    "train at most {new:plural:epoch|epochs} unless a task metric asks for more",
    "the same held-out loss in less time",
    to=2.0,
    at_least=1.0,
    weight=0.5,
    when=lambda case: (case.settings.num_train_epochs or 3.0) > 2.0,
    condition="with more than two epochs",
)
SOME_DROPOUT = Fix(
    "lora_dropout",
    "set lora_dropout to {new}",
    "a smaller gap between the losses",
    to=0.05,
    when=little_dropout,
    condition="where it is below 0.05",
    weight=0.45,
)
MORE_ROWS = Fix("data", "add rows, or clean and deduplicate them", "a smaller gap between the losses", weight=0.4)


def half_as_many_epochs(expect: str) -> Fix:
    """Half the epochs, where there are several."""
    return Fix(
        "num_train_epochs",
        "train for {factor:times} the epochs",
        expect,
        times=0.5,
        at_least=1.0,
        when=several_epochs,
        condition="with more than one epoch",
        weight=0.9,
    )


AFTER_BLOW_UP: tuple[Fix, ...] = (
    cut_rate(
        0.1,
        "use {factor:times} the learning rate, and again while that is not enough",
        when=rate_far_too_high,
        condition=(
            "when it happens in the first 2 % of the steps above the cap, at ten times the center, or when the loss "
            "climbs to ten times its start"
        ),
        by_estimate=True,
    ),
    cut_rate(0.3, "use {factor:times} the learning rate", by_estimate=True),
    LONGER_WARMUP,
    TIGHTER_CLIP,
)
AFTER_COLLAPSE: tuple[Fix, ...] = (
    cut_rate(0.3, "use {factor:times} the learning rate", expect="an entropy that follows the loss"),
    TENTH_WARMUP,
)


def to_quantile_of_norms(case: Case) -> float | None:
    """The quantile of the gradient norms that the rule measured."""
    return case.measured.get("quantile")
