"""Runs whose rate throws the losses above where they began, whether or not they come back as the rate decays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.preconditions import MIN_LOSSES_FOR_LEVELS, enough, finite, rate_of, share_of_run
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

PARTS = 4
"""Training losses of single batches are judged by the means of this many parts of the run."""


@dataclass(frozen=True)
class OvershootLimits(Arguments):
    """From where on a loss stands above its start."""

    rise: float
    """A rise counts from this share of the start on..."""
    sigma: float
    """... and from so many noises of the second half on, when the rate has decayed and the loss is calm."""
    max_end_ratio: float
    """Losses that end further apart than this are not of one kind, and cannot be compared with each other's start."""

    def bound(self, start: float, values: FloatArray, error: float = 1.0) -> float:
        """The level above which a loss with that start overshoots; ``error`` scales the noise of a mean."""
        noise = signals.difference_noise(values[values.size // 2 :])
        return start + max(self.rise * abs(start), self.sigma * error * noise)


def loss_overshoots(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    overshoot: OvershootLimits,
    first_eval_by: float,
    min_evals: int,
    min_points: int,
    min_rate_ratio: float,
) -> Evidence | None:
    """Both losses stand above their start at some time: training that memorizes raises the held-out loss alone.

    A run that overshot before its first log shows in training losses that never come down to where the evaluations
    began. Without evaluations from early in the run on, the mean of a quarter of the training losses must stand above
    the start, which counts at rates far above the center only.
    """
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= min_evals else None
    if held is not None and share_of_run(train_loss, float(held.steps[0])) <= first_eval_by:
        return _both(train_loss, held, overshoot) or _before_the_first_log(train_loss, held, overshoot)
    enough(train_loss, min_points, "training losses without an evaluation near the start")
    ratio = rate_prior.relative(rate_of(settings, learning_rate))
    if ratio is None:
        raise NotEnoughPoints("no-early-eval", settings="learning_rate, method")
    return _train_only(train_loss, overshoot) if ratio >= min_rate_ratio else None


def _both(train_loss: Curve, eval_loss: Curve, limits: OvershootLimits) -> Evidence | None:
    """The evaluations that stand above the first, where a training loss stands above its own start."""
    later = train_loss.between(float(eval_loss.steps[0]), np.inf)
    began, held = float(eval_loss.values[0]), eval_loss.values[1:]
    if not len(later):
        return None
    start, level = _start(train_loss), signals.median(later.values[len(later) // 2 :])
    higher = max(1.0, start / level) if level > 0.0 else 1.0  # losses scatter by a share of themselves
    if later.values.max() <= limits.bound(start, later.values, higher):
        return None
    above = eval_loss.steps[1:][held > limits.bound(began, held)]
    if not above.size:
        return None
    return _evidence(train_loss, eval_loss, began, float(held.max()), above)


def _before_the_first_log(train_loss: Curve, eval_loss: Curve, limits: OvershootLimits) -> Evidence | None:
    """The evaluations after the first where both losses stay above it to the end: no training loss is as low."""
    later, held = train_loss.between(float(eval_loss.steps[0]), np.inf), eval_loss.values[1:]
    began = float(eval_loss.values[0])
    if eval_loss.steps[0] > train_loss.steps[0] or min(later.values.min(), held.min()) <= began:
        return None
    ends = signals.tail(train_loss.values), signals.tail(eval_loss.values)
    if min(ends) <= limits.bound(began, held) or max(ends) > limits.max_end_ratio * min(ends):
        return None
    return _evidence(train_loss, eval_loss, began, float(held.max()), eval_loss.steps[1:])


def _train_only(train_loss: Curve, limits: OvershootLimits) -> Evidence | None:
    """The parts of the training loss whose mean stands above the start."""
    values = train_loss.values
    parts = signals.block_means(values, PARTS)
    error = float(np.sqrt(PARTS / values.size + 1.0 / max(1, round(0.03 * values.size))))
    start = _start(train_loss)
    above = np.flatnonzero(parts > limits.bound(start, values, error))
    if not above.size:
        return None
    steps = train_loss.steps[[values.size * int(i) // PARTS for i in (above[0], above[-1])]]
    return _evidence(train_loss, train_loss, start, float(parts.max()), steps)


def _start(train_loss: Curve) -> float:
    """The first training loss, or the level of the first ones where that is higher."""
    return max(float(train_loss.values[0]), signals.head(train_loss.values))


def _evidence(train_loss: Curve, judge: Curve, start: float, highest: float, above: FloatArray) -> Evidence:
    """The levels of the curve that overshoots, and where in the run it does."""
    where = share_of_run(train_loss, float(above[0]))
    end = signals.tail(judge.values)
    highest = max(highest, end)
    measured = {"start": start, "highest": highest, "end": end, "share": where}
    measured |= {"rise": (highest - start) / abs(start) if start else np.inf}
    return Evidence(float(above[0]), float(above[-1]), finite(measured), 0.9)
