"""What a healthy verdict rests on: how much was logged, how clearly the loss came down, and where the rate stands."""

from __future__ import annotations

from dataclasses import asdict
from math import log, log1p, log2

from diagnostics import signals
from diagnostics.detectors.arguments import MIN_EVALS_TO_JUDGE_BY
from diagnostics.detectors.rewards.windows import FEW_LOGS, at_ceiling, end, scale_of, start
from diagnostics.diagnosis.calibration import MOST_GAIN, Health, LookedHealth, RewardHealth, SoFarHealth
from diagnostics.diagnosis.context import LOGS_PER_EVALUATION, DiagnosisContext, evaluation_count
from diagnostics.model.curves import Curve
from diagnostics.model.methods import method_record

MIN_POINTS_FOR_SHAPE = 5
FAR_OFF = 0.75
"""Decades from the best rate at which a run that is called healthy would be a sick one."""
MOST_POINTS, MOST_SHOWN, MOST_ODDS = 32.0, 100.0, 4.0
"""More of them make no verdict surer."""


def health_of(context: DiagnosisContext, kinds: int, nearly: bool) -> Health:
    """What speaks for a run in which no rule found a fault; ``kinds`` of fault were checked, one was nearly found."""
    if not method_record(context.settings.method).loss_is_objective:
        return _health_of_rewards(context, kinds, nearly)
    held = context.curves.get("eval_loss")
    judged = held is not None and len(held) >= MIN_EVALS_TO_JUDGE_BY
    points = evaluation_count(context)
    fall = _fall(context.curves.get("train_loss"), held)
    health = Health(
        kinds=kinds,
        points=log2(min(max(points, 1.0), MOST_POINTS)) if points else None,
        held_out=judged,
        settings=context.settings.learning_rate is not None and context.settings.method is not None,
        nearly=nearly,
        shown=log1p(min(max(fall.shown, 0.0), MOST_SHOWN)),
        bends=min(max(-fall.follows_rate, -MOST_ODDS), MOST_ODDS),
        rate=_rate_odds(context),
    )
    if context.so_far is not None:
        return SoFarHealth(**asdict(health), look=_log_odds(context.so_far))
    look = context.outlook
    return health if look is None else LookedHealth(**asdict(health), look=_log_odds(look.doubted.well))


def _health_of_rewards(context: DiagnosisContext, kinds: int, nearly: bool) -> Health:
    """What speaks for a run that learns from rewards: how far the reward rose, or that it is at its ceiling."""
    reward, held = context.curves.get("reward"), context.curves.get("eval_reward")
    if reward is None or len(reward) < FEW_LOGS:
        return Health(kinds, None)
    gained = MOST_GAIN if at_ceiling(reward) else (end(reward.values) - start(reward.values)) / scale_of(reward)
    return RewardHealth(
        kinds=kinds,
        points=log2(min(max(len(reward) / LOGS_PER_EVALUATION, 1.0), MOST_POINTS)),
        held_out=held is not None and len(held) >= MIN_EVALS_TO_JUDGE_BY,
        settings=context.settings.learning_rate is not None,
        nearly=nearly,
        gained=gained,
    )


def _fall(train_loss: Curve | None, eval_loss: Curve | None) -> signals.Fall:
    """The fall of the losses: of the one that shows it more clearly."""
    falls = [
        signals.fall_of_shape(curve)
        for curve in (train_loss, eval_loss)
        if curve is not None and len(curve) >= MIN_POINTS_FOR_SHAPE
    ]
    return max(falls, key=lambda fall: fall.shown, default=signals.Fall(0.0, 0.0))


def _rate_odds(context: DiagnosisContext) -> float:
    """The log odds that the learning rate lies near the best one; 0 where nothing is known of it."""
    if context.rate is None:
        return 0.0
    near = context.rate.probability_below(FAR_OFF) - context.rate.probability_below(-FAR_OFF)
    return _log_odds(near)


def _log_odds(share: float) -> float:
    known = min(max(share, 0.02), 0.98)
    return log(known / (1.0 - known))
