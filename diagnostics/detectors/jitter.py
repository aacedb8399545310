"""Losses that jitter from point to point: both together, ever more, at the start alone, or the held-out loss alone."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_NOISE,
    MIN_LOSSES_FOR_TREND,
    MIN_POINTS_FOR_SCATTER,
    enough,
    finite,
    throughout,
)
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

EARLY_SHARE = 0.2
"""The part of a run at its start with which the rest is compared."""
MAX_LATE_CLIMB = 0.5
"""A run that climbs later by more than this share of its early climb does not jitter at the start alone."""


def jitter_grows(
    train_loss: Curve, *, factor: float, over_chance: float, min_jitter: float, fall: float, min_points: int
) -> Evidence | None:
    """The run jitters far more than its first fifth did, and the loss has not fallen."""
    enough(train_loss, min_points, "training losses")
    early, count = signals.jitter_ratio(train_loss.values, EARLY_SHARE)
    ratio = 1.0 / early if early > 0 else float("inf")
    limit = max(factor, over_chance * signals.ratio_limit(count))
    quarters = signals.block_means(train_loss.values, 4)
    lost = 1.0 - float(quarters[-1] / quarters[0]) if quarters[0] else 0.0
    late = signals.jitter(train_loss.values[train_loss.values.size // 2 :])
    if ratio < limit or lost > fall or late < min_jitter:
        return None
    steps = train_loss.steps
    middle = float(steps[steps.size // 5])
    return Evidence(middle, float(steps[-1]), finite({"ratio": ratio, "limit": limit, "fall": lost}), 0.8)


def early_jitter(
    train_loss: Curve,
    settings: Settings,
    *,
    early_share: float,
    ratio: float,
    rise: float,
    lone_rise: float,
    min_points: int,
) -> Evidence | None:
    """Only the start of the run jitters: up and down, not just steeply down, and calm afterwards.

    A run that is thrown climbs for more than a log, or far; a lone high log may be a batch of unusual rows.
    """
    enough(train_loss, min_points, "training losses")
    values = train_loss.values
    found, count = signals.jitter_ratio(values, early_share)
    limit = max(ratio, signals.ratio_limit(count))
    cut = max(2, round(early_share * values.size))
    level = max(abs(signals.head(values)), 1e-300)
    climbed, later = signals.largest_rise(values[:cut]) / level, signals.largest_rise(values[cut:]) / level
    if found < limit or climbed < rise or later > MAX_LATE_CLIMB * climbed:
        return None
    lasting = signals.rolling_median(values[: cut + 1], 3)[1:-1]
    lasts = max(signals.largest_rise(lasting), float(lasting.max() - values[0])) >= rise * level
    if not lasts and climbed < lone_rise:
        return None
    steps = train_loss.steps
    measured = {"ratio": found, "limit": limit, "climb": climbed, "warmup": settings.warmup_ratio or 0.0}
    return Evidence(float(steps[0]), float(steps[cut - 1]), finite(measured), 0.8)


def joint_jitter(
    train_loss: Curve,
    eval_loss: Curve,
    learning_rate: Curve | None = None,
    *,
    train_jitter: float,
    eval_jitter: float,
    elasticity: float,
    of_descent: float,
    driven_of_descent: float,
) -> Evidence | None:
    """Training and held-out loss jitter together, and the learning rate drives it.

    Under a decaying rate the jitter shrinks with it. Under a constant rate it must be a larger share of the descent;
    the last noise of a loss that came down to almost nothing is not a swing in either case.
    """
    enough(train_loss, MIN_POINTS_FOR_SCATTER, "training losses")
    enough(eval_loss, MIN_EVALS_FOR_NOISE, "evaluations")
    train, held = signals.jitter(train_loss.values), signals.jitter(eval_loss.values)
    if train < train_jitter or held < eval_jitter:
        return None
    driven = None
    if learning_rate is not None and len(learning_rate) >= MIN_POINTS_FOR_SCATTER:
        driven = signals.elasticity(train_loss.values, learning_rate.at(train_loss.steps))
    if driven is not None and driven < elasticity:
        return None
    logs = signals.log_level(train_loss.values)
    fall = max(0.0, signals.head(logs) - signals.tail(logs))
    if min(train, held) < (of_descent if driven is None else driven_of_descent) * fall:
        return None
    measured = {"train_jitter": train, "eval_jitter": held} | ({} if driven is None else {"elasticity": driven})
    return throughout(train_loss, measured, 0.8 if driven is None else 1.0)


def eval_jitters_more(
    train_loss: Curve, eval_loss: Curve, *, ratio: float, min_jitter: float, flips: float
) -> Evidence | None:
    """The held-out loss jitters more than the training loss averaged between two evaluations.

    It must change direction often: a steep smooth fall is not jitter.
    """
    enough(eval_loss, MIN_EVALS_FOR_NOISE, "evaluations")
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    starts = np.unique(np.append(0, np.searchsorted(train_loss.steps, eval_loss.steps, side="right")))
    parts = signals.means_from(train_loss.values, starts[starts < len(train_loss)])
    if parts.size < MIN_EVALS_FOR_NOISE:
        what = "evaluations with training losses between them"
        raise NotEnoughPoints("too-few-points", have=int(parts.size), need=MIN_EVALS_FOR_NOISE, what=what)
    train, held = signals.jitter(parts), signals.jitter(eval_loss.values)
    if held < min_jitter or held < ratio * train or signals.oscillation(eval_loss.values)[1] < flips:
        return None
    return throughout(eval_loss, {"eval_jitter": held, "train_jitter": train}, 0.8)
