"""Why a trial was chosen, from the posterior: codes and numbers, no words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diagnostics.model.message import Message, Value, message
from tuner.search.proposal import RATE
from tuner.search.run_model.acquire import Choice
from tuner.search.run_model.posterior import Posterior
from tuner.search.trial_view import TrialView

OUTER = (10, 50, 90)
"""Percentiles: four of five particles lie between the outer ones."""
KNOWN_EDGE_DECADES = 1.5
"""An edge that is known less well than this is not named."""


def reason_of(model: Posterior, choice: Choice, best: TrialView | None) -> Message:
    """Why these settings come next: where the best rate lies for them, where the edge, and what the run should save."""
    if choice.beside is not None:
        return message("model-expects-little", trial=choice.beside)
    saves = saved_share(model, choice.gain, best)
    if RATE not in choice.settings:
        return message("model-expects", saves=saves)
    (low, middle, high), edge = rates(model, choice.settings)
    values: dict[str, Value] = {"knob": RATE, "best": middle, "low": low, "high": high, "saves": saves}
    if edge[2] / edge[0] > 10**KNOWN_EDGE_DECADES:
        return Message("model-expects-at-rate", values)
    return Message("model-expects-below-edge", {**values, "edge": edge[1]})


def rates(model: Posterior, settings: Mapping[str, Any]) -> tuple[Sequence[float], Sequence[float]]:
    """Low, middle and high of the best rate at these settings, and of the edge of stability."""
    lines = model.lines([settings])
    best, edge = (np.percentile(found[:, 0], OUTER) for found in (lines.best, lines.edge))
    return [_rounded(value) for value in best], [_rounded(value) for value in edge]


def saved_share(model: Posterior, gain: float, best: TrialView | None) -> float:
    """A gain in height as a share of the best trial's metric."""
    if model.scale.is_log or best is None or not best.loss:
        return -math.expm1(-gain)
    return gain * model.scale.unit / abs(best.loss)


def _rounded(decades: float) -> float:
    return float(f"{10 ** min(max(decades, -30.0), 30.0):.1e}")
