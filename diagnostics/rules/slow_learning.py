"""The limits that every rule on slow learning shares; what each means stands in the records of the detectors."""

from __future__ import annotations

from collections.abc import Mapping

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
