"""Asking a curve for enough points, and lining two curves up."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.settings import Settings


def enough(curve: Curve, least: int, what: str) -> None:
    """Nothing; raises ``NotEnoughPoints`` ("only 3 evaluations, 5 needed") when the curve is too short."""
    if len(curve) < least:
        raise NotEnoughPoints("too-few-points", have=len(curve), need=least, what=what)


def finite(measured: dict[str, float]) -> dict[str, float]:
    """The measured numbers that are numbers: reports and JSON know no nan or infinity."""
    return {key: float(value) for key, value in measured.items() if np.isfinite(value)}


def share_of_run(curve: Curve, step: float) -> float:
    """Where in the curve's steps a step lies, 0 to 1."""
    span = float(curve.steps[-1] - curve.steps[0]) if len(curve) else 0.0
    return float(np.clip((step - curve.steps[0]) / span, 0.0, 1.0)) if span > 0 else 0.0


def after_warmup(curve: Curve, learning_rate: Curve | None) -> Curve:
    """The curve from the step at which the learning rate peaks; all of it when the rate is not logged or falls."""
    if learning_rate is None or len(learning_rate) < 2:
        return curve
    peak = float(learning_rate.steps[int(np.argmax(learning_rate.values))])
    late = curve.between(peak, float("inf"))
    return late if 2 * len(late) >= len(curve) else curve


def peak(learning_rate: Curve | None) -> float | None:
    """The highest learning rate of the log, or None."""
    return float(learning_rate.values.max()) if learning_rate is not None and len(learning_rate) else None


MANY_EPOCHS = 10_000.0
"""An epoch counter beyond this is none."""


def boundaries(epoch: Curve) -> FloatArray:
    """The steps at which a pass over the training rows ends, the last pass left out."""
    if len(epoch) < 2 or not 0.0 <= epoch.values[0] <= epoch.values[-1] <= MANY_EPOCHS:
        return np.empty(0)
    whole = np.arange(np.floor(epoch.values[0]) + 1.0, np.ceil(epoch.values[-1] - 1e-6))
    return np.asarray(np.interp(whole, epoch.values, epoch.steps), dtype=np.float64)


def near_its_end(curve: Curve, settings: Settings, done: float) -> None:
    """Nothing; raises ``NotEnoughPoints`` when the run is known to have more than ``1 - done`` of its steps to go.

    In mid-run every healthy loss is still falling.
    """
    if settings.max_steps is not None and len(curve) and curve.steps[-1] < done * settings.max_steps:
        raise NotEnoughPoints("run-not-finished", step=float(curve.steps[-1]), max_steps=settings.max_steps)


def rate_of(settings: Settings, learning_rate: Curve | None) -> float | None:
    """The learning rate of the run: the setting, or the peak of the logged curve."""
    return settings.learning_rate or peak(learning_rate)
