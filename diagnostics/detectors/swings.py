"""A training loss that goes up as often as down: by a large share of itself, or in turn with every log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import MIN_EVALS_TO_JUDGE_BY, Arguments
from diagnostics.detectors.preconditions import MIN_POINTS_FOR_SCATTER, TREND_P, enough, throughout
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

MIN_LOSSES_TO_SWING = 12
TRAIN_ONLY_FACTOR = 2.0
"""Without a held-out loss to confirm them, swings must be so many times as large beside the descent."""


@dataclass(frozen=True)
class SwingLimits(Arguments):
    """When the scatter of a training loss is the weights' and not the batches'."""

    swing: float
    """The scatter of the log loss."""
    of_descent: float
    """The scatter over the whole descent of the log loss."""
    max_eval_scatter: float
    """A held-out loss that neither rises nor scatters by this share of the scatter is calm: the batches differ."""
    elasticity: float
    """Scatter that a decaying rate leaves as it is (an elasticity below this) is that of the batches."""
    row_scatter: float
    """Single rows scatter by this share of their loss."""
    min_rows: float
    """Short answers scatter more: of fewer rows a log, only swings that shrink with the rate are found."""


def loss_swings(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    swings: SwingLimits,
    min_rate_ratio: float,
) -> Evidence | None:
    """The loss swings by a large share of itself throughout, by more than it has learned.

    Never far below the center of the learning rates, nor where the held-out loss, always of the same rows, is calm.
    """
    enough(train_loss, MIN_LOSSES_TO_SWING, "training losses")
    ratio = rate_prior.relative(settings.learning_rate)
    if ratio is not None and ratio < min_rate_ratio:
        return None
    logs = signals.log_level(train_loss.values)
    scatter = signals.robust_scale(signals.local_residual(train_loss.values))
    fall = max(0.0, signals.head(logs) - signals.tail(logs))
    if scatter < swings.swing or scatter < swings.of_descent * fall:
        return None
    held = eval_loss if eval_loss is not None and len(eval_loss) >= MIN_EVALS_TO_JUDGE_BY else None
    if held is not None and _is_calm(held, swings.max_eval_scatter * scatter):
        return None
    if held is None and not _weights_swing(train_loss, settings, learning_rate, scatter, fall, swings):
        return None
    flips = signals.oscillation(train_loss.values)[1]
    measured = {"swing": scatter, "fall": fall, "of_descent": scatter / fall if fall else np.inf, "flips": flips}
    return throughout(train_loss, measured, 0.55 if held is None else 0.8)


def _is_calm(eval_loss: Curve, scatter: float) -> bool:
    """Whether the held-out loss neither rises nor scatters by ``scatter`` (of its log)."""
    logs = signals.log_level(eval_loss.values)
    return bool(logs[-1] - logs[0] <= scatter) and signals.difference_noise(logs) < scatter


def _weights_swing(
    train_loss: Curve, settings: Settings, learning_rate: Curve | None, scatter: float, fall: float, limits: SwingLimits
) -> bool:
    """Whether the training loss alone shows that the weights swing.

    It does not come down beneath its swings, they are larger than those of its rows, and they shrink with the rate.
    """
    logs, rows = signals.log_level(train_loss.values), _rows(settings)
    if scatter < TRAIN_ONLY_FACTOR * limits.of_descent * fall or _comes_down(logs):
        return False
    if scatter < limits.row_scatter / np.sqrt(rows):
        return False
    elasticity = _elasticity(train_loss, learning_rate)
    return rows >= limits.min_rows if elasticity is None else elasticity >= limits.elasticity


def _comes_down(logs: FloatArray) -> bool:
    """Whether a series falls beyond chance beneath its noise."""
    direction, chance = signals.mann_kendall(signals.block_means(logs))
    return direction < 0 and chance < TREND_P


def _rows(settings: Settings) -> float:
    """The number of rows that a logged loss is the mean of; infinite where the log does not give it."""
    if settings.batch_size is None or settings.logging_steps is None:
        return np.inf
    return max(1.0, settings.batch_size * max(1.0, settings.logging_steps))


def _elasticity(train_loss: Curve, learning_rate: Curve | None) -> float | None:
    """How the scatter follows the learning rate; None where the rate does not decay or is not known."""
    if learning_rate is None or len(learning_rate) < MIN_POINTS_FOR_SCATTER:
        return None
    return signals.elasticity(train_loss.values, learning_rate.at(train_loss.steps))


def loss_zigzags(
    train_loss: Curve, *, lag: float, standard_errors: float, flips: float, swing: float, min_points: int
) -> Evidence | None:
    """The loss goes up and down in turn: neighbors stand on opposite sides of the trend, beyond chance."""
    enough(train_loss, min_points, "training losses")
    found, turned = signals.oscillation(train_loss.values)
    scatter = signals.jitter(train_loss.values)
    if -found < max(lag, standard_errors / np.sqrt(len(train_loss))) or turned < flips or scatter < swing:
        return None
    return throughout(train_loss, {"lag": found, "flips": turned, "swing": scatter}, 0.9)
