"""What a check needs before it can answer: enough points, a whole run, the learning rate, the ends of epochs."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

MIN_LOSSES_FOR_LEVELS = 4
"""Training losses that have a start and an end."""
MIN_LOSSES_FOR_TREND = 8
"""Training losses that can show a trend."""
MIN_POINTS_FOR_SCATTER = 20
"""Points that can show a scatter around their trend."""
MIN_EVALS_TO_COMPARE = 2
"""Evaluations of which the first can be compared with the last."""
MIN_EVALS_FOR_END = 3
"""Evaluations of which the last is not simply the lowest or the highest."""
MIN_EVALS_FOR_TREND = 6
"""Evaluations that can show a trend."""
MIN_EVALS_FOR_NOISE = 8
"""Evaluations that can show a scatter around their trend."""
TREND_P = 0.1
"""A trend counts as one where chance shows so clear a trend in a smaller share of cases than this."""
MAX_EPOCH = 10_000.0
"""A logged epoch beyond this is not a count of passes over the rows."""


def enough(curve: Curve, least: int, what: str) -> None:
    """Raise ``NotEnoughPoints`` when the curve has fewer points than ``least``; ``what`` says what they are."""
    if len(curve) < least:
        raise NotEnoughPoints("too-few-points", have=len(curve), need=least, what=what)


def whole_run(curve: Curve, settings: Settings, min_share_done: float) -> None:
    """Raise ``NotEnoughPoints`` when less than this share of the planned steps is done, or the log begins late.

    In mid-run every healthy loss is still falling, and most of its fall may lie before a log that begins late. A run of
    unknown length counts as complete, as does one of which no further log is to come.
    """
    planned = settings.max_steps
    early = planned is not None and len(curve) and curve.steps[-1] < min_share_done * planned
    if early and planned is not None and not signals.ends_at(curve.steps, planned):
        raise NotEnoughPoints("run-not-finished", step=float(curve.steps[-1]), max_steps=planned)
    if signals.begins_late(curve.steps):
        raise NotEnoughPoints("start-not-logged", step=float(curve.steps[0]))


def finite(measured: dict[str, float]) -> dict[str, float]:
    """The finite ones of the measured numbers: reports and JSON have no nan or infinity."""
    return {key: float(value) for key, value in measured.items() if np.isfinite(value)}


def throughout(curve: Curve, measured: dict[str, float], strength: float = 1.0) -> Evidence:
    """Evidence from the curve's first to its last step, of the measured numbers that are finite."""
    return Evidence(float(curve.steps[0]), float(curve.steps[-1]), finite(measured), strength)


def share_of_run(curve: Curve, step: float) -> float:
    """Where a step lies between the curve's first (0) and last step (1)."""
    span = float(curve.steps[-1] - curve.steps[0]) if len(curve) else 0.0
    return signals.bounded((step - curve.steps[0]) / span, 0.0, 1.0) if span > 0 else 0.0


def after_warmup(curve: Curve, learning_rate: Curve | None) -> Curve:
    """The curve from the peak of the learning rate on; all of it when the rate is not logged or peaks late."""
    if learning_rate is None or len(learning_rate) < 2:
        return curve
    peak = float(learning_rate.steps[int(np.argmax(learning_rate.values))])
    if len(curve) and curve.steps[0] >= peak and all(step >= peak for step in curve.broken):
        return curve  # the same object, whose signals are known
    late = curve.between(peak, float("inf"))
    return late if 2 * len(late) >= len(curve) else curve


def rate_of(settings: Settings, learning_rate: Curve | None) -> float | None:
    """The learning rate of the run: the setting, or the peak of the logged curve."""
    peak = float(learning_rate.values.max()) if learning_rate is not None and len(learning_rate) else None
    return settings.learning_rate or peak


MIN_RATES_FOR_SCHEDULE = 4
LEVEL_RATE_SHARE = 0.9
COOLED_BY = 3.0


def cools_down(learning_rate: Curve) -> bool:
    """Whether the rate is level for the first half of the run and a third or less at its end (WSD, trapezoid)."""
    if len(learning_rate) < MIN_RATES_FOR_SCHEDULE:
        return False
    steps, rates = learning_rate.steps, learning_rate.values
    first_half = rates[steps <= 0.5 * (steps[0] + steps[-1])]
    level = bool(first_half[-1] >= LEVEL_RATE_SHARE * rates.max())
    return level and bool(rates[-1] <= rates.max() / COOLED_BY)


def epoch_ends(epoch: Curve) -> FloatArray:
    """The steps at which each pass over the training rows ends, except the last pass; empty for a broken counter."""
    if len(epoch) < 2 or not 0.0 <= epoch.values[0] <= epoch.values[-1] <= MAX_EPOCH:
        return np.empty(0)
    whole = np.arange(np.floor(epoch.values[0]) + 1.0, np.ceil(epoch.values[-1] - 1e-6))
    return np.asarray(np.interp(whole, epoch.values, epoch.steps), dtype=np.float64)
