"""Training programs that watch their own loss."""

from __future__ import annotations

import numpy as np

from benchmarks.verdicts.rivals.rival import has_nan, values_of
from diagnostics.model.curves import FloatArray, Run


def surogate(run: Run) -> str:
    """Surogate's phases and LossGuard: diverging, unstable and a tripped guard are unstable, an early plateau underfit.

    Phases over a window of 100 logs after 50 of warm-up (a quarter and an eighth of a shorter log): diverging where the
    second half of the window is 1 % above the first, unstable where the detrended scatter is 0.15 of the level, plateau
    below 0.1 %. LossGuard: the loss is 3 deviations and 0.5 above the window's mean, or a gradient norm 10 times its
    median or above 100. One trip is read as none: two are needed. A plateau counts only where the run lost under 1 %.
    """
    loss, norms = values_of(run, "train_loss"), values_of(run, "grad_norm")
    if has_nan(run):
        return "unstable"
    if loss.size < 16:
        return "healthy"
    window, warm = min(100, loss.size // 4), min(50, loss.size // 8)
    late = loss[-window:]
    level = max(abs(float(late.mean())), 1e-12)
    half = window // 2
    gain = (late[:half].mean() - late[half:].mean()) / level
    rest = late - np.polyval(np.polyfit(np.arange(window), late, 1), np.arange(window))
    if gain < -0.01 or rest.std() > 0.15 * level or _trips(loss, norms, warm, window) >= 2:
        return "unstable"
    return "underfit" if gain < 0.001 and loss[warm] - late.mean() < 0.01 * abs(loss[warm]) else "healthy"


def _trips(loss: FloatArray, norms: FloatArray, warm: int, window: int) -> int:
    """How often LossGuard would have stepped in after the warm-up."""
    count = 0
    for i in range(max(warm, window), loss.size):
        before = loss[i - window : i]
        count += loss[i] > before.mean() + 3.0 * before.std() and loss[i] > before.mean() + 0.5
    late = norms[warm:]
    wild = (late > 10.0 * np.median(late)) | (late > 100.0) if late.size else np.empty(0)
    return count + int(np.sum(wild))
