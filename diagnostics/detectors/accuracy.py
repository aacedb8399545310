"""What the share of tokens predicted right says beside the loss (TRL's ``mean_token_accuracy``)."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import MIN_EVALS_FOR_END, TREND_P, enough, finite, throughout
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence

FIRST_LOGS = 3
"""The logs that show what is known before anything is learned."""
MIN_LOGS_FOR_SCATTER = 200
"""Accuracies of single rows are bounded and skewed: of fewer logs the spread of their bulk understates the noise."""
BEST_SIGMA = 2.0
"""Parts of the run within so many standard errors of the best are as good as the best."""
MIN_EVAL_SHARE = 0.5
"""The held-out accuracy must fall by this share of the fall in training to confirm it."""
MAX_EVAL_GAIN = 0.1
"""A held-out accuracy that gains more than this share of the gap in its second half still improves."""


def known_from_the_start(
    train_loss: Curve, mean_token_accuracy: Curve | None = None, *, accuracy: float, loss: float, min_points: int
) -> Evidence | None:
    """The first logs already show nearly every token predicted right, or, without that curve, a tiny loss."""
    enough(train_loss, min_points, "training losses")
    first = float(train_loss.values[:FIRST_LOGS].max())
    measured = {"loss": first}
    if mean_token_accuracy is not None and len(mean_token_accuracy) >= FIRST_LOGS:
        right = float(mean_token_accuracy.values[:FIRST_LOGS].min())
        if right < accuracy:
            return None
        measured["accuracy"] = right
    elif not 0.0 < first < loss:
        return None
    return Evidence(float(train_loss.steps[0]), float(train_loss.steps[FIRST_LOGS - 1]), finite(measured))


def accuracy_stands_still(
    train_loss: Curve, mean_token_accuracy: Curve, *, fall: float, rise: float, room: float, min_points: int
) -> Evidence | None:
    """The loss lost ``fall`` of its start and the accuracy gained less than ``rise``, with ``room`` left to gain."""
    enough(train_loss, min_points, "training losses")
    enough(mean_token_accuracy, min_points, "token accuracies")
    lost = signals.progress(signals.block_means(train_loss.values))
    parts = signals.block_means(mean_token_accuracy.values)
    gained = float(np.mean(parts[-2:]) - np.mean(parts[:2]))
    noise = signals.difference_noise(mean_token_accuracy.values) * float(np.sqrt(20.0 / len(mean_token_accuracy)))
    direction, p = signals.mann_kendall(parts)
    certain = noise < rise and not (direction > 0 and p < TREND_P)
    if lost < fall or gained >= rise or parts[0] > 1.0 - room or not certain:
        return None
    return throughout(train_loss, {"fall": lost, "gained": gained, "accuracy": float(parts[-1])}, 0.9)


def accuracy_falls(
    mean_token_accuracy: Curve,
    eval_mean_token_accuracy: Curve | None = None,
    train_loss: Curve | None = None,
    *,
    drop: float,
    sigma: float,
    min_points: int,
) -> Evidence | None:
    """The token accuracy ends far below its best, beyond its noise.

    Held-out rows and the training loss must not speak against it where they are logged: the held-out accuracy falls
    too, and the loss is no lower at the end than at the best.
    """
    enough(mean_token_accuracy, min_points, "token accuracies")
    values = mean_token_accuracy.values
    parts = signals.block_means(values)
    noise = signals.difference_noise(values)
    if values.size < MIN_LOGS_FOR_SCATTER:
        noise = max(noise, float(np.diff(values, 2).std()) / np.sqrt(6.0))
    error = noise * float(np.sqrt(2.0 * parts.size / values.size))
    best = int(np.flatnonzero(parts >= parts.max() - BEST_SIGMA * error)[-1])
    lost = float(parts[best] - np.mean(parts[-2:]))
    if lost < drop or lost < sigma * error or best >= parts.size - 2:
        return None
    if eval_mean_token_accuracy is not None and len(eval_mean_token_accuracy) >= MIN_EVALS_FOR_END:
        held = eval_mean_token_accuracy.values
        if float(held.max() - held[-1]) < MIN_EVAL_SHARE * lost:
            return None
    if train_loss is not None and len(train_loss) >= min_points:
        losses = signals.block_means(train_loss.values)
        if losses[-1] < losses[min(best, losses.size - 1)]:
            return None
    first = float(mean_token_accuracy.steps[min(values.size - 1, values.size * (best + 1) // parts.size)])
    measured = {"best": float(parts[best]), "end": float(np.mean(parts[-2:])), "drop": lost}
    return Evidence(first, float(mean_token_accuracy.steps[-1]), finite(measured), 0.9)


def train_tokens_memorized(
    mean_token_accuracy: Curve,
    eval_mean_token_accuracy: Curve,
    *,
    accuracy: float,
    gap: float,
    min_evals: int,
    min_points: int,
) -> Evidence | None:
    """Nearly all training tokens are predicted right, far more than the held-out ones, which gain nothing more."""
    enough(mean_token_accuracy, min_points, "token accuracies")
    enough(eval_mean_token_accuracy, min_evals, "held-out token accuracies")
    values, held = mean_token_accuracy.values, eval_mean_token_accuracy.values
    right, known = signals.tail(values), signals.tail(held)
    half = held[held.size // 2 :]
    gained = float(half[-1] - half[0])
    if right < accuracy or right - known < gap or gained > MAX_EVAL_GAIN * gap:
        return None
    first = float(mean_token_accuracy.steps[np.flatnonzero(values >= accuracy)[0]])
    measured = {"accuracy": right, "held_out": known, "gap": right - known}
    return Evidence(first, float(mean_token_accuracy.steps[-1]), finite(measured), 0.9)
