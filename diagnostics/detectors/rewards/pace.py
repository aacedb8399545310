"""Rewards that still rise at the end as they did at first: the run is too short for its rate, or the rate too low."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.descent import over_cumulative_lr
from diagnostics.detectors.preconditions import enough, throughout, whole_run
from diagnostics.detectors.rewards.windows import at_ceiling, end, rises
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


@dataclass(frozen=True)
class PaceLimits(Arguments):
    """When a reward rises at the end as it did at first.

    A step far below the best rate moves the policy in proportion to the rate, so the reward rises along a straight line
    in the rate spent. One that nears what it can reach bends, and the entropy is what it is bought with.
    """

    pace: float
    """The rise over the second half of the rate spent as a share of that over the first."""
    t: float
    """The standard errors by which the second half must rise, unless the entropy shows that the policy hardly moved."""
    kept: float
    """The share of the first entropy that shows this..."""
    kept_pace: float
    """... where the second half rises by this share of the first; less is a reward that has bent."""
    spent: float
    """Where less than this share of the first entropy is left, a larger step has nothing to move."""


class Halves(NamedTuple):
    """The rise over each half of the rate spent along two straight lines that meet, and the error of the second."""

    first: float
    second: float
    error: float


def reward_still_rises(
    reward: Curve,
    settings: Settings,
    learning_rate: Curve | None = None,
    entropy: Curve | None = None,
    *,
    min_share_done: float,
    min_points: int,
    limits: PaceLimits,
) -> Evidence | None:
    """The reward rises to the end as it did at first, far from its ceiling, and the entropy is not used up."""
    whole_run(reward, settings, min_share_done)
    enough(reward, min_points, "rewards")
    if at_ceiling(reward) or not rises(reward.values):
        return None
    halves, kept = _halves(reward, learning_rate), _kept(entropy)
    if halves.second <= 0.0 or (kept is not None and kept < limits.spent):
        return None
    straight = halves.second >= limits.pace * halves.first and halves.second >= limits.t * halves.error
    unmoved = kept is not None and kept >= limits.kept and halves.second >= limits.kept_pace * halves.first
    if not straight and not unmoved:
        return None
    measured = {"first": halves.first, "second": halves.second, "end": end(reward.values)}
    measured |= {} if kept is None else {"kept": kept}
    return throughout(reward, measured, 1.0 if straight and kept is not None else 0.8)


def _halves(reward: Curve, learning_rate: Curve | None) -> Halves:
    """The rises over the halves of the rate spent; of the steps, where no rate was logged."""
    curve = over_cumulative_lr(reward, learning_rate)
    spent = (curve.steps - curve.steps[0]) / max(float(curve.steps[-1] - curve.steps[0]), 1e-300)
    return _two_lines(spent, curve.values)


def _two_lines(x: FloatArray, values: FloatArray) -> Halves:
    """Least squares with a bend in the middle of ``x``, which runs from 0 to 1."""
    design = np.stack([np.ones_like(x), np.minimum(x, 0.5), np.maximum(x - 0.5, 0.0)], axis=1)
    inverse = np.linalg.pinv(design.T @ design)
    slopes = inverse @ design.T @ values
    left = values - design @ slopes
    variance = float(left @ left) / max(values.size - design.shape[1], 1)
    return Halves(0.5 * float(slopes[1]), 0.5 * float(slopes[2]), 0.5 * float(np.sqrt(variance * inverse[2, 2])))


def _kept(entropy: Curve | None) -> float | None:
    """The share of the first entropy that is left at the end; None where none was logged."""
    if entropy is None or not len(entropy) or entropy.values[0] <= 0.0:
        return None
    return end(entropy.values) / float(entropy.values[0])
