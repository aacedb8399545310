"""Numbers that stand still while they cannot: gradients of exactly 0, a held-out loss that never changes a digit."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence


def gradient_is_zero(grad_norm: Curve, train_loss: Curve, *, share: float, points: int, fall: float) -> Evidence | None:
    """The gradient norm is exactly 0 in ``share`` of the logs, and the loss does not fall.

    It lost less than ``fall`` of its start, or less than three standard errors of its noise. Some frameworks log 0
    for norms they never computed: a loss that falls shows that the gradients were there.
    """
    enough(grad_norm, points, "gradient norms")
    enough(train_loss, points, "training losses")
    found = float(np.mean(grad_norm.values == 0.0))
    lost = signals.progress(signals.block_means(train_loss.values))
    doubt = signals.jitter(train_loss.values) * float(np.sqrt(20.0 / max(20, len(train_loss))))
    if found < share or lost >= max(fall, min(0.1, 3.0 * doubt)):
        return None
    measured = {"share": found, "fall": lost}
    return Evidence(float(grad_norm.steps[0]), float(grad_norm.steps[-1]), finite(measured))


def eval_never_moves(
    eval_loss: Curve, train_loss: Curve, *, evals: int, fall: float, resolution: float
) -> Evidence | None:
    """The last ``evals`` or more held-out losses are the same to the last digit while the training loss moved on.

    ``fall``: the training loss lost this share of its level meanwhile. A log that is rounded to steps of more than
    ``resolution`` of the level is not judged: there a slow curve looks the same.
    """
    enough(eval_loss, evals, "evaluations")
    enough(train_loss, 8, "training losses")
    values = eval_loss.values
    same = int(np.argmax(np.append(values[::-1] != values[-1], True)))
    if same < evals or values[-1] == 0.0:
        return None
    first = float(eval_loss.steps[-same])
    meanwhile = train_loss.between(first, float(eval_loss.steps[-1])).values
    lost = signals.progress(signals.block_means(meanwhile)) if meanwhile.size >= 4 else 0.0
    if lost < fall:
        return None
    grain = _grain(np.concatenate([train_loss.values, values])) / abs(float(values[-1]))
    if grain > resolution:
        raise NotEnoughPoints("log-rounded", grain=grain)
    measured = {"count": same, "value": float(values[-1]), "train_fall": lost}
    return Evidence(first, float(eval_loss.steps[-1]), finite(measured))


def _grain(values: FloatArray) -> float:
    """The step that all values are multiples of, 0 where they lie on no grid."""
    apart = np.diff(np.unique(values))
    if not apart.size:
        return float("inf")
    steps = apart / apart.min()
    return float(apart.min()) if np.all(np.abs(steps - np.round(steps)) < 0.05) else 0.0
