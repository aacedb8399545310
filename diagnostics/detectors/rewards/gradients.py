"""Gradients of groups that are out of the ordinary, and what becomes of the reward after them."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.preconditions import enough, finite
from diagnostics.detectors.rewards.windows import MIN_WINDOW, end_window, size_of, t_between, window
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.signals import difference_noise


def falls_after_spikes(
    grad_norm: Curve, reward: Curve, *, times: float, count: int, t: float, min_points: int
) -> Evidence | None:
    """Several gradients are many times the usual one, and the reward ends below that of the logs before them.

    Where all groups are equal the gradient is 0: the usual one is that of the other logs.
    """
    enough(reward, min_points, "rewards")
    moving = grad_norm.values[grad_norm.values > 0.0]
    if moving.size < min_points:
        raise NotEnoughPoints("too-few-points", have=moving.size, need=min_points, what="gradient norms above 0")
    usual = float(np.median(moving))
    spikes = np.flatnonzero(grad_norm.values > times * usual)
    if spikes.size < count:
        return None
    first = float(grad_norm.steps[spikes[0]])
    before = reward.values[reward.steps < first]
    if before.size < MIN_WINDOW:
        return None
    size = size_of(before)
    level, last = window(before, before.size - size, size, difference_noise(reward.values)), end_window(reward.values)
    if t_between(last, level) <= t:
        return None
    measured = {
        "count": float(spikes.size),
        "times": float(grad_norm.values.max()) / usual,
        "before": level.mean,
        "end": last.mean,
    }
    return Evidence(first, float(reward.steps[-1]), finite(measured))
