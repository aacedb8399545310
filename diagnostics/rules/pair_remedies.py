"""Fixes that rules of several losses on pairs and labeled answers share."""

from __future__ import annotations

from collections.abc import Callable

from diagnostics.rules.remedies import cut_rate
from diagnostics.rules.rule import Case, Fix

NEAR_REFERENCE = cut_rate(0.1, "use {factor:times} the learning rate", expect="rewards near 0 whose margin grows")


def higher_beta(times: float, weight: float) -> Fix:
    """A stronger pull to the reference."""
    return Fix(
        "beta",
        "use {factor:times} the beta",
        "a policy closer to its reference",
        times=times,
        at_most=0.5,
        weight=weight,
    )


def more_epochs(weight: float) -> Fix:
    """Twice the epochs, up to three in all."""
    return Fix(
        "num_train_epochs",
        "train for {factor:times} the epochs, up to three in all",
        "a margin that grows",
        times=2.0,
        at_most=3.0,
        weight=weight,
    )


def one_epoch(weight: float, when: Callable[[Case], bool] | None = None, condition: str = "") -> Fix:
    """A single pass over the pairs."""
    return Fix(
        "num_train_epochs",
        "train {new:plural:epoch|epochs}",
        "no pair is seen twice",
        to=1.0,
        when=when,
        condition=condition,
        weight=weight,
    )
