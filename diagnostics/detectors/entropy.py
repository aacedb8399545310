"""What the entropy of the predictions says beside the loss: a model that is far surer than it is right."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.preconditions import MIN_EVALS_TO_COMPARE, enough, finite
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

MIN_EVAL_SHARE = 0.5
"""The held-out entropy must drop by this share of the limit in training to confirm it."""


def entropy_collapses(
    entropy: Curve,
    settings: Settings,
    train_loss: Curve | None = None,
    eval_entropy: Curve | None = None,
    *,
    drop: float,
    over_loss: float,
    min_points: int,
) -> Evidence | None:
    """The entropy lost ``drop`` of its start, and not because the rows became that predictable.

    The cross-entropy of a calibrated model is its own entropy, so in SFT the entropy may fall with the loss: it has
    collapsed when it also fell below ``over_loss`` of the loss, and of the ratio it started with. A DPO loss is not a
    cross-entropy; there the drop itself counts, and the held-out pairs must show half of it where they are logged.
    """
    enough(entropy, min_points, "entropies")
    first, last = _start(entropy.values), _end(entropy.values)
    if first <= 0.0 or 1.0 - last / first < drop:
        return None
    measured = {"start": first, "end": last, "drop": 1.0 - last / first}
    if settings.method == "dpo":
        if not _confirmed(eval_entropy, MIN_EVAL_SHARE * drop):
            return None
    else:
        if train_loss is None or len(train_loss) < min_points:
            raise NotEnoughPoints("entropy-without-losses")
        began, ended = _start(train_loss.values), _end(train_loss.values)
        if ended <= 0.0 or began <= 0.0 or last / ended > over_loss * min(1.0, first / began):
            return None
        measured |= {"loss": ended, "over_loss": last / ended}
    low = np.flatnonzero(entropy.values < (1.0 - drop) * first)
    return Evidence(float(entropy.steps[low[0]]), float(entropy.steps[-1]), finite(measured), 0.9)


def _confirmed(eval_entropy: Curve | None, drop: float) -> bool:
    """Whether the held-out entropy lost this share of its start too, or was logged too seldom to tell."""
    if eval_entropy is None or len(eval_entropy) < MIN_EVALS_TO_COMPARE:
        return True
    held = eval_entropy.values
    return bool(held[-1] <= (1.0 - drop) * held[0])


def overconfident(
    eval_entropy: Curve, eval_loss: Curve, *, ratio: float, ratio_fall: float, min_evals: int
) -> Evidence | None:
    """On held-out rows the entropy ends far below the loss, after it lost much of its ratio to the loss."""
    enough(eval_entropy, min_evals, "held-out entropies")
    enough(eval_loss, min_evals, "evaluations")
    held = np.maximum(eval_loss.at(eval_entropy.steps), 1e-12)
    ratios = eval_entropy.values / held
    highest, end = float(ratios[:-1].max()), float(ratios[-2:].max())
    if end > ratio or end > (1.0 - ratio_fall) * highest:
        return None
    turn = int(np.argmax(ratios[:-1]))
    measured = {"ratio": end, "highest": highest, "entropy": float(eval_entropy.values[-1]), "loss": float(held[-1])}
    return Evidence(float(eval_entropy.steps[turn]), float(eval_entropy.steps[-1]), finite(measured), 0.9)


def _start(values: FloatArray) -> float:
    """The mean of the first thirtieth of a series, at least three points: a collapse is fast."""
    return float(np.mean(values[: max(3, values.size // 30)]))


def _end(values: FloatArray) -> float:
    """The mean of the last tenth of a series, at least three points."""
    return float(np.mean(values[-max(3, values.size // 10) :]))
