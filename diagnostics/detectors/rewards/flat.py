"""Rewards that do not rise, and policies that hardly move, where the noise lets one tell."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.preconditions import enough, finite, throughout, whole_run
from diagnostics.detectors.rewards.windows import (
    Groups,
    at_ceiling,
    clearly_well,
    detectable_rise,
    end,
    enough_rewards,
    judged,
    rises,
    scale_of,
    start,
    third,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

SOLVED = 0.6
"""A reward near its ceiling with so many equal groups has nowhere to rise to."""

MOSTLY_EQUAL = 0.75
"""Where so many groups of the last third are equal, that keeps the reward where it is; no larger step would help."""
BY_GROUP = ("group", "true", "True")
"""How older and newer TRL call the division by the spread of a group, which GRPO does where nothing is said."""


def reward_does_not_rise(
    groups: Groups,
    settings: Settings,
    *,
    noise: float,
    min_steps: float,
    few: int,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """No trend in the reward, though a rise by ``noise`` of its width would show.

    Fewer than ``min_points`` logs show that a reward rises only where it does so clearly.
    """
    reward = groups.reward
    if clearly_well(reward):
        return None
    if len(reward) < few or rises(reward.values) or _at_its_best(groups):
        enough_rewards(reward, min_points)
        return None
    if groups.equal[-max(1, len(reward) // 3) :].mean() >= MOSTLY_EQUAL:
        raise NotEnoughPoints("groups-mostly-equal")
    whole_run(reward, settings, min_share_done)
    if detectable_rise(reward.values) > noise * scale_of(reward):
        enough_rewards(reward, min_points)  # more logs would show the noise better
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


def divides_by_group(settings: Settings) -> bool:
    """Whether the rewards of a group are divided by their spread."""
    silent = settings.scale_rewards is None and settings.method == "grpo"
    return silent or settings.scale_rewards in BY_GROUP


def small_rewards_amplified(
    groups: Groups, settings: Settings, *, spread: float, equal: float, noise: float, min_points: int
) -> Evidence | None:
    """The rewards of all answers nearly agree, though no group is equal, and the reward does not rise.

    Divided by the spread of their group such rewards are advantages of full size, whatever they are worth.
    """
    reward, deviation = groups.reward, groups.reward_std
    enough(reward, min_points, "rewards")
    if deviation is None or not len(deviation):
        raise NotEnoughPoints("curve-missing", curves="reward_std")
    if not divides_by_group(settings):
        return None
    late = float(third(deviation.values, -1).mean()) / scale_of(reward)
    if not 0.0 < late < spread or third(groups.equal, -1).mean() >= equal or at_ceiling(reward):
        return None
    judged(reward, noise)
    if rises(reward.values):
        return None
    return throughout(reward, {"spread": late, "reward": end(reward.values)})


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
