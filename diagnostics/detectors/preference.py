"""Runs on preference pairs (DPO): learned nothing, learned by heart, or drifted away from the reference."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.detectors.sanity import LN2
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def late_mean(curve: Curve) -> float:
    """The mean of the last quarter of a curve."""
    return float(curve.values[-max(1, len(curve) // 4) :].mean())


def preferences_not_learned(
    rewards_accuracies: Curve,
    rewards_margins: Curve,
    train_loss: Curve,
    eval_rewards_accuracies: Curve | None = None,
    eval_rewards_margins: Curve | None = None,
    settings: Settings | None = None,
    *,
    accuracy: float,
    margin: float,
    fall: float,
    points: int,
) -> Evidence | None:
    """The pairs are told apart no better than by chance, or the loss is still ln 2; the margin is tiny.

    Judged on the held-out pairs where they are logged. Losses other than the sigmoid are not held to ln 2.
    """
    enough(train_loss, points, "training losses")
    right = late_mean(eval_rewards_accuracies or rewards_accuracies)
    apart = late_mean(eval_rewards_margins or rewards_margins)
    sigmoid = settings is None or settings.loss_type in (None, "sigmoid")
    lost = (LN2 - late_mean(train_loss)) / LN2 if sigmoid else float("inf")
    error = _standard_error(rewards_accuracies.values) if eval_rewards_accuracies is None else 0.0
    if apart >= margin or not (right < accuracy or right - 2.0 * error < 0.5 or lost < fall):
        return None
    steps = train_loss.steps
    measured = {"accuracy": right, "margin": apart, "loss": late_mean(train_loss)}
    return Evidence(float(steps[0]), float(steps[-1]), finite(measured))


def _standard_error(values: FloatArray) -> float:
    """The standard error of the mean of the last quarter."""
    late = values[-max(1, values.size // 4) :]
    return float(late.std() / np.sqrt(late.size)) if late.size > 3 else 0.0


def preferences_saturate(
    rewards_accuracies: Curve,
    train_loss: Curve,
    eval_rewards_accuracies: Curve | None = None,
    eval_loss: Curve | None = None,
    *,
    accuracy: float,
    rise: float,
    loss: float,
    points: int,
) -> Evidence | None:
    """The training pairs are all told apart while the held-out ones get no better and their loss rises.

    Without held-out pairs: accuracy at its ceiling and a loss below ``loss`` for the last quarter.
    """
    enough(train_loss, points, "training losses")
    right = late_mean(rewards_accuracies)
    if right < accuracy:
        return None
    measured = {"accuracy": right, "loss": late_mean(train_loss)}
    steps = train_loss.steps
    if eval_loss is None or len(eval_loss) < 3:
        low = train_loss.values[-max(1, len(train_loss) // 4) :].max() < loss
        return Evidence(float(steps[0]), float(steps[-1]), finite(measured), 0.6) if low else None
    found = signals.rise_from_minimum(eval_loss.values)
    if found.relative < rise or _still_rises(eval_rewards_accuracies):
        return None
    first = float(eval_loss.steps[found.onset])
    return Evidence(first, float(steps[-1]), finite(measured | {"rise": found.relative}))


def _still_rises(curve: Curve | None) -> bool:
    """Whether the second half of a curve goes up beyond chance."""
    if curve is None or len(curve) < 6:
        return False
    late = curve.values[len(curve) // 2 :]
    direction, p = signals.mann_kendall(signals.block_means(late))
    return direction > 0 and p < 0.1 and float(late[-1] - late[0]) > 0.01


def chosen_likelihood_falls(
    rewards_chosen: Curve, rewards_margins: Curve, *, reward: float, p: float, points: int
) -> Evidence | None:
    """The chosen answers became much less likely (reward below ``reward``, still falling) while the margin grows."""
    enough(rewards_chosen, points, "chosen rewards")
    found = signals.trend(rewards_chosen.values)
    margin = signals.trend(rewards_margins.values)
    level = late_mean(rewards_chosen)
    if level > reward or found.direction >= 0 or found.p > p or margin.direction <= 0:
        return None
    steps = rewards_chosen.steps
    below = np.flatnonzero(rewards_chosen.values < reward)
    first = float(steps[below[0]]) if below.size else float(steps[0])
    return Evidence(first, float(steps[-1]), finite({"chosen": level, "margin": late_mean(rewards_margins)}))


def likelihood_collapses(
    logps_chosen: Curve,
    logps_rejected: Curve,
    entropy: Curve | None = None,
    eval_logps_chosen: Curve | None = None,
    eval_logps_rejected: Curve | None = None,
    *,
    drop: float,
    entropy_drop: float,
) -> Evidence | None:
    """Both answers lost ``drop`` of their log-probability, or the entropy of the predictions ``entropy_drop``.

    The held-out pairs must agree where they were scored twice: batches of few pairs differ in length alone.
    """
    enough(logps_chosen, 8, "log-probabilities")
    held = [c for c in (eval_logps_chosen, eval_logps_rejected) if c is not None and len(c) >= 2]
    lost = min(_relative_drop(curve.values) for curve in (logps_chosen, logps_rejected, *held))
    flat = signals.progress(entropy.values) if entropy is not None and len(entropy) >= 8 else 0.0
    if lost < drop and not (flat > entropy_drop and lost > 0.5 * drop):
        return None
    steps = logps_chosen.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"drop": lost, "entropy_drop": flat}))


def _relative_drop(values: FloatArray) -> float:
    """How far a negative series fell, over the size it started from."""
    start = signals.head(values)
    return (start - signals.tail(values)) / abs(start) if start else 0.0


def margins_run_away(rewards_chosen: Curve, rewards_rejected: Curve, *, reward: float) -> Evidence | None:
    """An implicit reward is larger than ``reward`` in size by the end: the policy left its reference far behind."""
    enough(rewards_chosen, 8, "chosen rewards")
    size = max(abs(late_mean(rewards_chosen)), abs(late_mean(rewards_rejected)))
    if size < reward:
        return None
    steps = rewards_rejected.steps
    far = np.flatnonzero(np.abs(rewards_rejected.values) >= reward)
    first = float(steps[far[0]]) if far.size else float(rewards_chosen.steps[0])
    measured = {"size": size, "chosen": late_mean(rewards_chosen), "rejected": late_mean(rewards_rejected)}
    return Evidence(first, float(steps[-1]), finite(measured))
