"""Rewards that do not rise, and policies that hardly move, where the noise lets one tell."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.preconditions import enough, finite, near_its_end, throughout
from diagnostics.detectors.rewards.windows import Groups, at_ceiling, detectable_rise, end, judged, rises, start, third
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

SOLVED = 0.6
"""A reward near its ceiling with so many equal groups has nowhere to rise to."""


MOSTLY_EQUAL = 0.75
"""Where so many groups of the last third are equal, that keeps the reward where it is; no larger step would help."""


def reward_does_not_rise(
    groups: Groups, settings: Settings, *, noise: float, min_steps: float, min_points: int, min_share_done: float
) -> Evidence | None:
    """No trend in the reward, though a rise by ``noise`` of its width would show."""
    reward = groups.reward
    enough(reward, min_points, "rewards")
    if rises(reward.values) or _at_its_best(groups):
        return None
    if groups.equal[-max(1, len(reward) // 3) :].mean() >= MOSTLY_EQUAL:
        raise NotEnoughPoints("groups-mostly-equal")
    near_its_end(reward, settings, min_share_done)
    if reward.steps[-1] < min_steps:
        raise NotEnoughPoints("too-few-points", have=int(reward.steps[-1]), need=int(min_steps), what="steps")
    judged(reward, noise)
    measured = {"start": float(third(reward.values, 0).mean()), "end": float(third(reward.values, -1).mean())}
    return throughout(reward, measured | {"detectable": detectable_rise(reward.values)})


def _at_its_best(groups: Groups) -> bool:
    """Whether the reward is at its ceiling, or never left one value above 0 at which all groups are equal."""
    late = groups.equal[-max(1, len(groups.reward) // 4) :]
    constant = bool(np.ptp(groups.reward.values) == 0.0 and groups.reward.values[-1] > 0.0)
    return at_ceiling(groups.reward) or (constant and float(late.mean()) >= SOLVED)


def policy_hardly_moves(
    reward: Curve, kl_divergence: Curve, settings: Settings, *, kl: float, min_steps: float, min_points: int
) -> Evidence | None:
    """The policy is still its reference at the end, and the reward has not risen."""
    enough(reward, min_points, "rewards")
    enough(kl_divergence, min_points, "divergences")
    if reward.steps[-1] < min_steps:
        raise NotEnoughPoints("too-few-points", have=int(reward.steps[-1]), need=int(min_steps), what="steps")
    if not np.any(kl_divergence.values):
        raise NotEnoughPoints("no-divergence")
    if abs(end(kl_divergence.values)) >= kl or rises(reward.values) or at_ceiling(reward):
        return None
    measured = {"kl": end(kl_divergence.values), "start": start(reward.values), "end": end(reward.values)}
    return throughout(kl_divergence, finite(measured))
