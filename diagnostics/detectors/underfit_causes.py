"""What explains a run that hardly learns: the curve's sign together with the settings, one cause a function."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.descent import has_risen
from diagnostics.detectors.preconditions import near_its_end, rate_of
from diagnostics.detectors.slow_learning import (
    falls_with_every_dose,
    held_barely_falls,
    learns_slowly,
    seen_whole,
    still_falls,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings


def rate_too_low(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    below: float,
    late: float,
    calm: float,
    noises: float,
    evals: int,
    **slow: float,
) -> Evidence | None:
    """The run hardly learns at a rate that may rise; far ``below`` the center, still falling (``late``) is enough.

    Or that ``evals`` evaluations are flat beside training losses too noisy to tell.

    A rate that made the loss rise by ``calm`` and ``noises`` noises on its way is not too low, however slow the rest.
    """
    near_its_end(train_loss, settings, done)
    rate = rate_of(settings, learning_rate)
    unknown = settings.method == "dpo" and rate_prior.center is None
    if not rate_prior.may_rise(rate) or unknown or has_risen(train_loss, eval_loss, calm, noises):
        return None
    found = learns_slowly(train_loss, eval_loss, learning_rate, **slow)
    ratio = rate_prior.relative(rate)
    if found is None and ratio is not None and ratio <= below:
        found = still_falls(train_loss, eval_loss, learning_rate, late=late)
        found = found or held_barely_falls(train_loss, eval_loss, barely=slow["barely"], evals=evals)
    if found is None:
        return None
    extra = {key: v for key, v in (("rate", rate), ("center", rate_prior.center)) if v is not None}
    sure = found.strength if ratio is None or ratio < 1.0 else 0.7 * found.strength
    return Evidence(found.first_step, found.last_step, {**found.measured, **extra}, sure)


def rate_runs_out(
    train_loss: Curve,
    learning_rate: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    *,
    late: float,
    pace: float,
    fall: float,
    whole_late: float,
    whole_pace: float,
    whole_fall: float,
    done: float,
    calm: float,
    noises: float,
) -> Evidence | None:
    """The schedule ended before the curve did: per unit of learning rate the loss falls as fast late as early.

    Not so where a loss had risen by ``calm`` and ``noises`` noises before: it falls from where the rate threw it. The
    held-out loss tells that alone where it was looked at from before training on.
    """
    near_its_end(train_loss, settings, done)
    rate = rate_of(settings, learning_rate)
    if not rate_prior.may_rise(rate) or has_risen(train_loss, eval_loss, calm, noises):
        return None
    if not seen_whole(train_loss, eval_loss) and has_risen(train_loss, None, calm, noises):
        return None
    whole = {"whole_late": whole_late, "whole_pace": whole_pace, "whole_fall": whole_fall}
    found = falls_with_every_dose(train_loss, learning_rate, eval_loss, late=late, pace=pace, fall=fall, **whole)
    return _with(found, **({"rate": rate} if rate is not None else {}))


def too_few_updates(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    steps: float,
    batch: float,
    **slow: float,
) -> Evidence | None:
    """The run hardly learns and has fewer than ``steps`` updates, of batches of at least ``batch`` rows."""
    near_its_end(train_loss, settings, done)
    if settings.max_steps is None or settings.batch_size is None:
        raise NotEnoughPoints("setting-unknown", settings="max_steps, batch_size")
    if settings.max_steps >= steps or settings.batch_size < batch:
        return None
    found = learns_slowly(train_loss, eval_loss, learning_rate, **slow)
    return _with(found, updates=settings.max_steps, batch=settings.batch_size)


def rate_low_for_batch(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    batch: float,
    most: float,
    reference: float,
    near: float,
    **slow: float,
) -> Evidence | None:
    """The run hardly learns with a batch between ``batch`` and ``most`` rows, at a rate that was not scaled with it.

    The rate wanted is the center times the square root of batch over ``reference``, up to the cap; the run's is below
    ``near`` of it.
    """
    near_its_end(train_loss, settings, done)
    rate, size = settings.learning_rate, settings.batch_size
    if rate is None or size is None or rate_prior.center is None:
        raise NotEnoughPoints("setting-unknown", settings="learning_rate, batch_size, method")
    wanted = min(rate_prior.center * float(np.sqrt(size / reference)), rate_prior.cap or float("inf"))
    if not batch <= size <= most or rate >= near * wanted:
        return None
    found = learns_slowly(train_loss, eval_loss, learning_rate, **slow)
    return _with(found, rate=rate, wanted=wanted, batch=size)


def batch_too_large(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    batch: float,
    **slow: float,
) -> Evidence | None:
    """The run hardly learns with batches above ``batch`` rows; not asked of full fine-tuning, which likes them."""
    near_its_end(train_loss, settings, done)
    if settings.batch_size is None:
        raise NotEnoughPoints("setting-unknown", settings="batch_size")
    if settings.batch_size <= batch or settings.use_peft is False:
        return None
    found = learns_slowly(train_loss, eval_loss, learning_rate, **slow)
    ratio = rate_prior.relative(settings.learning_rate)
    extra = {} if ratio is None else {"rate_over_center": ratio}
    return _with(found, batch=settings.batch_size, **extra)


def regularized_too_much(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    dropout: float,
    decay: float,
    **slow: float,
) -> Evidence | None:
    """The run hardly learns under strong dropout, NEFTune noise, or weight decay that takes more than ``decay``."""
    near_its_end(train_loss, settings, done)
    shrink = (settings.learning_rate or 0.0) * (settings.weight_decay or 0.0) * (settings.max_steps or 0)
    noise = settings.neftune_noise_alpha or 0.0
    if settings.lora_dropout is None and not noise and not shrink:
        raise NotEnoughPoints("setting-unknown", settings="lora_dropout, neftune_noise_alpha, weight_decay")
    if (settings.lora_dropout or 0.0) < dropout and noise <= 0.0 and shrink <= decay:
        return None
    found = learns_slowly(train_loss, eval_loss, learning_rate, **slow)
    return _with(found, dropout=settings.lora_dropout or 0.0, noise=noise, shrink=shrink)


def adapter_too_small(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    num_tokens: Curve | None = None,
    *,
    done: float,
    rank: float,
    near_cap: float,
    tokens: float,
    **slow: float,
) -> Evidence | None:
    """The run hardly learns with a small adapter although the rate is near its cap.

    Small: a rank up to ``rank``, or, where it is known, fewer parameters than the tokens of a pass over ``tokens``.
    """
    near_its_end(train_loss, settings, done)
    if settings.lora_r is None or settings.learning_rate is None or rate_prior.cap is None:
        raise NotEnoughPoints("setting-unknown", settings="lora_r, learning_rate, method")
    crowded = _tokens_per_parameter(settings, num_tokens)
    if (settings.lora_r > rank and crowded <= tokens) or settings.learning_rate < near_cap * rate_prior.cap:
        return None
    found = learns_slowly(train_loss, eval_loss, learning_rate, **slow)
    extra = {"tokens_per_parameter": crowded} if crowded else {}
    return _with(found, rank=settings.lora_r, rate=settings.learning_rate, **extra)


def _tokens_per_parameter(settings: Settings, num_tokens: Curve | None) -> float:
    """The tokens of one pass over the rows for each trained parameter, 0 where that is not known."""
    if not settings.trainable_parameters or num_tokens is None or not len(num_tokens):
        return 0.0
    return float(num_tokens.values.max()) / max(1.0, settings.num_train_epochs or 1.0) / settings.trainable_parameters


def still_improving(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    **slow: float,
) -> Evidence | None:
    """The loss falls on and on to the end of the run, faster than a logarithm of the steps would."""
    near_its_end(train_loss, settings, done)
    return learns_slowly(train_loss, eval_loss, learning_rate, barely=-1.0, seen_by=0.0, **slow)


def loss_barely_falls(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    **slow: float,
) -> Evidence | None:
    """Neither loss falls by more than ``barely`` of its start."""
    near_its_end(train_loss, settings, done)
    return learns_slowly(
        train_loss, eval_loss, learning_rate, straight=np.inf, alone=np.inf, pace=np.inf, few=0.0, **slow
    )


def _with(found: Evidence | None, **measured: float) -> Evidence | None:
    """The evidence with more measured numbers."""
    if found is None:
        return None
    return Evidence(found.first_step, found.last_step, {**found.measured, **measured}, found.strength)
