"""Academic systems, as far as their rules need no more than the logged curves."""

from __future__ import annotations

import numpy as np

from benchmarks.verdicts.rivals.rival import has_nan, paired, values_of
from diagnostics.model.curves import Run


def umlaut(run: Run) -> str:
    """UMLAUT (CHI 2021): nan and a rate above 0.01 are unstable, a rate below 1e-7 underfit.

    Overfit: any evaluation at which the held-out loss went up while the training loss did not. Textbook runs log the
    rate of plain SGD, for which 0.01 is usual, so the rate speaks only where the loss ends above its start.
    """
    if has_nan(run):
        return "unstable"
    train, held = paired(run)
    if held.size >= 2 and np.any((np.diff(held) > 0) & (np.diff(train) <= 0)):
        return "overfit"
    rates, loss = values_of(run, "learning_rate"), values_of(run, "train_loss")
    if rates.size and rates.max() > 0.01 and loss.size and loss[-1] > loss[0]:
        return "unstable"
    return "underfit" if rates.size and 0 < rates.max() < 1e-7 else "healthy"


def autotrainer(run: Run) -> str:
    """AUTOTRAINER (ICSE 2021): exploding and oscillating losses are unstable, slow convergence is underfit.

    Oscillation: in a share of ``eta`` 0.2 of the epochs the loss swings between peak and trough by ``zeta`` 0.03 of its
    level. Slow: the loss improves by less than ``delta`` 0.01 of its start. Its overfit rule is commented out. A log of
    single steps is read as a hundred means.
    """
    loss = values_of(run, "train_loss")
    if has_nan(run):
        return "unstable"
    if loss.size > 100:
        loss = np.asarray([part.mean() for part in np.array_split(loss, 100)])
    if loss.size < 4:
        return "healthy"
    moves = np.diff(loss)
    turns = np.flatnonzero(moves[1:] * moves[:-1] < 0) + 1
    swings = (
        np.abs(np.diff(loss[turns])) / np.maximum(np.abs(loss[turns[1:]]), 1e-12) if turns.size > 1 else np.empty(0)
    )
    if np.sum(swings > 0.03) >= 0.2 * loss.size:
        return "unstable"
    return "underfit" if loss[0] - loss.min() < 0.01 * abs(loss[0]) else "healthy"
