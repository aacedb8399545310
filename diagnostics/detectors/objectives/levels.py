"""Where a curve starts and ends: on held-out rows where there are some."""

from __future__ import annotations

from diagnostics import signals
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_TREND,
    MIN_EVALS_TO_COMPARE,
)
from diagnostics.model.curves import Curve


def to_judge(train: Curve, held: Curve | None) -> Curve:
    """The curve on held-out rows where it has two points at least, else that of training."""
    return held if held is not None and len(held) >= MIN_EVALS_TO_COMPARE else train


def start_and_end(train: Curve, held: Curve | None) -> tuple[float, float]:
    """The levels at which a curve starts and ends, on held-out rows where there are some."""
    values = to_judge(train, held).values
    return signals.head(values), signals.tail(values)


def thirds(curve: Curve) -> tuple[float, float]:
    """The means of the first and of the last third; of few evaluations the first and the last."""
    size = len(curve) // 3 if len(curve) > MIN_EVALS_FOR_TREND * 2 else 1
    return float(curve.values[:size].mean()), float(curve.values[-size:].mean())
