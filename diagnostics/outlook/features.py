"""What a run shows of how it will have ended, in numbers without a unit; what its log cannot show is left out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics import signals
from diagnostics.model.adapters import rate_factor
from diagnostics.model.curves import Curve
from diagnostics.model.methods import method_record
from diagnostics.model.optimizers import is_adam
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate
from diagnostics.model.settings import Settings
from diagnostics.outlook.shape import Levels, levels_of, shape_of
from diagnostics.rate.descent import NEUTRAL_DPO, since_training
from diagnostics.rate.features import features_of

MIN_LOSSES, MIN_EVALS, MIN_NORMS = 4, 2, 6
NEAR_NEUTRAL = 0.35
"""A first loss this near ln 2 is one of answers compared, where the method says so."""
SMALL_STEPS = -1.7
"""Adam's rate is what a weight moves by a step. Above 0.02 (as a logarithm) it is large beside the weights of any
network; below, whether it is small or large depends on the width and the length of the run, and the log tells neither.
"""
INFORMED, DECADE = 0.4, 10
"""A prior whose log density falls by less in a decade (ten of the ``OFFSETS``) knows nothing of such runs."""


def outlook_features(curves: Mapping[str, Curve], settings: Settings, rate: RateEstimate | None) -> dict[str, float]:
    """The features by name: of both losses, of their gap, of gradients, of the rate's prior, and of the log itself."""
    train, held, rates = since_training(*(curves.get(name) for name in ("train_loss", "eval_loss", "learning_rate")))
    span = max((float(curve.steps[-1]) for curve in (train, held) if curve is not None and len(curve)), default=0.0)
    if span <= 0.0:
        return {}
    neutral, chance = _neutral(train, settings), _chance(settings)
    found = dict(features_of(curves, settings)) | _log_of(train, held, rates, settings, span)
    seen: dict[str, Levels] = {}
    if train is not None and len(train) >= MIN_LOSSES:
        seen["train"] = levels_of(train, span, neutral)
        found |= _named("train", shape_of(curves["train_loss"], seen["train"], chance))
    if held is not None and len(held) >= MIN_EVALS:
        seen["eval"] = levels_of(held, span, neutral if held.steps[0] > 0 else None)
        found |= _named("eval", shape_of(curves["eval_loss"], seen["eval"], chance))
    if len(seen) > 1 and not any(levels.crosses for levels in seen.values()):
        found |= _gap(seen["train"], seen["eval"])
    norms = curves.get("grad_norm")
    if norms is not None and len(norms) >= MIN_NORMS:
        found |= _gradients(norms)
    if rate is not None:
        found |= _prior(rate)
    if rate is not None and rate.rate:
        found |= _steps_of_adam(rate.rate, settings)
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _prior(rate: RateEstimate) -> dict[str, float]:
    """Where the rate stands by what is known of such runs; nothing where nothing is."""
    most = int(np.argmax(rate.prior))
    beside = most - DECADE if most >= DECADE else most + DECADE
    return {"prior": float(OFFSETS[most])} if rate.prior[most] - rate.prior[beside] > INFORMED else {}


def _steps_of_adam(rate: float, settings: Settings) -> dict[str, float]:
    """The logarithm of a large rate of Adam, in the unit of plain LoRA; nothing for adapters of unknown rates."""
    times = rate_factor(settings.adapter_kind, settings.lora_r)
    if times is None or not is_adam(settings):
        return {}
    return {"adam_rate": max(float(np.log10(rate / max(times, 1.0))), SMALL_STEPS)}


def _named(curve: str, features: Mapping[str, float]) -> dict[str, float]:
    return {f"{curve}_{name}": value for name, value in features.items()}


def _neutral(train: Curve | None, settings: Settings) -> float | None:
    """The loss before training of a method that compares answers."""
    if train is None or not len(train) or not method_record(settings.method).loss_compares_answers:
        return None
    return NEUTRAL_DPO if abs(float(train.values[0]) - NEUTRAL_DPO) < NEAR_NEUTRAL else None


def _chance(settings: Settings) -> float | None:
    """The loss of an even guess, where the vocabulary is known."""
    return float(np.log(settings.vocab_size)) if settings.vocab_size and settings.vocab_size > 1 else None


def _log_of(
    train: Curve | None, held: Curve | None, rates: Curve | None, settings: Settings, span: float
) -> dict[str, float]:
    """What is logged at all: points, evaluations, the schedule, how much of the run."""
    found = {
        "points": float(np.log10(max(1, len(train) if train is not None else 0))),
        "evals": float(np.log10(1 + (len(held) if held is not None else 0))),
        "pairs": float(method_record(settings.method).loss_compares_answers),
    }
    if rates is not None and len(rates) > 3:
        found["rate_end"] = signals.bounded(rates.values[-1] / max(float(rates.values.max()), 1e-30), 0.0, 1.0)
    if settings.max_steps:
        found["share_done"] = min(1.0, span / settings.max_steps)
    return found


def _gap(train: Levels, held: Levels) -> dict[str, float]:
    """The held-out loss over the training loss, at the end and how that grew."""
    end, start = ((held_at - train_at) / max(abs(train_at), 1e-9) for held_at, train_at in
                  ((held.end, train.end), (held.start, train.start)))  # fmt: skip
    end, start = signals.bounded(end, -1.0, 3.0), signals.bounded(start, -1.0, 3.0)
    return {"gap": end, "gap_at_start": start, "gap_grows": end - start}


def _gradients(norms: Curve) -> dict[str, float]:
    """The gradient norm at the end over the start, its highest over its first, and its scatter at the end."""
    values = np.maximum(norms.values, 1e-12)
    first, last = values[: max(2, values.size // 10)], values[-max(2, values.size // 5) :]
    logs = np.log10(values)
    return {
        "norms_end": signals.bounded(signals.median(np.log10(last)) - signals.median(np.log10(first)), -4.0, 4.0),
        "norms_high": signals.bounded(signals.quantile(logs, 0.9) - signals.median(logs), 0.0, 4.0),
        "norms_top": signals.bounded(logs.max() - logs[0], 0.0, 4.0),
        "norms_scatter": float(
            np.log10(signals.bounded(float(np.std(np.log(values[values.size // 2 :]))), 1e-3, 10.0))
        ),
    }
