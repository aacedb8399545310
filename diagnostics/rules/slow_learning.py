"""What every rule on slow learning shares: the limits, explained in the records of the detectors, and the words."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.rules.rule import Wording

WHOLE_RUN: Mapping[str, float] = {"min_share_done": 0.9}
"""In mid-run every healthy loss still falls: these rules are evaluated from this share of the planned steps on."""

FLAT: Mapping[str, float] = {"min_descent": 0.02, "first_eval_by": 0.1, "standard_errors": 2.0}
"""Of ``FlatLimits``."""

STRAIGHT: Mapping[str, float] = {
    "straight": 0.22,
    "straight_train_only": 0.4,
    "pace": 0.35,
    "few_evals": 8,
    "standard_errors": 2.0,
}
"""Of ``StraightLimits``."""

SLOW: Mapping[str, float] = {**WHOLE_RUN, **FLAT, **STRAIGHT}
"""Of ``SlowLimits``."""

NEARLY: Mapping[str, float] = {"straight": 0.15, "straight_train_only": 0.25, "pace": 0.22}
"""Two thirds of them: a healthy verdict is less sure where the loss falls that straight."""

RISEN: Mapping[str, float] = {"max_rise": 0.02, "sigma": 3.0}
"""Of ``RiseLimits``."""

FELL_LITTLE = "the loss fell by only {fall:.1%}"
LEAST_FALL = 0.0005
"""A smaller fall reads as 0.0 %."""


def by_fall(before: str = "", after: str = "") -> tuple[Wording, ...]:
    """The message ``before + FELL_LITTLE + after`` for losses that did not fall at all, or that still fall."""
    return (
        Wording(
            f"{before}the loss was still falling when the run ended, by {{fall:.1%}} so far",
            "where it does not barely fall",
            lambda measured: measured.get("barely") == 0.0,
        ),
        Wording(
            f"{before}the loss did not fall{after}",
            "where it fell by less than 0.05 %",
            lambda measured: measured.get("fall", 1.0) < LEAST_FALL,
        ),
    )
