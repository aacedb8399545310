"""A run that learns slowly, explained by its learning rate: too low, or too low for the batch."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.arguments import Losses
from diagnostics.detectors.descent import RiseLimits, has_risen
from diagnostics.detectors.preconditions import near_its_end, rate_of
from diagnostics.detectors.slow_learning import SlowLimits, eval_barely_falls, learns_slowly, still_falls
from diagnostics.model.curves import NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

UNCERTAIN = 0.7
"""A rate at its center or above is less likely to be the cause."""


def rate_too_low(
    losses: Losses,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    min_share_done: float,
    slow: SlowLimits,
    risen: RiseLimits,
    max_rate_ratio: float,
    late_share: float,
    min_evals: int,
) -> Evidence | None:
    """The run learns slowly at a rate that may be raised.

    Far below the center a loss that still falls is enough, and so are flat evaluations beside training losses too
    noisy to tell. A rate that made the loss rise on its way is not too low, however slow the rest.
    """
    near_its_end(losses.train_loss, settings, min_share_done)
    rate = rate_of(settings, losses.learning_rate)
    unknown = settings.method == "dpo" and rate_prior.center is None
    if not rate_prior.may_rise(rate) or unknown or has_risen(losses.train_loss, losses.eval_loss, risen):
        return None
    found = learns_slowly(losses, slow)
    ratio = rate_prior.relative(rate)
    if found is None and ratio is not None and ratio <= max_rate_ratio:
        found = still_falls(losses, min_late_share=late_share)
        found = found or eval_barely_falls(losses, min_descent=slow.min_descent, min_evals=min_evals)
    if found is None:
        return None
    known = {key: v for key, v in (("rate", rate), ("center", rate_prior.center)) if v is not None}
    strength = found.strength if ratio is None or ratio < 1.0 else UNCERTAIN * found.strength
    return Evidence(found.first_step, found.last_step, {**found.measured, **known}, strength)


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
    near_its_end(losses.train_loss, settings, min_share_done)
    rate, batch = settings.learning_rate, settings.batch_size
    if rate is None or batch is None or rate_prior.center is None:
        raise NotEnoughPoints("setting-unknown", settings="learning_rate, batch_size, method")
    wanted = min(rate_prior.center * float(np.sqrt(batch / reference_batch)), rate_prior.cap or float("inf"))
    if not min_batch <= batch <= max_batch or rate >= share_of_wanted * wanted:
        return None
    found = learns_slowly(losses, slow)
    return found.with_measured(rate=rate, wanted=wanted, batch=batch) if found else None
