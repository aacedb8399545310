"""How far the policy is from its reference: a wrong reference, a policy that runs away, a drift that gains nothing."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.detectors.rewards.windows import (
    at_ceiling,
    end,
    judged,
    last_logs,
    rises,
    start,
    third,
    thirds_t,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence

FIRST = 3
"""The logs at the start that tell how far the policy was from its reference."""
WRONG_REFERENCE = 0.05


def _start(kl: Curve) -> float:
    return float(kl.values[:FIRST].mean())


def reference_differs(kl_divergence: Curve, *, kl: float, max_rate_share: float, grows: float) -> Evidence | None:
    """The divergence is far from 0 in the first logs already: the reference is not the model that training began with.

    A divergence that grows ``grows`` times within these logs was made by the first updates.
    """
    enough(kl_divergence, FIRST, "divergences")
    first = kl_divergence.values[:FIRST]
    if first.mean() <= kl or first[0] <= kl * max_rate_share or first[-1] > grows * max(first[0], 1e-12):
        return None
    last = float(kl_divergence.steps[FIRST - 1])
    return Evidence(float(kl_divergence.steps[0]), last, {"kl": float(first.mean())})


def kl_runs_away(
    kl_divergence: Curve, *, kl: float, times: float, at_least: float, confirm: int, min_points: int
) -> Evidence | None:
    """The divergence from the reference is very large, or many times that of the first third, and still rises."""
    enough(kl_divergence, min_points, "divergences")
    if _start(kl_divergence) > WRONG_REFERENCE:
        raise NotEnoughPoints("another-reference")
    values = kl_divergence.values
    usual = float(np.median(third(values, 0)))
    far = (values > kl) | ((values > times * usual) & (values > at_least))
    if not last_logs(far, confirm) or signals.trend(values).direction <= 0:
        return None
    first = float(kl_divergence.steps[int(np.argmax(far))])
    return Evidence(first, float(kl_divergence.steps[-1]), finite({"kl": end(values), "usual": usual}))


def kl_grows_for_nothing(
    reward: Curve, kl_divergence: Curve, *, kl: float, t: float, noise: float, min_points: int
) -> Evidence | None:
    """The policy leaves its reference while the reward of the second half does not rise."""
    enough(reward, min_points, "rewards")
    enough(kl_divergence, min_points, "divergences")
    judged(reward, noise)
    if _start(kl_divergence) > WRONG_REFERENCE:
        raise NotEnoughPoints("another-reference")
    values, second = kl_divergence.values, reward.values[len(reward) // 2 :]
    gone = end(values) - start(values)
    if gone < kl or thirds_t(values) < t or rises(second) or at_ceiling(reward):
        return None
    half = float(reward.steps[len(reward) // 2])
    return Evidence(half, float(reward.steps[-1]), finite({"kl": end(values), "reward": end(reward.values)}))
