"""Amazon SageMaker Debugger's built-in rules with the defaults of its last open documentation (June 2023)."""

from __future__ import annotations

import numpy as np

from benchmarks.verdicts.rivals.rival import has_nan, paired, values_of
from diagnostics.model.curves import FloatArray, Run


def sagemaker(run: Run) -> str:
    """ExplodingTensor is unstable, Overfit overfit, LossNotDecreasing underfit, or unstable where the loss grew.

    Overfit: (held-out - training) / training above 0.1 at one evaluation (``ratio_threshold``, ``patience`` 1).
    LossNotDecreasing: not down by 0.1 % over 10 steps (``num_steps``, ``diff_percent``) of the held-out loss, else of
    the training loss; up by 5 % (``increase_threshold_percent``) is a loss that grows. A good run is flat at its end,
    so only steps of the first half count here.
    """
    if has_nan(run):
        return "unstable"
    train, held = paired(run)
    if held.size and np.any((held - train) > 0.1 * np.abs(train)):
        return "overfit"
    watched = values_of(run, "eval_loss")
    watched = watched if watched.size > 10 else values_of(run, "train_loss")
    return _not_decreasing(watched)


def _not_decreasing(values: FloatArray) -> str:
    """What LossNotDecreasing says, on ten means of the run where it has many points."""
    if values.size <= 10:
        return "healthy"
    if values.size > 100:
        values = np.asarray([part.mean() for part in np.array_split(values, 100)])
    changes = (values[10:] - values[:-10]) / np.maximum(np.abs(values[:-10]), 1e-12)
    early = changes[: max(1, values.size // 2 - 10)]
    if np.any(early > 0.05):
        return "unstable"
    return "underfit" if np.any(early > -0.001) else "healthy"


def overtraining(run: Run) -> str:
    """Overtraining: training (5 steps) and held-out loss (10 steps) have stopped improving by ``delta`` 0.01."""
    train, held = paired(run)
    if held.size <= 10:
        return "healthy"
    stuck = _since_best(train, 0.01) >= 5 and _since_best(held, 0.01) >= 10
    return "overfit" if stuck else "healthy"


def _since_best(values: FloatArray, delta: float) -> int:
    """How many steps ago the loss last improved on its best by ``delta``."""
    best, since = float(values[0]), 0
    for value in values[1:]:
        if value < best - delta:
            best, since = float(value), 0
        else:
            since += 1
    return since
