"""A run that learns slowly, explained by a setting other than the learning rate, or by none of them."""

from __future__ import annotations

from diagnostics.detectors.arguments import Losses
from diagnostics.detectors.preconditions import whole_run
from diagnostics.detectors.slow_learning import (
    FlatLimits,
    SlowLimits,
    StraightLimits,
    barely_falls,
    falls_straight,
    learns_slowly,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings


def too_few_updates(
    losses: Losses, settings: Settings, *, min_share_done: float, slow: SlowLimits, min_updates: float, batch: float
) -> Evidence | None:
    """The run learns slowly in few updates of batches that are not small."""
    whole_run(losses.train_loss, settings, min_share_done)
    if settings.max_steps is None or settings.batch_size is None:
        raise NotEnoughPoints("setting-unknown", settings="max_steps, batch_size")
    if settings.max_steps >= min_updates or settings.batch_size < batch:
        return None
    found = learns_slowly(losses, slow)
    return found.with_measured(updates=settings.max_steps, batch=settings.batch_size) if found else None


def batch_too_large(
    losses: Losses,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    min_share_done: float,
    slow: SlowLimits,
    batch: float,
) -> Evidence | None:
    """The run learns slowly with large batches; never for full fine-tuning, which does well with them."""
    whole_run(losses.train_loss, settings, min_share_done)
    if settings.batch_size is None:
        raise NotEnoughPoints("setting-unknown", settings="batch_size")
    if settings.batch_size <= batch or settings.use_peft is False:
        return None
    found = learns_slowly(losses, slow)
    ratio = rate_prior.relative(settings.learning_rate)
    known = {} if ratio is None else {"rate_over_center": ratio}
    return found.with_measured(batch=settings.batch_size, **known) if found else None


def regularization_too_strong(
    losses: Losses, settings: Settings, *, min_share_done: float, slow: SlowLimits, dropout: float, shrink: float
) -> Evidence | None:
    """The run learns slowly under strong dropout, NEFTune noise, or a weight decay that shrinks the weights."""
    whole_run(losses.train_loss, settings, min_share_done)
    shrunk = (settings.learning_rate or 0.0) * (settings.weight_decay or 0.0) * (settings.max_steps or 0)
    noise = settings.neftune_noise_alpha or 0.0
    if settings.lora_dropout is None and not noise and not shrunk:
        raise NotEnoughPoints("setting-unknown", settings="lora_dropout, neftune_noise_alpha, weight_decay")
    if (settings.lora_dropout or 0.0) < dropout and noise <= 0.0 and shrunk <= shrink:
        return None
    found = learns_slowly(losses, slow)
    return found.with_measured(dropout=settings.lora_dropout or 0.0, noise=noise, shrink=shrunk) if found else None


def adapter_too_small(
    losses: Losses,
    settings: Settings,
    rate_prior: LearningRatePrior,
    num_tokens: Curve | None = None,
    *,
    min_share_done: float,
    slow: SlowLimits,
    rank: float,
    tokens_per_parameter: float,
    share_of_cap: float,
) -> Evidence | None:
    """The run learns slowly with an adapter of low rank, or few parameters for its tokens, at a rate near the cap."""
    whole_run(losses.train_loss, settings, min_share_done)
    if settings.lora_r is None or settings.learning_rate is None or rate_prior.cap is None:
        raise NotEnoughPoints("setting-unknown", settings="lora_r, learning_rate, method")
    crowded = _tokens_per_parameter(settings, num_tokens)
    if settings.lora_r > rank and crowded <= tokens_per_parameter:
        return None
    if settings.learning_rate < share_of_cap * rate_prior.cap:
        return None
    found = learns_slowly(losses, slow)
    known = {"tokens_per_parameter": crowded} if crowded else {}
    return found.with_measured(rank=settings.lora_r, rate=settings.learning_rate, **known) if found else None


def _tokens_per_parameter(settings: Settings, num_tokens: Curve | None) -> float:
    """The tokens of one pass over the rows for each trained parameter, 0 where that is not known."""
    if not settings.trainable_parameters or num_tokens is None or not len(num_tokens):
        return 0.0
    return float(num_tokens.values.max()) / max(1.0, settings.num_train_epochs or 1.0) / settings.trainable_parameters


def still_improving(
    losses: Losses, settings: Settings, *, min_share_done: float, straight: StraightLimits
) -> Evidence | None:
    """The loss falls to the end of the run, faster than a logarithm of the steps would."""
    whole_run(losses.train_loss, settings, min_share_done)
    return falls_straight(losses, straight)


def loss_barely_falls(
    losses: Losses, settings: Settings, *, min_share_done: float, flat: FlatLimits
) -> Evidence | None:
    """Neither loss falls by more than a small share of its start."""
    whole_run(losses.train_loss, settings, min_share_done)
    return barely_falls(losses, flat)
