"""The signs of a loss that has not learned what it could: flat, falling straight on, or still falling at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments, Losses
from diagnostics.detectors.descent import (
    MANY_POINTS,
    MIN_POINTS_FOR_TREND,
    fall_of,
    falls_late,
    late_error,
    late_share,
    over_cumulative_lr,
    pace_of,
    uncertainty,
)
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_TREND,
    MIN_LOSSES_FOR_LEVELS,
    MIN_LOSSES_FOR_TREND,
    cools_down,
    enough,
    finite,
    throughout,
)
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence

LOGARITHM = 4.0 * float(np.log(4.0 / 3.0))
"""What -ln(t) loses in its last quarter over what a straight line loses there, times ln(points)."""
START_SIGMA = 2.0
"""A fall from the mean of the first points counts from so many standard errors of that mean on."""
TRAIN_SIGMA = 4.0
"""Training losses speak against a straight fall when they bend by more than so many standard errors."""


@dataclass(frozen=True)
class FlatLimits(Arguments):
    """When a loss counts as barely falling."""

    min_descent: float
    """A loss that lost less than this share of its start has barely fallen."""
    first_eval_by: float
    """A held-out loss whose first evaluation comes after this share of the run has missed the steepest fall."""
    standard_errors: float
    """Training losses must move by so many standard errors to speak against flat evaluations."""


@dataclass(frozen=True)
class StraightLimits(Arguments):
    """When a loss counts as falling straight on to its end.

    Healthy curves fall like the logarithm of the steps and must not pass: those lose 1.15 / ln(points) of a straight
    line in their last quarter, and 0.41 of their own second quarter.
    """

    straight: float
    """The fall in the last quarter over that of a straight line, on both losses."""
    straight_train_only: float
    """The same where only the training loss is logged."""
    pace: float
    """The fall in the last quarter over that in the second."""
    few_evals: float
    """Of fewer evaluations even the noise is uncertain: the fall must stand out by ``standard_errors``, else by one."""
    standard_errors: float
    """The standard errors by which the late fall of few evaluations must exceed its limit."""


@dataclass(frozen=True)
class SlowLimits(FlatLimits, StraightLimits):
    """When a run learns slowly: it barely falls, or falls straight on to its end."""


def learns_slowly(losses: Losses, limits: SlowLimits) -> Evidence | None:
    """The loss barely falls, or falls straight on to its end."""
    return barely_falls(losses, limits) or falls_straight(losses, limits)


@signals.memoize
def barely_falls(losses: Losses, limits: FlatLimits) -> Evidence | None:
    """The held-out loss barely falls and the training loss does not speak against it; or the latter, logged alone."""
    train_loss, held, judge = losses.train_loss, losses.held_out, losses.judge
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    if not _lost_less(judge, limits.min_descent) or not (held is None or _agrees(train_loss, held, limits)):
        return None
    measured = {"fall": fall_of(judge), "late_share": late_share(judge), "barely": 1.0}
    return throughout(train_loss, measured, 0.9)


@signals.memoize
def falls_straight(losses: Losses, limits: StraightLimits) -> Evidence | None:
    """The loss falls faster than a logarithm to its very end.

    Where a level rate comes down late the loss drops with it, which says nothing: None.
    """
    train_loss, held, judge = losses.train_loss, losses.held_out, losses.judge
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    if losses.learning_rate is not None and cools_down(losses.learning_rate):
        return None
    if len(judge) < MIN_POINTS_FOR_TREND or len(train_loss) < MIN_LOSSES_FOR_TREND:
        return None
    if min(fall_of(curve) for curve in (train_loss, judge)) <= 0 or not _is_straight(judge, held is None, limits):
        return None
    if held is not None and not _may_be_straight(train_loss, limits.straight):
        return None
    share = late_share(judge)
    measured = {"fall": fall_of(judge), "late_share": share, "barely": 0.0}
    return throughout(train_loss, measured, min(1.0, 0.5 + share))


def eval_barely_falls(losses: Losses, *, min_descent: float, min_evals: int) -> Evidence | None:
    """The held-out loss barely falls, and training losses too noisy to tell do not speak against it.

    What was learned before the first evaluation may hide in their noise: it takes a reason to expect a flat loss.
    """
    train_loss, eval_loss = losses.train_loss, losses.eval_loss
    if eval_loss is None or len(eval_loss) < min_evals or not _lost_less(eval_loss, min_descent):
        return None
    if not _lost_less(train_loss, min_descent, beside_flat_evals=True, may_be_noisy=True):
        return None
    measured = {"fall": fall_of(eval_loss), "late_share": late_share(eval_loss), "barely": 1.0}
    return throughout(train_loss, measured, 0.7)


def still_falls(losses: Losses, *, min_late_share: float) -> Evidence | None:
    """The loss still falls at its end, if more slowly than before; over the cumulative rate where that is logged."""
    train_loss, judge = losses.train_loss, losses.judge
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    share = min(late_share(over_cumulative_lr(curve, losses.learning_rate)) for curve in (train_loss, judge))
    if share < min_late_share or not falls_late(judge):
        return None
    steps = train_loss.steps
    quarter = float(steps[-1] - 0.25 * (steps[-1] - steps[0]))
    slope = signals.late_slope(judge.steps, judge.values)[0]
    measured = {"fall": fall_of(judge), "late_share": share, "late_slope": slope, "barely": 0.0}
    return Evidence(quarter, float(steps[-1]), finite(measured), 0.7)


def _lost_less(curve: Curve, limit: float, *, beside_flat_evals: bool = False, may_be_noisy: bool = False) -> bool:
    """Whether a curve certainly lost less than the limit, wherever one takes its start to be.

    A fine-tuning run often falls within its first few logs and is flat from then on: that is not a slow run. Training
    losses of single batches ``beside_flat_evals`` must only not speak against them; where they ``may_be_noisy``, they
    may even be so noisy that they could not.
    """
    doubt = uncertainty(curve)
    end = signals.tail(curve.values)
    if (doubt >= limit and not may_be_noisy) or not end:
        return False
    noise = signals.jitter(curve.values) if len(curve) >= MANY_POINTS else 0.0
    if beside_flat_evals and MIN_EVALS_FOR_TREND <= len(curve) < MANY_POINTS:
        noise = signals.difference_noise(curve.values) / abs(end)
    for count in (1, 3, 10, len(curve) // 30, len(curve) // 10):
        if not 0 < count <= len(curve):
            continue
        start = signals.median(curve.values[:count])
        fall = (start - end) / abs(start) if start else 1.0
        if not abs(fall) < limit + max(doubt, START_SIGMA * noise / np.sqrt(count)):
            return False
    return True


def _agrees(train_loss: Curve, held: Curve, limits: FlatLimits) -> bool:
    """Whether the training loss does not speak against a held-out loss that barely falls.

    It must itself be flat where the first evaluation comes late: what noise hides could have been learned before.
    Where the first evaluation came before the first log, losses of single batches need only not clearly move.
    """
    steps = train_loss.steps
    if held.steps[0] < steps[0]:
        return not _clearly_moves(train_loss, limits)
    late = held.steps[0] - steps[0] > limits.first_eval_by * (steps[-1] - steps[0])
    if late and uncertainty(train_loss) > limits.min_descent:
        return False
    return _lost_less(train_loss, limits.min_descent, beside_flat_evals=True)


def _clearly_moves(curve: Curve, limits: FlatLimits) -> bool:
    """Whether the means of the first and the last quarter differ by more than the limit and its standard errors."""
    quarter = max(1, len(curve) // 4)
    first, last = float(curve.values[:quarter].mean()), float(curve.values[-quarter:].mean())
    error = signals.difference_noise(curve.values) * float(np.sqrt(2.0 / quarter))
    return abs(first - last) > limits.min_descent * abs(first) + limits.standard_errors * error


def _is_straight(curve: Curve, train_only: bool, limits: StraightLimits) -> bool:
    """Whether a curve falls to its end faster than a logarithm, beyond its noise."""
    limit = limits.straight_train_only if train_only else limits.straight
    errors = limits.standard_errors if train_only or len(curve) < limits.few_evals else 1.0
    late = late_share(curve)
    if late < _at_least_a_logarithm(curve, limit) or late - errors * late_error(curve) < limit:
        return False
    return pace_of(curve) >= limits.pace and falls_late(curve)


def _may_be_straight(train_loss: Curve, straight: float) -> bool:
    """Whether training losses, noisier than evaluations, do not speak against a straight fall."""
    fall = fall_of(train_loss)
    doubt = TRAIN_SIGMA * uncertainty(train_loss) / fall if fall > 0 else 0.0
    return late_share(train_loss) + doubt >= _at_least_a_logarithm(train_loss, straight)


def _at_least_a_logarithm(curve: Curve, limit: float) -> float:
    """The limit, or the late share of a logarithm of so many points where that is larger."""
    return max(limit, LOGARITHM / float(np.log(max(len(curve), 2))))
