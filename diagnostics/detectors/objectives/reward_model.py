"""Reward models: scores no better than a coin, an overfit that accuracy hides, scores that drift."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.objectives.levels import to_judge
from diagnostics.detectors.preconditions import MIN_EVALS_FOR_END, enough, finite, throughout, whole_run
from diagnostics.detectors.preference import late_mean
from diagnostics.detectors.sanity import LN2
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def scores_at_chance(
    train_loss: Curve,
    rewards_margins: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    eval_rewards_margins: Curve | None = None,
    *,
    off: float,
    margin: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """A reward model ends at ln 2 and tells no chosen answer from a rejected one."""
    enough(train_loss, min_points, "training losses")
    whole_run(train_loss, settings, min_share_done)
    end = late_mean(to_judge(train_loss, eval_loss))
    apart = late_mean(to_judge(rewards_margins, eval_rewards_margins))
    if abs(end - LN2) > off or abs(apart) > margin:
        return None
    return throughout(train_loss, {"loss": end, "margin": apart})


def scores_below_chance(
    train_loss: Curve,
    eval_rewards_accuracies: Curve,
    *,
    accuracy: float,
    loss: float,
    min_evals: int,
    min_points: int,
) -> Evidence | None:
    """A reward model fits its training pairs and ranks held-out pairs worse than a coin."""
    enough(train_loss, min_points, "training losses")
    enough(eval_rewards_accuracies, min_evals, "evaluations")
    late = eval_rewards_accuracies.values[-MIN_EVALS_FOR_END:]
    if late.max() >= accuracy or late_mean(train_loss) >= loss:
        return None
    return throughout(eval_rewards_accuracies, {"accuracy": float(late.mean()), "loss": late_mean(train_loss)})


def accuracy_hides_overfit(
    train_loss: Curve,
    eval_loss: Curve,
    eval_rewards_accuracies: Curve,
    *,
    rise: float,
    noise: float,
    level: float,
    min_evals: int,
) -> Evidence | None:
    """The held-out loss of a reward model rises while its accuracy stays level: it is surer of the same mistakes."""
    enough(eval_loss, min_evals, "evaluations")
    enough(eval_rewards_accuracies, min_evals, "held-out accuracies")
    found = signals.rise_from_minimum(eval_loss.values)
    right = eval_rewards_accuracies
    at_best, at_end = float(right.at([eval_loss.steps[found.onset]])[0]), signals.tail(right.values)
    falls = signals.head(train_loss.values) > signals.tail(train_loss.values)
    if found.relative < rise or found.deviations < noise or abs(at_end - at_best) > level or not falls:
        return None
    measured = {"rise": found.relative, "lowest": found.lowest, "accuracy": at_end}
    return Evidence(float(eval_loss.steps[found.onset]), float(eval_loss.steps[-1]), finite(measured))


def scores_drift(reward: Curve, *, size: float, min_points: int) -> Evidence | None:
    """The mean score of a reward model is far from 0: its loss does not see a shift."""
    enough(reward, min_points, "mean scores")
    level = late_mean(reward)
    if abs(level) < size:
        return None
    far = np.flatnonzero(np.abs(reward.values) >= size)
    return Evidence(float(reward.steps[far[0]] if far.size else 0.0), float(reward.steps[-1]), {"score": level})
