"""A learning rate that is too low, too low for the batch, or too high: by the signs of it and by its estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.detectors.arguments import Arguments, Losses
from diagnostics.detectors.descent import RiseLimits, fall_of, has_risen
from diagnostics.detectors.descent import late_share as late_share_of
from diagnostics.detectors.preconditions import MIN_LOSSES_FOR_LEVELS, enough, rate_of, throughout, whole_run
from diagnostics.detectors.slow_learning import SlowLimits, eval_barely_falls, learns_slowly, still_falls
from diagnostics.model.curves import NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import RateEstimate, RateSide
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

UNCERTAIN = 0.7
"""A rate at its center or above is less likely to be the cause."""


@dataclass(frozen=True)
class SureLimits(Arguments):
    """From which probability on the estimate of the rate is believed."""

    sure: float
    """That the rate lies on this side..."""
    sure_known: float
    """... where the family's usual rates are known, so that a curve like many others does not decide alone..."""
    evident: float
    """... and by the evidence of the curves alone."""

    def that(self, estimate: RateEstimate, side: RateSide, prior: LearningRatePrior) -> bool:
        """Whether the rate lies on that side by the estimate, and not by its prior alone."""
        wanted = self.sure if prior.relative(estimate.rate) is None else self.sure_known
        return estimate.chance(side) >= wanted and estimate.alone.chance(side) >= self.evident


def rate_too_low(
    losses: Losses,
    settings: Settings,
    rate_prior: LearningRatePrior,
    rate_estimate: RateEstimate | None = None,
    outlook: Outlook | None = None,
    *,
    min_share_done: float,
    slow: SlowLimits,
    risen: RiseLimits,
    max_rate_ratio: float,
    late_share: float,
    min_evals: int,
    sure: SureLimits,
    alike: float,
    alike_at_usual: float,
) -> Evidence | None:
    """The estimate is sure that the rate is too low, the run learns slowly at a rate that may be raised, or looks so.

    Far below the center a loss that still falls is enough, and so are flat evaluations beside training losses too
    noisy to tell. A rate that made the loss rise on its way is not too low, however slow the rest. At a usual rate, and
    with DPO where no rate is known to be usual, only a look that is surer counts.
    """
    whole_run(losses.train_loss, settings, min_share_done)
    rate = rate_of(settings, losses.learning_rate)
    known = {key: v for key, v in (("rate", rate), ("center", rate_prior.center)) if v is not None}
    if not rate_prior.may_rise(rate) or (settings.method == "dpo" and rate_prior.center is None):
        return _looks(losses, outlook, RateSide.TOO_LOW, alike_at_usual, known)
    if rate_estimate is not None and sure.that(rate_estimate, RateSide.TOO_LOW, rate_prior):
        measured = {"fall": fall_of(losses.judge), "late_share": late_share_of(losses.judge)}
        return throughout(losses.train_loss, measured | _times_off(rate_estimate, -1.0) | known)
    found, ratio = None, rate_prior.relative(rate)
    if not has_risen(losses.train_loss, losses.eval_loss, risen):
        found = learns_slowly(losses, slow)
        if found is None and ratio is not None and ratio <= max_rate_ratio:
            found = still_falls(losses, min_late_share=late_share)
            found = found or eval_barely_falls(losses, min_descent=slow.min_descent, min_evals=min_evals)
    if found is None:
        return _looks(losses, outlook, RateSide.TOO_LOW, alike, known)
    strength = found.strength if ratio is None or ratio < 1.0 else UNCERTAIN * found.strength
    return Evidence(found.first_step, found.last_step, {**found.measured, **known}, strength)


def _looks(
    losses: Losses, outlook: Outlook | None, side: RateSide, alike: float, known: dict[str, float]
) -> Evidence | None:
    """The run looks like those that miss much at a rate on this side; the chance of that is the confidence."""
    chance = outlook.chance(side) if outlook is not None else 0.0
    if chance < alike:
        return None
    measured = {"fall": fall_of(losses.judge), "alike": chance} | known
    return throughout(losses.train_loss, measured, chance)


def rate_too_high(
    losses: Losses,
    settings: Settings,
    rate_prior: LearningRatePrior,
    rate_estimate: RateEstimate | None = None,
    outlook: Outlook | None = None,
    *,
    sure: SureLimits,
    alike: float,
) -> Evidence | None:
    """The estimate is sure that the rate is too high, and the curves alone say so too; or the run looks so."""
    enough(losses.train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    rate = rate_of(settings, losses.learning_rate)
    known = {} if rate is None else {"rate": rate}
    if rate_estimate is None or not sure.that(rate_estimate, RateSide.TOO_HIGH, rate_prior):
        return _looks(losses, outlook, RateSide.TOO_HIGH, alike, known)
    return throughout(losses.train_loss, {"fall": fall_of(losses.judge)} | _times_off(rate_estimate, 1.0) | known)


def _times_off(estimate: RateEstimate, sign: float) -> dict[str, float]:
    """By which factors the rate is off, at the ends of the interval that is told; at least 1."""
    ends = sorted(10.0 ** max(0.0, sign * end) for end in estimate.interval())
    return {"least": ends[0], "most": ends[1]}


def rate_low_for_batch(
    losses: Losses,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    min_share_done: float,
    slow: SlowLimits,
    min_batch: float,
    max_batch: float,
    reference_batch: float,
    share_of_wanted: float,
) -> Evidence | None:
    """The run learns slowly with a large batch, at a rate that was not scaled with it.

    The rate wanted is the center times the square root of the batch over ``reference_batch``, up to the cap.
    """
    whole_run(losses.train_loss, settings, min_share_done)
    rate, batch = settings.learning_rate, settings.batch_size
    if rate is None or batch is None or rate_prior.center is None:
        raise NotEnoughPoints("setting-unknown", settings="learning_rate, batch_size, method")
    wanted = min(rate_prior.center * float(np.sqrt(batch / reference_batch)), rate_prior.cap or float("inf"))
    if not min_batch <= batch <= max_batch or rate >= share_of_wanted * wanted:
        return None
    found = learns_slowly(losses, slow)
    return found.with_measured(rate=rate, wanted=wanted, batch=batch) if found else None
