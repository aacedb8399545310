"""The correlation baselines that OverfitGuard (FSE 2024) compares itself with."""

from __future__ import annotations

import numpy as np

from benchmarks.verdicts.rivals.rival import paired, values_of
from diagnostics.model.curves import Run


def spearman(run: Run) -> str:
    """Training and held-out loss run against each other: a rank correlation below 0."""
    from scipy.stats import spearmanr

    train, held = paired(run)
    if held.size < 4 or not np.ptp(held) or not np.ptp(train):
        return "healthy"
    return "overfit" if float(spearmanr(train, held).statistic) < 0.0 else "healthy"


def autocorrelation(run: Run) -> str:
    """The held-out loss comes back up: over half its length it correlates with its own first half the wrong way."""
    held = values_of(run, "eval_loss")
    half = held.size // 2
    if half < 3:
        return "healthy"
    first, second = held[:half], held[half : 2 * half]
    if not np.ptp(first) or not np.ptp(second):
        return "healthy"
    return "overfit" if float(np.corrcoef(first, second)[0, 1]) < 0.0 else "healthy"
