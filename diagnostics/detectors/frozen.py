"""Numbers that stand still although they cannot: gradients of exactly 0, a held-out loss that never changes a digit."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_END,
    MIN_LOSSES_FOR_LEVELS,
    MIN_LOSSES_FOR_TREND,
    enough,
    finite,
    share_of_run,
    throughout,
)
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence

FALL_SIGMA, MAX_NOISY_FALL = 3.0, 0.1
"""A noisy loss has not fallen while it lost less than so many standard errors, and less than this share."""
EARLY = 0.25
"""Evaluations that begin in this first share of the run see the weights move."""
ON_GRID = 0.05
"""A value is a multiple of a step when it is off by less than this share of the step."""


def gradient_is_zero(
    grad_norm: Curve, train_loss: Curve, *, share: float, fall: float, min_points: int
) -> Evidence | None:
    """The gradient norm is exactly 0 in ``share`` of the logs, and the loss lost less than ``fall`` beyond its noise.

    Some frameworks log 0 for norms that they never computed: a loss that falls shows that the gradients were there.
    """
    enough(grad_norm, min_points, "gradient norms")
    enough(train_loss, min_points, "training losses")
    found = float(np.mean(grad_norm.values == 0.0))
    lost = signals.progress(signals.block_means(train_loss.values))
    doubt = signals.jitter(train_loss.values) * float(np.sqrt(20.0 / max(20, len(train_loss))))
    if found < share or lost >= max(fall, min(MAX_NOISY_FALL, FALL_SIGMA * doubt)):
        return None
    return throughout(grad_norm, {"share": found, "fall": lost})


def eval_never_moves(
    eval_loss: Curve, train_loss: Curve, *, min_evals: int, fall: float, max_grain: float
) -> Evidence | None:
    """The last held-out losses are the same to the last digit while the training loss lost ``fall`` of its level.

    Where all of them have been the same since before training, or from early in the run, the training loss need not
    fall: weights that move at all move them.

    Raises ``NotEnoughPoints`` for a log that is rounded to steps of more than ``max_grain`` of the level: there
    a slow curve looks the same.
    """
    enough(eval_loss, MIN_EVALS_FOR_END, "evaluations")
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    values = eval_loss.values
    same = int(np.argmax(np.append(values[::-1] != values[-1], True)))
    always = same == len(eval_loss) and share_of_run(train_loss, eval_loss.steps[0]) <= EARLY
    if always and signals.rounding(values) <= max_grain * abs(float(values[-1])):
        lost = signals.progress(signals.block_means(train_loss.values))
        return throughout(eval_loss, {"count": same, "value": float(values[-1]), "train_fall": lost}, 0.8)
    enough(eval_loss, min_evals, "evaluations")
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    if same < min_evals or values[-1] == 0.0:
        return None
    first = float(eval_loss.steps[-same])
    meanwhile = train_loss.between(first, float(eval_loss.steps[-1])).values
    lost = signals.progress(signals.block_means(meanwhile)) if meanwhile.size >= MIN_LOSSES_FOR_LEVELS else 0.0
    if lost < fall:
        return None
    both = np.append(train_loss.values, values)
    grain = max(_grain(both), signals.rounding(both)) / abs(float(values[-1]))
    if grain > max_grain:
        raise NotEnoughPoints("log-rounded", grain=min(grain, 1.0))
    measured = {"count": same, "value": float(values[-1]), "train_fall": lost}
    return Evidence(first, float(eval_loss.steps[-1]), finite(measured))


def loss_never_moves(
    train_loss: Curve, *, min_points: int, share: float, max_grain: float, fall: float
) -> Evidence | None:
    """The training loss is the same to the last digit in ``share`` of the logs, up to the end, without having fallen.

    Batches differ, so that even weights that stand still give different losses: outputs do not depend on the inputs.
    """
    enough(train_loss, min_points, "training losses")
    values = train_loss.values
    same = int(np.argmax(np.append(values[::-1] != values[-1], True)))
    end = float(values[-1])
    if end == 0.0 or same < max(min_points, share * values.size):
        return None
    if signals.rounding(values) > max_grain * abs(end):  # losses near 0 have no grain
        raise NotEnoughPoints("log-rounded", grain=min(signals.rounding(values) / abs(end), 1.0))
    if values[0] - end > fall * abs(float(values[0])):
        return None
    first = float(train_loss.steps[-same])
    return Evidence(first, float(train_loss.steps[-1]), finite({"count": same, "value": end}))


def _grain(values: FloatArray) -> float:
    """The step that all values are multiples of, 0 where they lie on no grid, infinite where all are equal."""
    apart = np.diff(np.unique(values))
    if not apart.size:
        return float("inf")
    steps = apart / apart.min()
    return float(apart.min()) if np.all(np.abs(steps - np.round(steps)) < ON_GRID) else 0.0
