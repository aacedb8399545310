"""The gap between the held-out and the training loss, and where it grows."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import boundaries, enough, finite, share_of_run
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings


def gap_of(train_loss: Curve, eval_loss: Curve) -> Curve:
    """Between each two evaluations their mean less that of the training losses there, at the later one's step.

    A training loss is a mean over the steps before it: held against the last evaluation alone, any fall looks like a
    gap. Where no training loss lies between two evaluations there is no point.
    """
    edges = np.searchsorted(train_loss.steps, eval_loss.steps, side="right")
    sums = np.concatenate([[0.0], np.cumsum(train_loss.values)])
    counts = np.diff(edges)
    some = counts > 0
    trained = np.diff(sums[edges])[some] / counts[some]
    held = 0.5 * (eval_loss.values[1:] + eval_loss.values[:-1])
    return Curve(eval_loss.steps[1:][some], held[some] - trained)


def gap_grows(
    train_loss: Curve,
    eval_loss: Curve,
    epoch: Curve,
    *,
    growth: float,
    noises: float,
    p: float,
    evals: int,
    apart: float,
    near: float,
) -> Evidence | None:
    """Since the first pass over the rows ended, the gap grew by ``growth`` of the held-out loss, along a trend.

    By ``noises`` standard errors as well. Raises ``NotEnoughPoints`` where the losses lie ``apart`` from each other
    (as a share) in the first ``near`` of the run already: then they are no losses of one kind.
    """
    enough(train_loss, 8, "training losses")
    enough(eval_loss, evals, "evaluations")
    edges = boundaries(epoch)
    if not edges.size:
        raise NotEnoughPoints("no-epoch-end")
    if _differ_at_start(train_loss, eval_loss, apart, near):
        raise NotEnoughPoints("gap-from-start")
    first = float(eval_loss.steps[eval_loss.steps >= edges[0]][:1].sum())
    late = gap_of(train_loss, eval_loss).between(np.nextafter(first, np.inf), np.inf)
    enough(late, evals - 1, "stretches between two evaluations after the first epoch")
    level = abs(float(np.median(eval_loss.values)))
    grown = _growth(late.values, p)
    if grown < growth * level or grown <= noises * _error(train_loss, eval_loss, len(late)):
        return None
    measured = {"before": late.values[0], "after": late.values[-1], "growth": grown / level if level else np.inf}
    return Evidence(float(late.steps[0]), float(late.steps[-1]), finite(measured), 0.9)


def _differ_at_start(train_loss: Curve, eval_loss: Curve, apart: float, near: float) -> bool:
    """Whether the first evaluation comes early and lies apart from the training loss there, beyond two noises."""
    first = float(eval_loss.steps[0])
    gap = float(eval_loss.values[0] - train_loss.at(first))
    doubt = 2.0 * signals.difference_noise(train_loss.values)
    return share_of_run(train_loss, first) <= near and abs(gap) > apart * abs(float(eval_loss.values[0])) + doubt


def _growth(gaps: FloatArray, p: float) -> float:
    """By how much the gaps grow in all, 0 where chance shows such a trend in a share ``p`` of cases."""
    direction, chance = signals.mann_kendall(signals.block_means(gaps))
    return max(0.0, signals.theil_sen(gaps) * (gaps.size - 1)) if direction > 0 and chance < p else 0.0


def _error(train_loss: Curve, eval_loss: Curve, count: int) -> float:
    """The standard error of the growth of so many gaps along a line, from the scatter of single training losses."""
    logs = max(1.0, len(train_loss) / len(eval_loss))
    return signals.difference_noise(train_loss.values) * float(np.sqrt(12.0 / (logs * count)))


def memorizing(
    train_loss: Curve,
    eval_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    epochs: float,
    below: float,
    growth: float,
    noises: float,
    p: float,
    evals: int,
) -> Evidence | None:
    """Many passes at a rate far below the family's center, and the gap grows by ``growth`` of the held-out loss."""
    enough(eval_loss, evals, "evaluations")
    enough(train_loss, 8, "training losses")
    ratio = rate_prior.relative(settings.learning_rate)
    if ratio is None or settings.num_train_epochs is None:
        raise NotEnoughPoints("setting-unknown", settings="learning_rate, method, num_train_epochs")
    if settings.num_train_epochs < epochs or ratio >= below:
        return None
    gap = gap_of(train_loss, eval_loss)
    enough(gap, evals - 1, "stretches between two evaluations")
    error = _error(train_loss, eval_loss, len(gap))
    least = max(growth * abs(float(np.median(eval_loss.values))), noises * error)
    if _growth(gap.values, p) <= least:
        return None
    measured = {"epochs": settings.num_train_epochs, "rate_over_center": ratio, "gap": float(gap.values[-1])}
    return Evidence(float(eval_loss.steps[0]), float(eval_loss.steps[-1]), finite(measured))
