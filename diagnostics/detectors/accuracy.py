"""What the share of tokens predicted right says beside the loss (TRL's ``mean_token_accuracy``)."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence

FEW = 200
"""Accuracies of single rows are bounded and skewed: of fewer logs than this the spread of the bulk is no safe noise."""


def known_from_the_start(
    train_loss: Curve, mean_token_accuracy: Curve | None = None, *, accuracy: float, loss: float, points: int
) -> Evidence | None:
    """The first logs already show ``accuracy`` of the tokens right, or, without that curve, a loss below ``loss``."""
    enough(train_loss, points, "training losses")
    first = float(train_loss.values[:3].max())
    measured = {"loss": first}
    if mean_token_accuracy is not None and len(mean_token_accuracy) >= 3:
        right = float(mean_token_accuracy.values[:3].min())
        if right < accuracy:
            return None
        measured["accuracy"] = right
    elif not 0.0 < first < loss:
        return None
    return Evidence(float(train_loss.steps[0]), float(train_loss.steps[2]), finite(measured))


def accuracy_stands_still(
    train_loss: Curve, mean_token_accuracy: Curve, *, fall: float, rise: float, room: float, points: int
) -> Evidence | None:
    """The loss lost ``fall`` of its start and the accuracy gained less than ``rise``, with ``room`` left to gain."""
    enough(train_loss, points, "training losses")
    enough(mean_token_accuracy, points, "token accuracies")
    lost = signals.progress(signals.block_means(train_loss.values))
    parts = signals.block_means(mean_token_accuracy.values)
    gained = float(np.mean(parts[-2:]) - np.mean(parts[:2]))
    noise = signals.difference_noise(mean_token_accuracy.values) * float(np.sqrt(20.0 / len(mean_token_accuracy)))
    direction, p = signals.mann_kendall(parts)
    certain = noise < rise and not (direction > 0 and p < 0.1)
    if lost < fall or gained >= rise or parts[0] > 1.0 - room or not certain:
        return None
    measured = {"fall": lost, "gained": gained, "accuracy": float(parts[-1])}
    return Evidence(float(train_loss.steps[0]), float(train_loss.steps[-1]), finite(measured), 0.9)


def accuracy_falls(
    mean_token_accuracy: Curve,
    eval_mean_token_accuracy: Curve | None = None,
    train_loss: Curve | None = None,
    *,
    drop: float,
    noises: float,
    points: int,
) -> Evidence | None:
    """The token accuracy ends ``drop`` (of 1) and ``noises`` standard errors below its best.

    Held-out rows and the training loss must not speak against it where they are logged: the held-out accuracy falls
    half as far or more, and the loss is no lower at the end than at the best.
    """
    enough(mean_token_accuracy, points, "token accuracies")
    values = mean_token_accuracy.values
    parts = signals.block_means(values)
    noise = signals.difference_noise(values)
    if values.size < FEW:
        noise = max(noise, float(np.diff(values, 2).std()) / np.sqrt(6.0))
    error = noise * float(np.sqrt(2.0 * parts.size / values.size))
    best = int(np.flatnonzero(parts >= parts.max() - 2.0 * error)[-1])  # the last that is still as good
    lost = float(parts[best] - np.mean(parts[-2:]))
    if lost < drop or lost < noises * error or best >= parts.size - 2:
        return None
    if eval_mean_token_accuracy is not None and len(eval_mean_token_accuracy) >= 3:
        held = eval_mean_token_accuracy.values
        if float(held.max() - held[-1]) < 0.5 * lost:
            return None
    if train_loss is not None and len(train_loss) >= points:
        losses = signals.block_means(train_loss.values)
        at = min(best, losses.size - 1)
        if losses[-1] < losses[at]:
            return None
    first = float(mean_token_accuracy.steps[min(values.size - 1, values.size * (best + 1) // parts.size)])
    measured = {"best": float(parts[best]), "end": float(np.mean(parts[-2:])), "drop": lost}
    return Evidence(first, float(mean_token_accuracy.steps[-1]), finite(measured), 0.9)


def learned_by_heart(
    mean_token_accuracy: Curve,
    eval_mean_token_accuracy: Curve,
    *,
    accuracy: float,
    gap: float,
    evals: int,
    points: int,
) -> Evidence | None:
    """Nearly all training tokens are predicted right, far more than the held-out ones, which gain no more."""
    enough(mean_token_accuracy, points, "token accuracies")
    enough(eval_mean_token_accuracy, evals, "held-out token accuracies")
    values, held = mean_token_accuracy.values, eval_mean_token_accuracy.values
    right, known = signals.tail(values), signals.tail(held)
    half = held[held.size // 2 :]
    gained = float(half[-1] - half[0])
    if right < accuracy or right - known < gap or gained > 0.1 * gap:
        return None
    late = np.flatnonzero(values >= accuracy)
    first = float(mean_token_accuracy.steps[late[0]])
    measured = {"accuracy": right, "held_out": known, "gap": right - known}
    return Evidence(first, float(mean_token_accuracy.steps[-1]), finite(measured), 0.9)
