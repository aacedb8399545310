"""Early stopping read as a verdict: a criterion that would have stopped the run before its end calls it overfit."""

from __future__ import annotations

import numpy as np

from benchmarks.verdicts.rivals.rival import paired, values_of
from diagnostics.model.curves import FloatArray, Run

STRIP = 5


def patience(run: Run) -> str:
    """No new minimum of the held-out loss in five evaluations (the callback of Keras, Lightning and transformers)."""
    held = values_of(run, "eval_loss")
    best, since = float("inf"), 0
    for value in held:
        best, since = (float(value), 0) if value < best else (best, since + 1)
        if since >= 5:
            return "overfit"
    return "healthy"


def _losses(held: FloatArray) -> FloatArray:
    """Prechelt's generalization loss: the percentage that each value stands above the minimum so far."""
    lowest = np.minimum.accumulate(held)
    return np.asarray(100.0 * (held / np.where(lowest == 0, 1.0, lowest) - 1.0))


def generalization_loss(run: Run) -> str:
    """GL above 2 (the default of EarlyStopping.jl) at the last evaluation, the kindest moment to ask."""
    held = values_of(run, "eval_loss")
    return "overfit" if held.size >= 2 and _losses(held)[-1] > 2.0 else "healthy"


def progress_quotient(run: Run) -> str:
    """GL over the progress of the training loss in strips of five above 0.75 at the last evaluation."""
    train, held = paired(run)
    if held.size < STRIP:
        return "healthy"
    strip = train[-STRIP:]
    progress = 1000.0 * (strip.mean() / strip.min() - 1.0) if strip.min() > 0 else float("inf")
    return "overfit" if progress > 0 and _losses(held)[-1] / progress > 0.75 else "healthy"


def successive_strips(run: Run) -> str:
    """UP: the held-out loss rose in three strips of five evaluations in a row (single evaluations of a short log)."""
    held = values_of(run, "eval_loss")
    ends = held[STRIP - 1 :: STRIP] if held.size >= 4 * STRIP else held
    rises = np.diff(ends) > 0
    return "overfit" if any(rises[i : i + 3].all() for i in range(rises.size - 2)) else "healthy"
