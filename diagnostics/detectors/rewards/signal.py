"""Whether the rewards of a group differ, which is all that GRPO and RLOO learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.preconditions import enough, finite, throughout
from diagnostics.detectors.rewards.windows import (
    CEILING,
    START_T,
    Groups,
    Parts,
    at_ceiling,
    best_window,
    is_share,
    moved,
    rises,
    scale_of,
    start_t,
    third,
    thirds_t,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

FIRST = 3
"""The logs that show how answers differ before training has changed much."""
CLEAR_T = 3.5
"""A rise between the thirds that so many standard errors show is none of the noise of a flat reward."""


def _known(groups: Groups, min_points: int) -> None:
    enough(groups.reward, min_points, "rewards")
    if not groups.known:
        raise NotEnoughPoints("curve-missing", curves="frac_reward_zero_std, reward_std, grad_norm")


def _all_wrong(reward: Curve, low: float) -> bool:
    """Whether rewards lie at their lowest: at 0 or below, or near 0 of rewards up to 1."""
    return bool(np.all(reward.values <= (low if is_share(reward) else 0.0)))


@dataclass(frozen=True)
class NoSignalLimits(Arguments):
    """When rewards say nothing from the first log on."""

    equal: float
    """The least share of groups with equal rewards, in the first third and over all."""
    low: float
    """The highest reward, of rewards up to 1."""
    near: float
    """The most that other rewards move, as a share of their width."""
    kept: float
    """The share of the first entropy that is left: a policy that was moved had a reward at first."""


def no_reward_signal(
    groups: Groups,
    settings: Settings,
    entropy: Curve | None = None,
    *,
    silent: NoSignalLimits,
    min_points: int,
    at_end: int,
    min_steps: float,
) -> Evidence | None:
    """From the first logs to the last the answers of a group all get the same lowest reward.

    A run that is over needs only ``at_end`` logs.
    """
    reward = groups.reward
    over = settings.max_steps is not None and len(reward) > 0 and reward.steps[-1] >= settings.max_steps
    _known(groups, at_end if over else min_points)
    if reward.steps[-1] < min_steps:
        raise NotEnoughPoints("too-few-points", have=int(reward.steps[-1]), need=int(min_steps), what="steps")
    shares, width = groups.equal, scale_of(reward)
    flat = float(np.ptp(reward.values)) <= max(silent.near * width, 1e-9) or is_share(reward)
    if min(third(shares, 0).mean(), shares.mean()) < silent.equal or not flat or not _all_wrong(reward, silent.low):
        return None
    if moved(entropy, silent.kept):
        return None
    return throughout(reward, {"reward": float(reward.values.mean()), "equal": float(shares.mean())})


def groups_always_equal(
    groups: Groups, entropy: Curve | None = None, *, equal: float, low: float, kept: float, min_points: int
) -> Evidence | None:
    """The answers of a group always get equal rewards, though those of different prompts do not."""
    _known(groups, min_points)
    reward, shares = groups.reward, groups.equal
    level, highest = float(reward.values.mean()), float(reward.values.max())
    top = CEILING * (1.0 if is_share(reward) else highest)
    if min(shares[:FIRST].mean(), shares.mean()) < equal or level >= top or _all_wrong(reward, low):
        return None
    if max(thirds_t(reward.values) / CLEAR_T, start_t(reward.values) / START_T) >= 1.0:
        return None  # the few groups that differ are enough to learn from
    if moved(entropy, kept):
        return None  # by groups that differed; now it is sure of its answers
    return throughout(reward, {"equal": float(shares.mean()), "reward": level})


def prompts_solved(groups: Groups, *, equal: float, near_best: float, min_points: int) -> Evidence | None:
    """Most groups are equal because their answers are all right: the reward is at its ceiling."""
    _known(groups, min_points)
    reward, quarter = groups.reward, max(1, len(groups.reward) // 4)
    shares, late = groups.equal[-quarter:], float(reward.values[-quarter:].mean())
    best = best_window(reward.values).mean
    constant = bool(np.ptp(reward.values) == 0.0 and late > 0.0)
    stays = late >= near_best * best and thirds_t(reward.values) > -2.0 and (rises(reward.values) or constant)
    if shares.mean() < equal or late <= 0.0 or not (at_ceiling(reward) or stays):
        return None
    first = float(reward.steps[-quarter])
    return Evidence(first, float(reward.steps[-1]), finite({"equal": float(shares.mean()), "reward": late}))


@dataclass(frozen=True)
class WastedLimits(Arguments):
    """When groups without a gradient are worth a word."""

    equal: float
    """The least share of groups with equal rewards in the last third."""
    low: float
    """The share of its width that the reward must reach there; at its ceiling the prompts are solved."""


def groups_wasted(groups: Groups, settings: Settings, *, wasted: WastedLimits, min_points: int) -> Evidence | None:
    """Half of the groups and more teach nothing, though the task is neither solved nor hopeless."""
    _known(groups, min_points)
    if settings.scale_rewards == "batch":
        raise NotEnoughPoints("groups-of-batch")
    reward, late = groups.reward, third(groups.equal, -1)
    level = float(third(reward.values, -1).mean()) / scale_of(reward)
    if late.mean() < wasted.equal or not wasted.low <= level < CEILING:
        return None
    first = float(reward.steps[-late.size])
    return Evidence(first, float(reward.steps[-1]), finite({"equal": float(late.mean()), "level": level}))


def reward_part_constant(
    reward: Curve, reward_parts: Parts, *, spread: float, share: float, min_points: int
) -> Evidence | None:
    """One of several reward functions gives the same mean in nearly all logs, while the reward moves."""
    enough(reward, min_points, "rewards")
    if len(reward_parts) < 2:
        raise NotEnoughPoints("one-reward-function")
    flat = [part for part in reward_parts.values() if len(part) >= min_points and _constant(part, spread) >= share]
    if not flat or np.ptp(reward.values) <= spread:
        return None
    return throughout(flat[0], {"parts": float(len(flat)), "value": float(np.median(flat[0].values))})


def _constant(part: Curve, spread: float) -> float:
    """The share of logs at the part's usual value."""
    return float(np.mean(np.abs(part.values - np.median(part.values)) <= spread))
