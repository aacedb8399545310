"""A learning rate whose schedule, not whose height, kept a run from learning more: run out, or never decayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments, Losses
from diagnostics.detectors.descent import (
    MIN_POINTS_FOR_TREND,
    RiseLimits,
    fall_of,
    falls_late,
    has_risen,
    late_share,
    over_cumulative_lr,
    pace_of,
)
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_TREND,
    MIN_LOSSES_FOR_TREND,
    MIN_POINTS_FOR_SCATTER,
    MIN_RATES_FOR_SCHEDULE,
    cools_down,
    enough,
    finite,
    rate_of,
    throughout,
    whole_run,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

MIN_LOSSES_FOR_PACE = 12
MIN_EVALS_FROM_BEFORE_TRAINING = 5


@dataclass(frozen=True)
class RunOutLimits(Arguments):
    """How a loss falls over the cumulative learning rate when the rate ran out before the loss had settled.

    The logarithm of the steps, as healthy runs fall, under a cosine schedule stays below ``late_share`` and ``pace``.
    """

    late_share: float
    """The fall in the last quarter of the cumulative rate over that of a straight line."""
    pace: float
    """The fall in that quarter over that in the second."""
    fall: float
    """The share of its start that the loss must have lost."""
    whole_late_share: float
    """``late_share`` for a held-out loss evaluated before training: it shows the steep start of a good fit."""
    whole_pace: float
    """``pace`` for such a held-out loss."""
    whole_fall: float
    """The share of its start that such a held-out loss may have lost at most."""


def rate_runs_out(
    losses: Losses,
    learning_rate: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    min_share_done: float,
    run_out: RunOutLimits,
    risen: RiseLimits,
) -> Evidence | None:
    """The schedule ended before the curve did: per unit of learning rate the loss falls as fast late as early.

    Not where a loss had risen before: it falls from where the rate threw it. A held-out loss evaluated since before
    training shows that by itself.
    """
    train_loss, eval_loss = losses.train_loss, losses.eval_loss
    whole_run(train_loss, settings, min_share_done)
    rate = rate_of(settings, learning_rate)
    if not rate_prior.may_rise(rate) or has_risen(train_loss, eval_loss, risen):
        return None
    if not _from_before_training(losses) and has_risen(train_loss, None, risen):
        return None
    found = _falls_to_the_end_of_the_rate(losses, learning_rate, run_out)
    return found.with_measured(**({"rate": rate} if rate is not None else {})) if found else None


def _falls_to_the_end_of_the_rate(losses: Losses, learning_rate: Curve, limits: RunOutLimits) -> Evidence | None:
    """The held-out loss alone where it was evaluated before training and lost little, else both losses."""
    train_loss, eval_loss = losses.train_loss, losses.eval_loss
    enough(train_loss, MIN_LOSSES_FOR_PACE, "training losses")
    enough(learning_rate, MIN_RATES_FOR_SCHEDULE, "learning rates")
    if cools_down(learning_rate):
        return None
    found = None
    if eval_loss is not None and _from_before_training(losses):
        found = _measured([eval_loss], learning_rate, limits.whole_late_share, limits.whole_pace, limits.fall)
    if found is None or found["fall"] > limits.whole_fall:
        both = eval_loss is not None and len(eval_loss) >= MIN_EVALS_FOR_TREND
        curves = [train_loss, eval_loss] if both and eval_loss is not None else [train_loss]
        found = _measured(curves, learning_rate, limits.late_share, limits.pace, limits.fall)
    return None if found is None else throughout(train_loss, found, 0.9)


def _from_before_training(losses: Losses) -> bool:
    """Whether the held-out loss was evaluated before training, and at least four times since."""
    held = losses.eval_loss
    if held is None or len(held) < MIN_EVALS_FROM_BEFORE_TRAINING:
        return False
    return bool(held.steps[0] < losses.train_loss.steps[0])


def _measured(
    curves: list[Curve], learning_rate: Curve, min_late_share: float, min_pace: float, min_fall: float
) -> dict[str, float] | None:
    """Late share, pace (of the last curve) and fall over the cumulative rate; None where one is too small."""
    spent = [over_cumulative_lr(curve, learning_rate) for curve in curves]
    if min(len(curve) for curve in spent) < MIN_POINTS_FOR_TREND or not all(falls_late(curve) for curve in spent):
        return None
    share, pace, fall = min(late_share(curve) for curve in spent), pace_of(spent[-1]), min(map(fall_of, spent))
    if share < min_late_share or pace < min_pace or fall < min_fall:
        return None
    return {"late_share": share, "pace": pace, "fall": fall}


def loss_plateaus(
    train_loss: Curve,
    learning_rate: Curve,
    *,
    last_share: float,
    change: float,
    p: float,
    min_rate_share: float,
    max_hidden: float,
) -> Evidence | None:
    """The end of the run is flat although the learning rate has not come down there.

    Raises ``NotEnoughPoints`` where noise alone could hide a change of more than ``max_hidden``.
    """
    enough(train_loss, MIN_POINTS_FOR_SCATTER, "training losses")
    enough(learning_rate, MIN_RATES_FOR_SCHEDULE, "learning rates")
    steps, values = train_loss.steps, train_loss.values
    first = float(steps[-1] - last_share * (steps[-1] - steps[0]))
    late = values[steps >= first]
    if late.size < MIN_LOSSES_FOR_TREND or learning_rate.values[-1] < min_rate_share * learning_rate.values.max():
        return None
    moved, chance = signals.plateau(late)
    doubt = signals.jitter(late) * float(np.sqrt(8.0 / late.size))
    if doubt > max_hidden:
        raise NotEnoughPoints("too-noisy-for-plateau", change=doubt)
    if moved > max(change, min(doubt, max_hidden - doubt)) or chance < p:
        return None
    return Evidence(first, float(steps[-1]), finite({"change": moved, "p": chance}), 0.8)
