"""How far the policy is from its reference: a wrong reference, a policy that runs away, a drift that gains nothing."""

from __future__ import annotations

from math import inf

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.detectors.rewards.windows import (
    MIN_LOGS,
    at_ceiling,
    best_window,
    end,
    end_window,
    judged,
    last_logs,
    rises,
    start,
    t_between,
    third,
    thirds_t,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.methods import method_record
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

FIRST = 3
"""The logs at the start that tell how far the policy was from its reference."""
WRONG_REFERENCE = 0.05


LOST_T = 3.0
"""A reward so many standard errors below its best has been lost."""


def _pays(reward: Curve, least: int) -> bool:
    """Whether the reward rises and ends near its best."""
    if len(reward) < max(least, MIN_LOGS):
        return False
    return rises(reward.values) and t_between(end_window(reward.values), best_window(reward.values)) < LOST_T


def _start(kl: Curve) -> float:
    return float(kl.values[:FIRST].mean())


def reference_differs(
    kl_divergence: Curve, settings: Settings, rate_prior: LearningRatePrior, *, kl: float, first: float, grows: float
) -> Evidence | None:
    """The divergence is far from 0 in the first logs already: the reference is not the model that training began with.

    The log of the first step is one of a policy that has not moved. A later first log must be level with the next ones,
    at a rate that cannot have made it.
    """
    enough(kl_divergence, FIRST, "divergences")
    values, rate = kl_divergence.values[:FIRST], settings.learning_rate
    if values.mean() <= kl or values[0] <= first:
        return None
    made = (rate or 0.0) > _cap(settings, rate_prior) or values[-1] > grows * values[0]
    if made and kl_divergence.steps[0] > 1.0:
        return None
    last = float(kl_divergence.steps[FIRST - 1])
    return Evidence(float(kl_divergence.steps[0]), last, {"kl": float(values.mean())})


def _cap(settings: Settings, rate_prior: LearningRatePrior) -> float:
    """The highest rate to advise; of the method's where nothing says whether an adapter was trained."""
    rates = method_record(settings.method).rates or {}
    return rate_prior.cap or max((one.cap for one in rates.values()), default=inf)


def kl_runs_away(
    kl_divergence: Curve, reward: Curve, *, kl: float, times: float, at_least: float, confirm: int, min_points: int
) -> Evidence | None:
    """The divergence from the reference is very large, or many times that of the first third, and still rises.

    A reward that rises and stays pays for it.
    """
    enough(kl_divergence, min_points, "divergences")
    if _start(kl_divergence) > WRONG_REFERENCE:
        raise NotEnoughPoints("another-reference")
    values = kl_divergence.values
    usual = signals.median(third(values, 0))
    far = (values > kl) | ((values > times * usual) & (values > at_least))
    if not last_logs(far, confirm) or signals.trend(values).direction <= 0 or _pays(reward, confirm):
        return None
    first = float(kl_divergence.steps[int(np.argmax(far))])
    return Evidence(first, float(kl_divergence.steps[-1]), finite({"kl": end(values), "usual": usual}))


def kl_grows_for_nothing(
    reward: Curve, kl_divergence: Curve, *, kl: float, t: float, noise: float, min_points: int
) -> Evidence | None:
    """The policy leaves its reference while the reward does not rise."""
    enough(reward, min_points, "rewards")
    enough(kl_divergence, min_points, "divergences")
    judged(reward, noise)
    if _start(kl_divergence) > WRONG_REFERENCE:
        raise NotEnoughPoints("another-reference")
    values = kl_divergence.values
    gone = end(values) - start(values)
    if gone < kl or thirds_t(values) < t or rises(reward.values) or at_ceiling(reward):
        return None
    half = float(reward.steps[len(reward) // 2])
    return Evidence(half, float(reward.steps[-1]), finite({"kl": end(values), "reward": end(reward.values)}))
