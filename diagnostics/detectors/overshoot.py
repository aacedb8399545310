"""Runs whose rate throws the losses above where they began, whether or not they come back as the rate decays."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite, rate_of, share_of_run
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

PARTS = 4
"""Training losses of single batches are judged by the means of so many parts of the run."""


def loss_overshoots(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    rise: float,
    noises: float,
    seen_by: float,
    evals: int,
    points: int,
    over_center: float,
    alike: float,
) -> Evidence | None:
    """Both losses stand ``rise`` above their start at some time, by ``noises`` of the noise of their second half.

    By then the rate has decayed and they are calm. Training that memorizes raises the held-out loss alone. A run that
    was thrown before its first log shows it in training losses that never come down to where the evaluations began
    (the two end within ``alike`` of each other: they are of one kind). Without
    ``evals`` evaluations, the first before ``seen_by`` of the run, the mean of a quarter of the training losses must
    stand above the start, which counts at rates from ``over_center`` times the family's center on.
    """
    enough(train_loss, 4, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= evals else None
    if held is not None and share_of_run(train_loss, float(held.steps[0])) <= seen_by:
        return _both(train_loss, held, rise, noises) or _at_once(train_loss, held, rise, noises, alike)
    enough(train_loss, points, "training losses without an evaluation near the start")
    ratio = rate_prior.relative(rate_of(settings, learning_rate))
    if ratio is None:
        raise NotEnoughPoints("no-early-eval", settings="learning_rate, method")
    return _alone(train_loss, rise, noises) if ratio >= over_center else None


def _both(train_loss: Curve, eval_loss: Curve, rise: float, noises: float) -> Evidence | None:
    """The evaluations that stand above the first, where a training loss stands above its own start."""
    later = train_loss.between(float(eval_loss.steps[0]), np.inf)
    began, held = float(eval_loss.values[0]), eval_loss.values[1:]
    if not len(later) or later.values.max() <= _bound(_start(train_loss), later.values, rise, noises):
        return None
    bound = _bound(began, held, rise, noises)
    above = eval_loss.steps[1:][held > bound]
    if not above.size:
        return None
    return _evidence(train_loss, eval_loss, began, float(held.max()), above)


def _at_once(train_loss: Curve, eval_loss: Curve, rise: float, noises: float, alike: float) -> Evidence | None:
    """The evaluations after the first where both losses stay above it to the end: no training loss is as low."""
    later, held = train_loss.between(float(eval_loss.steps[0]), np.inf), eval_loss.values[1:]
    began = float(eval_loss.values[0])
    if eval_loss.steps[0] > train_loss.steps[0] or min(later.values.min(), held.min()) <= began:
        return None
    ends = signals.tail(train_loss.values), signals.tail(eval_loss.values)
    if min(ends) <= _bound(began, held, rise, noises) or max(ends) > alike * min(ends):
        return None
    return _evidence(train_loss, eval_loss, began, float(held.max()), eval_loss.steps[1:])


def _alone(train_loss: Curve, rise: float, noises: float) -> Evidence | None:
    """The parts of the training loss whose mean stands above the start."""
    values = train_loss.values
    parts = signals.block_means(values, PARTS)
    error = float(np.sqrt(PARTS / values.size + 1.0 / max(1, round(0.03 * values.size))))
    start = _start(train_loss)
    above = np.flatnonzero(parts > _bound(start, values, rise, noises * error))
    if not above.size:
        return None
    steps = train_loss.steps[[values.size * int(i) // PARTS for i in (above[0], above[-1])]]
    return _evidence(train_loss, train_loss, start, float(parts.max()), steps)


def _start(train_loss: Curve) -> float:
    """The first training loss, or the level of the first ones where that is higher."""
    return max(float(train_loss.values[0]), signals.head(train_loss.values))


def _bound(start: float, values: FloatArray, rise: float, noises: float) -> float:
    """The level from which on a loss is thrown: its late noise, for the early one is what is in question."""
    calm = signals.difference_noise(values[values.size // 2 :])
    return start + max(rise * abs(start), noises * calm)


def _evidence(train_loss: Curve, judge: Curve, start: float, highest: float, above: FloatArray) -> Evidence:
    """What was measured on the curve that tells."""
    where = share_of_run(train_loss, float(above[0]))
    measured = {"start": start, "highest": highest, "end": signals.tail(judge.values), "share": where}
    measured |= {"rise": (highest - start) / abs(start) if start else np.inf}
    return Evidence(float(above[0]), float(above[-1]), finite(measured), 0.9)
