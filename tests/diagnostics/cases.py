"""Curves and limits for the detectors' tests: each detector is asked with the limits of its row in the table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.evidence import Evidence
from diagnostics.rules import RULES

BY_NAME = {rule.name: rule for rule in RULES}


def curve(values: ArrayLike, steps: ArrayLike | None = None) -> Curve:
    y = np.asarray(values, dtype=float)
    return Curve.from_points(np.arange(1, y.size + 1) if steps is None else steps, y)


def ask(rule: str, *curves: Any, **changed: float) -> Evidence | None:
    """What the rule's check finds on the curves, with its limits, some of them changed."""
    row = BY_NAME[rule]
    return row.check(*curves, **{**row.limits, **changed})


def noise(scale: float, size: int, seed: int = 0) -> FloatArray:
    return np.exp(scale * np.random.default_rng(seed).standard_normal(size))


def healthy(size: int = 100, lowest: float = 1.1) -> FloatArray:
    share = np.arange(1, size + 1) / size
    return np.asarray(lowest + 0.9 * (1 + 60 * share) ** -0.8)
