"""How far a run is: from the steps that it was asked for, that its log plans, or from its epochs."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import Run

ROUNDED = 0.05
"""An epoch is logged rounded: the number of steps that follows from it is this much of a log interval too high."""


def planned_steps(run: Run) -> float | None:
    """The optimizer steps of the whole run; None where neither the settings nor the log tell."""
    if run.settings.max_steps:
        return float(run.settings.max_steps)
    epoch, epochs = run.curve("epoch"), run.settings.num_train_epochs
    if epoch is None or not len(epoch) or not epochs or epoch.values[-1] <= 0:
        return None
    return float(epoch.steps[-1] * max(1.0, epochs / epoch.values[-1]))


def share_done(run: Run) -> float | None:
    """The share of the schedule that is done, 0 to 1; None where it is not known."""
    total = planned_steps(run)
    return min(1.0, run.last_step / total) if total else None


def is_complete(run: Run) -> bool:
    """Whether the last planned step was logged: the next log point would lie behind it.

    Where nothing tells how many steps there are, any step will do.
    """
    total = planned_steps(run)
    if total is None:
        return run.last_step > 0
    return run.last_step + (1 + ROUNDED) * _interval(run) > total


def _interval(run: Run) -> float:
    """The steps between two log points of the training loss, 1 where there are fewer than three."""
    loss = run.curve("train_loss")
    if loss is None or len(loss) < 3:
        return 1.0
    return max(1.0, float(np.median(np.diff(loss.steps))))
