"""What the entropy of the predictions says beside the loss: a model that is far surer than it is right."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.preconditions import enough, finite
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def entropy_collapses(
    entropy: Curve,
    settings: Settings,
    train_loss: Curve | None = None,
    eval_entropy: Curve | None = None,
    *,
    drop: float,
    over_loss: float,
    points: int,
) -> Evidence | None:
    """The entropy lost ``drop`` of its start, and not because the rows became that predictable.

    The cross-entropy of a calibrated model is its own entropy, so in SFT the entropy may fall with the loss: it has
    collapsed when it also fell below ``over_loss`` of the loss, and of the ratio it started with. A DPO loss is no
    cross-entropy; there the drop itself counts, and the held-out pairs must show half of it where they are logged.
    """
    enough(entropy, points, "entropies")
    first, last = _level(entropy.values, 1), _level(entropy.values, -1)
    if first <= 0.0 or 1.0 - last / first < drop:
        return None
    measured = {"start": first, "end": last, "drop": 1.0 - last / first}
    if settings.method == "dpo":
        if eval_entropy is not None and len(eval_entropy) >= 2:
            held = eval_entropy.values
            if held[-1] > (1.0 - 0.5 * drop) * held[0]:
                return None
    else:
        if train_loss is None or len(train_loss) < points:
            raise NotEnoughPoints("entropy-without-losses")
        began, ended = _level(train_loss.values, 1), _level(train_loss.values, -1)
        if ended <= 0.0 or began <= 0.0 or last / ended > over_loss * min(1.0, first / began):
            return None
        measured |= {"loss": ended, "over_loss": last / ended}
    low = np.flatnonzero(entropy.values < (1.0 - drop) * first)
    return Evidence(float(entropy.steps[low[0]]), float(entropy.steps[-1]), finite(measured), 0.9)


def overconfident(eval_entropy: Curve, eval_loss: Curve, *, share: float, fell: float, evals: int) -> Evidence | None:
    """On held-out rows the entropy ends below ``share`` of the loss, after it lost ``fell`` of that ratio."""
    enough(eval_entropy, evals, "held-out entropies")
    enough(eval_loss, evals, "evaluations")
    held = np.maximum(eval_loss.at(eval_entropy.steps), 1e-12)
    ratio = eval_entropy.values / held
    highest, end = float(ratio[:-1].max()), float(ratio[-2:].max())
    if end > share or end > (1.0 - fell) * highest:
        return None
    turn = int(np.argmax(ratio[:-1]))
    measured = {"ratio": end, "highest": highest, "entropy": float(eval_entropy.values[-1]), "loss": float(held[-1])}
    return Evidence(float(eval_entropy.steps[turn]), float(eval_entropy.steps[-1]), finite(measured), 0.9)


def _level(values: FloatArray, side: int) -> float:
    """The mean of the first thirtieth (1: a collapse is fast) or of the last tenth (-1), at least three points."""
    first, last = max(3, values.size // 30), max(3, values.size // 10)
    return float(np.mean(values[:first] if side > 0 else values[-last:]))
