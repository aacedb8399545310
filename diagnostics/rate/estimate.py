"""The estimate of a run's learning rate: its prior, and what its curves show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.methods import method_record
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate
from diagnostics.model.settings import Settings
from diagnostics.rate.features import features_of
from diagnostics.rate.likelihood import fitted
from diagnostics.rate.prior import log_prior
from diagnostics.signals import begins_late, ends_at

FINISHED_SHARE = 0.9
"""Until so much of the planned steps is done, a loss that has not fallen far says nothing of a low rate."""


def estimate_rate(curves: Mapping[str, Curve], settings: Settings) -> RateEstimate | None:
    """Where the learning rate stands, None where no loss can tell.

    ``curves`` are finite. Where the loss is not the objective (rewards), it says nothing of the rate.
    """
    if not method_record(settings.method).loss_is_objective:
        return None
    features = features_of(curves, settings)
    if not features:
        return None
    evidence = fitted().log_density(features)
    if is_late(curves) or not is_over(curves, settings):
        evidence = _without_low_side(evidence)
    rate = _rate_of(curves, settings)
    return RateEstimate.of(log_prior(settings, rate), evidence, rate)


def _rate_of(curves: Mapping[str, Curve], settings: Settings) -> float | None:
    """The learning rate of the run: the setting, or the peak of the logged curve."""
    logged = curves.get("learning_rate")
    peak = float(logged.values.max()) if logged is not None and len(logged) else 0.0
    rate = settings.learning_rate or peak
    return rate if rate > 0.0 else None


def share_done(curves: Mapping[str, Curve], settings: Settings) -> float:
    """The share of its planned steps that the run has done, at most 1; 1 for a run of unknown length."""
    last = max((float(c.steps[-1]) for c in curves.values() if len(c)), default=0.0)
    return min(last / settings.max_steps, 1.0) if settings.max_steps else 1.0


def is_over(curves: Mapping[str, Curve], settings: Settings) -> bool:
    """Whether the run has done most of its planned steps, or logs no more losses before their end."""
    loss, planned = curves.get("train_loss"), settings.max_steps
    logged = loss is not None and planned is not None and ends_at(loss.steps, planned)
    return logged or share_done(curves, settings) >= FINISHED_SHARE


def is_late(curves: Mapping[str, Curve]) -> bool:
    """Whether the training loss is not logged from the start of the run: slow looks like learned before."""
    return "train_loss" in curves and begins_late(curves["train_loss"].steps)


def _without_low_side(evidence: FloatArray) -> FloatArray:
    """The evidence of a part of a run: too high shows at once, too low only in what is still to come, or not logged."""
    low = np.asarray(OFFSETS) < 0.0
    return np.where(low, evidence[~low][0], evidence)
