"""Runs on preference pairs (DPO): nothing learned, pairs memorized, a policy that drifts away, swapped pairs."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_END,
    MIN_EVALS_FOR_TREND,
    MIN_EVALS_TO_COMPARE,
    MIN_LOSSES_FOR_TREND,
    TREND_P,
    enough,
    finite,
    throughout,
)
from diagnostics.detectors.sanity import LN2
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

CHANCE, CHANCE_SIGMA = 0.5, 2.0
"""The accuracy of a guess; one within so many standard errors of it shows nothing learned."""
MIN_POINTS_FOR_ERROR = 4
MIN_GAIN = 0.01
"""A held-out accuracy that gains less in its second half no longer improves."""
WITH_ENTROPY = 0.5
"""Beside an entropy that collapsed, the log-probabilities need only have lost this share of their limit."""


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
    max_margin: float,
    min_points: int,
) -> Evidence | None:
    """The accuracy is no better than chance, or the loss is still ln 2, and the margin is tiny.

    Judged on the held-out pairs where they are logged. Only the sigmoid loss is compared with ln 2. A margin beyond
    ``max_margin`` on the wrong side is that of a policy that did move.
    """
    enough(train_loss, min_points, "training losses")
    right = late_mean(eval_rewards_accuracies or rewards_accuracies)
    apart = late_mean(eval_rewards_margins or rewards_margins)
    sigmoid = settings is None or settings.loss_type in (None, "sigmoid")
    lost = (LN2 - late_mean(train_loss)) / LN2 if sigmoid else float("inf")
    error = _standard_error(rewards_accuracies.values) if eval_rewards_accuracies is None else 0.0
    if not -max_margin < apart < margin or not (
        right < accuracy or right - CHANCE_SIGMA * error < CHANCE or lost < fall
    ):
        return None
    return throughout(train_loss, {"accuracy": right, "margin": apart, "loss": late_mean(train_loss)})


def _standard_error(values: FloatArray) -> float:
    """The standard error of the mean of the last quarter."""
    late = values[-max(1, values.size // 4) :]
    return float(late.std() / np.sqrt(late.size)) if late.size >= MIN_POINTS_FOR_ERROR else 0.0


def preferences_saturate(
    rewards_accuracies: Curve,
    train_loss: Curve,
    eval_rewards_accuracies: Curve | None = None,
    eval_loss: Curve | None = None,
    *,
    accuracy: float,
    rise: float,
    loss: float,
    min_points: int,
) -> Evidence | None:
    """The training accuracy is at its ceiling while the held-out one gets no better and the held-out loss rises.

    Without held-out pairs: accuracy at its ceiling and a loss below ``loss`` for the last quarter.
    """
    enough(train_loss, min_points, "training losses")
    right = late_mean(rewards_accuracies)
    if right < accuracy:
        return None
    measured = {"accuracy": right, "loss": late_mean(train_loss)}
    if eval_loss is None or len(eval_loss) < MIN_EVALS_FOR_END:
        low = train_loss.values[-max(1, len(train_loss) // 4) :].max() < loss
        return throughout(train_loss, measured, 0.6) if low else None
    found = signals.rise_from_minimum(eval_loss.values)
    if found.relative < rise or _still_rises(eval_rewards_accuracies):
        return None
    first = float(eval_loss.steps[found.onset])
    return Evidence(first, float(train_loss.steps[-1]), finite(measured | {"rise": found.relative}))


def _still_rises(curve: Curve | None) -> bool:
    """Whether the second half of a curve goes up beyond chance."""
    if curve is None or len(curve) < MIN_EVALS_FOR_TREND:
        return False
    late = curve.values[len(curve) // 2 :]
    direction, p = signals.mann_kendall(signals.block_means(late))
    return direction > 0 and p < TREND_P and float(late[-1] - late[0]) > MIN_GAIN


def chosen_likelihood_falls(
    rewards_chosen: Curve, rewards_margins: Curve, *, reward: float, p: float, min_points: int
) -> Evidence | None:
    """The chosen answers became much less likely (their reward is low and still falling) while the margin grows."""
    enough(rewards_chosen, min_points, "chosen rewards")
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
    """Both answers lost ``drop`` of their log-probability, or half of it beside an entropy that lost ``entropy_drop``.

    The held-out pairs must agree where they were scored twice: batches of few pairs differ in length alone.
    """
    enough(logps_chosen, MIN_LOSSES_FOR_TREND, "log-probabilities")
    held = [c for c in (eval_logps_chosen, eval_logps_rejected) if c is not None and len(c) >= MIN_EVALS_TO_COMPARE]
    lost = min(_relative_drop(curve.values) for curve in (logps_chosen, logps_rejected, *held))
    flat = signals.progress(entropy.values) if entropy is not None and len(entropy) >= MIN_LOSSES_FOR_TREND else 0.0
    if lost < drop and not (flat > entropy_drop and lost > WITH_ENTROPY * drop):
        return None
    return throughout(logps_chosen, {"drop": lost, "entropy_drop": flat})


def _relative_drop(values: FloatArray) -> float:
    """How far a negative series fell, over the size it started from."""
    start = signals.head(values)
    return (start - signals.tail(values)) / abs(start) if start else 0.0


def margins_run_away(rewards_chosen: Curve, rewards_rejected: Curve, *, reward: float) -> Evidence | None:
    """An implicit reward is large in size by the end: the policy left its reference far behind."""
    enough(rewards_chosen, MIN_LOSSES_FOR_TREND, "chosen rewards")
    size = max(abs(late_mean(rewards_chosen)), abs(late_mean(rewards_rejected)))
    if size < reward:
        return None
    steps = rewards_rejected.steps
    far = np.flatnonzero(np.abs(rewards_rejected.values) >= reward)
    first = float(steps[far[0]]) if far.size else float(rewards_chosen.steps[0])
    measured = {"size": size, "chosen": late_mean(rewards_chosen), "rejected": late_mean(rewards_rejected)}
    return Evidence(first, float(steps[-1]), finite(measured))


def rewards_fall_together(
    rewards_chosen: Curve,
    rewards_rejected: Curve,
    train_loss: Curve,
    eval_loss: Curve | None = None,
    *,
    reward: float,
    fall: float,
    min_points: int,
) -> Evidence | None:
    """Both implicit rewards ran far below 0 while the loss is no better than that of a policy that never moved."""
    enough(rewards_chosen, min_points, "chosen rewards")
    enough(train_loss, min_points, "training losses")
    chosen, rejected = late_mean(rewards_chosen), late_mean(rewards_rejected)
    held = eval_loss if eval_loss is not None and len(eval_loss) >= MIN_EVALS_TO_COMPARE else train_loss
    loss = min(late_mean(train_loss), late_mean(held))
    if max(chosen, rejected) > -reward or loss < (1.0 - fall) * LN2:
        return None
    far = np.flatnonzero(rewards_chosen.values <= -reward)
    first = float(rewards_chosen.steps[far[0]]) if far.size else float(rewards_chosen.steps[0])
    measured = {"chosen": chosen, "rejected": rejected, "loss": loss}
    return Evidence(first, float(rewards_chosen.steps[-1]), finite(measured))


def pairs_swapped(
    rewards_accuracies: Curve,
    eval_rewards_accuracies: Curve,
    eval_rewards_margins: Curve | None = None,
    *,
    train: float,
    held_out: float,
    min_evals: int,
) -> Evidence | None:
    """The policy prefers the chosen answers of the training pairs and the rejected ones of the held-out pairs."""
    enough(rewards_accuracies, MIN_LOSSES_FOR_TREND, "accuracies")
    enough(eval_rewards_accuracies, min_evals, "held-out accuracies")
    right, wrong = late_mean(rewards_accuracies), late_mean(eval_rewards_accuracies)
    if right < train or wrong > held_out:
        return None
    if eval_rewards_margins is not None and late_mean(eval_rewards_margins) >= 0.0:
        return None
    return throughout(eval_rewards_accuracies, {"train": right, "held_out": wrong})
