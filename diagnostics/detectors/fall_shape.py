"""How a loss divides its fall over the run: one that only follows the rate spent has not come near its floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments, Losses
from diagnostics.detectors.descent import MANY_POINTS
from diagnostics.detectors.preconditions import (
    MIN_LOSSES_FOR_TREND,
    cools_down,
    enough,
    rate_of,
    throughout,
    whole_run,
)
from diagnostics.detectors.sanity import LN2
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.methods import method_record
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

BLOCKS = 20
PARTS, LEAST_OF_A_PART = 8, 3
"""The parts of a run whose mean training losses are compared, and the logs that each must have."""
MIN_EVALS_FOR_SHAPE = 5
NEUTRAL = 0.15
"""A loss that begins this near ln 2 may be one that compares answers, where the log does not tell."""
CONSTANT = ("constant", "constant_with_warmup")
LEVEL_SHARE = 0.5
"""A logged rate that ends above this share of its peak counts as constant."""


@dataclass(frozen=True)
class FollowLimits(Arguments):
    """When a fall is no faster at first than the rate that was spent.

    A rate that decays linearly to 0 has spent 44 % of its sum after a quarter of the run and 75 % after half, a cosine
    48 % and 82 %, a constant one 25 % and 50 %; a loss that falls in proportion has not bent yet. A logarithm of the
    steps has made 67 % and 83 % of its fall by then, a power 90 % and more.
    """

    quarter: float
    """The share of the fall after a quarter of the run, under a rate that decays or is unknown..."""
    half: float
    """... and after half of it."""
    constant_quarter: float
    """The same under a rate that is known to be constant..."""
    constant_half: float
    """... and after half of the run."""
    max_fall: float
    """A loss that lost more than this share of its start is not a tenth of its way down."""
    pairs_fall: float
    """A loss that compares answers and fell this share below ln 2, where it starts, has learned to tell them apart."""
    resolution: float
    """The fall in noises of a level: below it the shares cannot be told."""
    min_evals: int
    """From so many evaluations on they are judged, else the training loss."""
    evidence: float
    """The nats by which such a fall must explain a training loss better than one that bends..."""
    eval_evidence: float
    """... and evaluations that begin by ``start_by``."""
    start_by: float
    """A share of the run: evaluations that begin later miss where a loss bends, and need the evidence of training..."""
    little: float
    """... unless they fall by no more than this share of the first."""
    climb: float
    """The share of the loss by which a part of the run that stands above an earlier one was thrown up..."""
    climb_sigma: float
    """... and the noises of its mean."""


@dataclass(frozen=True)
class _Shares:
    """The shares of the fall after a quarter and half of the run, and the fall over the start."""

    quarter: float
    half: float
    fall: float


def fall_follows_rate(
    losses: Losses, settings: Settings, *, min_share_done: float, follow: FollowLimits, min_points: int
) -> Evidence | None:
    """The loss falls in proportion to the rate spent from start to end: it is as far from its floor as ever."""
    train_loss, held = losses.train_loss, losses.eval_loss
    whole_run(train_loss, settings, min_share_done)
    if held is not None and len(held) >= follow.min_evals:
        little = float(held.values[0] - held.values[-1]) <= follow.little * abs(float(held.values[0]))
        late = _begins_at(held, train_loss) > follow.start_by and not little
        curve, resolution, evidence = held, follow.resolution, follow.evidence if late else follow.eval_evidence
    else:
        enough(train_loss, max(min_points, MIN_LOSSES_FOR_TREND), "training losses")
        curve, resolution, evidence = train_loss, 0.0, follow.evidence
    if signals.fall_of_shape(curve).follows_rate < evidence or _climbs(train_loss, follow):
        return None
    shares = _shares(curve, resolution)
    if (
        shares is None
        or shares.fall > follow.max_fall
        or (losses.learning_rate is not None and cools_down(losses.learning_rate))
    ):
        return None
    constant = _is_constant(settings, losses.learning_rate)
    quarter, half = (follow.constant_quarter, follow.constant_half) if constant else (follow.quarter, follow.half)
    start, end = float(curve.values[0]), float(curve.values[-1])
    compares = method_record(settings.method).loss_compares_answers or settings.method is None
    if compares and abs(start / LN2 - 1.0) < NEUTRAL and end < (1.0 - follow.pairs_fall) * LN2:
        return None
    if not 0.0 < shares.quarter < shares.half or shares.quarter > quarter or shares.half > half:
        return None
    measured = {"quarter": shares.quarter, "half": shares.half, "fall": shares.fall, "barely": 0.0}
    return throughout(curve, measured, 0.9 if curve is held else 0.75)


def _climbs(train_loss: Curve, limits: FollowLimits) -> bool:
    """Whether the training loss stands higher in one part of the run than in an earlier one: slow steps never do so."""
    values = train_loss.values
    if values.size < PARTS * LEAST_OF_A_PART:
        return False
    means = signals.block_means(values, PARTS)
    noise = signals.difference_noise(values[values.size // 2 :]) * float(np.sqrt(2.0 * PARTS / values.size))
    rise = float((means - np.minimum.accumulate(means)).max())
    return rise > max(limits.climb * abs(float(means[0])), limits.climb_sigma * noise)


def _shares(curve: Curve, resolution: float) -> _Shares | None:
    """The shares of the fall, on block means of a curve of many points; None where it does not fall beyond noise."""
    steps, values = curve.steps, curve.values
    noise = signals.difference_noise(values)
    if values.size >= MANY_POINTS:
        starts = np.arange(BLOCKS) * values.size // BLOCKS
        noise /= float(np.sqrt(values.size / BLOCKS))
        steps, values = signals.means_from(steps, starts), signals.means_from(values, starts)
    end = float(values[-1]) if values.size < 12 else float(values[-2:].mean())
    fall = float(values[0]) - end
    if fall <= resolution * noise or fall <= 0.0:
        return None
    quarter, half = (_at(steps, values, share) for share in (0.25, 0.5))
    start = float(values[0])
    return _Shares((start - quarter) / fall, (start - half) / fall, fall / abs(start))


def _begins_at(eval_loss: Curve, train_loss: Curve) -> float:
    """The share of the run at the first evaluation; a run begins one logging interval before its first log."""
    steps = train_loss.steps if len(train_loss) else eval_loss.steps[:1]
    origin = float(2.0 * steps[0] - steps[1]) if steps.size > 1 else float(steps[0])
    return (float(eval_loss.steps[0]) - origin) / max(float(eval_loss.steps[-1]) - origin, 1e-300)


def _at(steps: FloatArray, values: FloatArray, share: float) -> float:
    return float(np.interp(steps[0] + share * (steps[-1] - steps[0]), steps, values))


def _is_constant(settings: Settings, learning_rate: Curve | None) -> bool:
    """Whether the rate is known to stay near its peak."""
    if learning_rate is not None and len(learning_rate) > 2:
        return bool(learning_rate.values[-1] > LEVEL_SHARE * learning_rate.values.max())
    return settings.lr_scheduler_type in CONSTANT


def fall_not_shown(
    losses: Losses,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    min_share_done: float,
    shown: float,
    eval_fall: float,
    min_points: int,
    low: float,
    high: float,
) -> Evidence | None:
    """No fall of the loss stands out of its noise, at a rate that is not known to be usual.

    Fine-tuning may come down within its first log. So a rate between ``low`` and ``high`` times its center, where both
    are known, says more than such a loss: the rule cannot be evaluated there.
    """
    train_loss, held = losses.train_loss, losses.eval_loss
    whole_run(train_loss, settings, min_share_done)
    enough(train_loss, min_points, "training losses")
    ratio = rate_prior.relative(rate_of(settings, losses.learning_rate))
    if ratio is not None and low <= ratio <= high:
        raise NotEnoughPoints("loss-too-noisy")
    curves = [curve for curve in (train_loss, held) if curve is not None and len(curve) >= MIN_EVALS_FOR_SHAPE]
    found = max(signals.fall_of_shape(curve).shown for curve in curves)
    if found >= shown:
        return None
    if (
        held is not None
        and len(held) >= 2
        and held.values[0] - held.values[-1] > eval_fall * abs(float(held.values[0]))
    ):
        return None
    start, end = signals.head(train_loss.values), signals.tail(train_loss.values)
    return throughout(train_loss, {"start": start, "end": end, "shown": found})
