"""Rewards that rise while what they are meant for does not: by the parts of the reward, and on held-out prompts."""

from __future__ import annotations

import re

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite, whole_run
from diagnostics.detectors.rewards.windows import (
    FEW_LOGS,
    Parts,
    at_ceiling,
    best_window,
    end,
    end_window,
    goes,
    judged,
    rises,
    scale_of,
    start,
    t_between,
    thirds_t,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

AUXILIARY = re.compile(
    r"format|len|tag|style|xml|bonus|penal|repet|soft|strict|struct|think|brev|count|lang|polite", re.I
)
"""Names of reward functions for the form of an answer."""
MEANT = re.compile(r"correct|accura|answer|right|solv|pass|equation|exec|test|match|score|task", re.I)
"""Names of reward functions for its content."""


def hacked_by_parts(
    reward: Curve,
    reward_parts: Parts,
    settings: Settings,
    *,
    up: float,
    down: float,
    left: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """The reward rises while one part of it falls to ``left`` of its best."""
    enough(reward, min_points, "rewards")
    parts = {name: part for name, part in reward_parts.items() if len(part) >= min_points}
    if len(parts) < 2:
        raise NotEnoughPoints("one-reward-function")
    whole_run(reward, settings, min_share_done)
    if goes(reward.values, up) <= 0:
        return None
    gains = [name for name, part in parts.items() if goes(part.values, up) > 0 and not MEANT.search(name)]
    lost = [name for name, part in parts.items() if not AUXILIARY.search(name) and _lost(part, down, left)]
    if not gains or not set(lost) - set(gains):
        return None
    part = parts[next(name for name in lost if name not in gains)]
    best = best_window(part.values)
    measured = {"best": best.mean, "end": end(part.values), "reward": end(reward.values)}
    return Evidence(float(part.steps[best.last - 1]), float(part.steps[-1]), finite(measured))


def task_part_flat(
    reward: Curve,
    reward_parts: Parts,
    settings: Settings,
    *,
    up: float,
    noise: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """The reward rises by a part for form alone, while no part for content rises, though its noise would show it."""
    enough(reward, min_points, "rewards")
    parts = {name: part for name, part in reward_parts.items() if len(part) >= min_points and np.ptp(part.values) > 0}
    meant = [part for name, part in parts.items() if MEANT.search(name) and not AUXILIARY.search(name)]
    form = [part for name, part in parts.items() if AUXILIARY.search(name) and not MEANT.search(name)]
    if not meant or not form:
        raise NotEnoughPoints("one-reward-function")
    whole_run(reward, settings, min_share_done)
    if thirds_t(reward.values) < up or max(thirds_t(part.values) for part in form) < up:
        return None
    for part in meant:
        judged(part, noise)
        if rises(part.values) or at_ceiling(part):
            return None
    highest = max(meant, key=lambda part: end(part.values))
    measured = {"start": start(highest.values), "end": end(highest.values), "reward": end(reward.values)}
    return Evidence(float(reward.steps[0]), float(reward.steps[-1]), finite(measured))


def _lost(part: Curve, down: float, left: float) -> bool:
    """Whether a part of the reward fell: between its thirds, and clearly below its best."""
    best, last = best_window(part.values), end_window(part.values)
    shown = len(part) < 2 * FEW_LOGS or t_between(last, best) > down  # in few logs, by their order
    below = last.mean < left * best.mean and shown
    return bool(best.mean > 0.0 and below and goes(part.values, down / 2.0) < 0)


def hacked_held_out(
    reward: Curve, eval_reward: Curve, *, up: float, fall: float, noise: float, min_evals: int, min_points: int
) -> Evidence | None:
    """The reward in training rises while that of held-out prompts falls from its best."""
    enough(reward, min_points, "rewards")
    enough(eval_reward, min_evals, "evaluations")
    held = eval_reward.values
    best, ends = int(np.argmax(held)), signals.tail(held)
    drop, width = float(held[best]) - ends, scale_of(eval_reward)
    scatter = signals.difference_noise(held)
    after = reward.between(float(eval_reward.steps[best]), float(reward.steps[-1]))
    if drop < max(fall * width, noise * scatter) or held.size - best < 3 or len(after) < min_points // 2:
        return None
    if thirds_t(reward.values) < up or (not rises(after.values) and thirds_t(after.values) < -1.0):
        return None
    measured = {"best": float(held[best]), "end": ends, "reward": end(reward.values)}
    return Evidence(float(eval_reward.steps[best]), float(eval_reward.steps[-1]), finite(measured))
