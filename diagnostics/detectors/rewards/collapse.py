"""Rewards that were there and went: a collapse, a state without gradient, a slow decline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.detectors.rewards.windows import (
    Groups,
    best_window,
    clearly_well,
    end,
    end_window,
    enough_rewards,
    floor_of,
    is_share,
    judged,
    left_of_best,
    moved,
    scale_of,
    start,
    t_between,
    thirds_t,
)
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence


def reward_collapses(reward: Curve, *, left: float, t: float, confirm: int, min_points: int) -> Evidence | None:
    """The last tenth of the rewards keeps less than ``left`` of the best tenth, by Welch's ``t``.

    It must hold at each of the last ``confirm`` logs. What is left counts from 0, or from the lowest reward where some
    are below.
    """
    if clearly_well(reward):
        return None
    enough_rewards(reward, min_points + confirm - 1)
    for last in range(len(reward) - confirm + 1, len(reward) + 1):
        found = _collapse(reward.values[:last], left, t)
        if found is None:
            return None
    best, level = found
    floor = floor_of(reward.values)
    measured = {"best": best.mean, "end": level, "left": (level - floor) / (best.mean - floor)}
    return Evidence(float(reward.steps[best.last - 1]), float(reward.steps[-1]), finite(measured))


def _collapse(values: FloatArray, left: float, t: float):  # type: ignore[no-untyped-def]
    """The best window and the level at the end where the reward has collapsed, else None."""
    best, last, floor = best_window(values), end_window(values), floor_of(values)
    if last.mean >= floor + left * (best.mean - floor) or t_between(last, best) <= t or best.last > last.first:
        return None
    return best, last.mean


@dataclass(frozen=True)
class DeadLimits(Arguments):
    """From where on nothing can bring the reward back."""

    equal: float
    """The least share of groups with equal rewards at the end."""
    confirm: int
    """In how many of the last logs it must hold, at least."""
    near: float
    """How far above the lowest level the reward may lie in them, as a share of its width."""
    fall: float
    """How much higher the reward must have been before, as a share of its width..."""
    kept: float
    """... unless the entropy left this share of its first one, up or down..."""
    long: int
    """... and so many logs are dead."""


def reward_stays_dead(groups: Groups, entropy: Curve | None = None, *, dead: DeadLimits) -> Evidence | None:
    """All answers of each group get the same low reward after a higher one: no gradient is left to climb by."""
    reward = groups.reward
    enough(reward, dead.confirm + 1, "rewards")
    if not groups.known:
        raise NotEnoughPoints("curve-missing", curves="frac_reward_zero_std, reward_std, grad_norm")
    width = scale_of(reward)
    low = reward.values <= min(float(reward.values.min()), 0.1 if is_share(reward) else np.inf) + dead.near * width
    still = low & (groups.equal >= dead.equal)
    alive = np.flatnonzero(~still)
    onset = int(alive[-1]) + 1 if alive.size else 0
    if onset == 0 or len(reward) - onset < dead.confirm:
        return None
    before, level = float(reward.values[:onset].max()), end(reward.values[onset:])
    thrown = moved(entropy, dead.kept) and len(reward) - onset >= dead.long
    if before - level < (dead.near if thrown else dead.fall) * width:
        return None
    measured = {"before": before, "end": level, "logs": float(len(reward) - onset)}
    return Evidence(float(reward.steps[onset]), float(reward.steps[-1]), finite(measured))


def reward_declines(
    reward: Curve, *, left: float, t: float, thirds: float, fall: float, noise: float, min_points: int
) -> Evidence | None:
    """The reward ends clearly below its best, if not at half of it: slowly, or between its first and last third."""
    enough(reward, min_points, "rewards")
    judged(reward, noise)
    values, share = reward.values, left_of_best(reward)
    best, last = best_window(values), end_window(values)
    below_best = share < left and t_between(last, best) > t and best.last <= last.first
    drop = start(values) - last.mean
    fell = thirds_t(values) <= -thirds and drop > fall * scale_of(reward)
    if not below_best and not fell:
        return None
    measured = {"best": best.mean, "end": last.mean, "left": share}
    return Evidence(float(reward.steps[best.last - 1]), float(reward.steps[-1]), finite(measured))
