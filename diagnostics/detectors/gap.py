"""The gap between the held-out and the training loss: where it grows, and where only the training loss falls."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import (
    MIN_LOSSES_FOR_LEVELS,
    MIN_LOSSES_FOR_TREND,
    enough,
    epoch_ends,
    share_of_run,
    throughout,
)
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings

START_SIGMA = 2.0
"""A gap at the start stands out of the noise of single training losses from so many noises on."""


def gap_of(train_loss: Curve, eval_loss: Curve) -> Curve:
    """Between each two evaluations their mean less that of the training losses there, at the later one's step.

    A training loss is a mean over the steps before it: compared with the last evaluation alone, any fall looks like a
    gap. Two evaluations without a training loss between them give no point.
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
    sigma: float,
    p: float,
    min_evals: int,
    max_start_gap: float,
    early_share: float,
) -> Evidence | None:
    """Since the first pass over the rows ended the gap grew, along a trend and beyond its noise.

    Raises ``NotEnoughPoints`` where the losses differ early in the run already: then they are not of one kind.
    """
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    enough(eval_loss, min_evals, "evaluations")
    ends = epoch_ends(epoch)
    if not ends.size:
        raise NotEnoughPoints("no-epoch-end")
    if _differ_at_start(train_loss, eval_loss, max_start_gap, early_share):
        raise NotEnoughPoints("gap-from-start")
    first = float(eval_loss.steps[eval_loss.steps >= ends[0]][:1].sum())
    late = gap_of(train_loss, eval_loss).between(np.nextafter(first, np.inf), np.inf)
    enough(late, min_evals - 1, "stretches between two evaluations after the first epoch")
    level = abs(signals.median(eval_loss.values))
    grown = _growth(late.values, p)
    if grown < growth * level or grown <= sigma * _error(train_loss, eval_loss, len(late)):
        return None
    measured = {"before": late.values[0], "after": late.values[-1], "growth": grown / level if level else np.inf}
    return throughout(late, measured, 0.9)


def _differ_at_start(train_loss: Curve, eval_loss: Curve, max_gap: float, early_share: float) -> bool:
    """Whether the first evaluation comes early and lies apart from the training loss there, beyond its noise."""
    first = float(eval_loss.steps[0])
    gap = float(eval_loss.values[0] - train_loss.at(first))
    doubt = START_SIGMA * signals.difference_noise(train_loss.values)
    early = share_of_run(train_loss, first) <= early_share
    return early and abs(gap) > max_gap * abs(float(eval_loss.values[0])) + doubt


def _growth(gaps: FloatArray, p: float) -> float:
    """By how much the gaps grow in all; 0 where chance shows such a trend in a share ``p`` of cases."""
    direction, chance = signals.mann_kendall(signals.block_means(gaps))
    return max(0.0, signals.theil_sen(gaps) * (gaps.size - 1)) if direction > 0 and chance < p else 0.0


def _error(train_loss: Curve, eval_loss: Curve, count: int) -> float:
    """The standard error of the growth of so many gaps along a line, from the scatter of single training losses."""
    logs = max(1.0, len(train_loss) / len(eval_loss))
    return signals.difference_noise(train_loss.values) * float(np.sqrt(12.0 / (logs * count)))


def low_rate_many_epochs(
    train_loss: Curve,
    eval_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    epochs: float,
    max_rate_ratio: float,
    growth: float,
    sigma: float,
    p: float,
    min_evals: int,
) -> Evidence | None:
    """Over many passes at a rate far below the center the gap grows."""
    enough(eval_loss, min_evals, "evaluations")
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    ratio = rate_prior.relative(settings.learning_rate)
    if ratio is None or settings.num_train_epochs is None:
        raise NotEnoughPoints("setting-unknown", settings="learning_rate, method, num_train_epochs")
    if settings.num_train_epochs < epochs or ratio >= max_rate_ratio:
        return None
    gap = gap_of(train_loss, eval_loss)
    enough(gap, min_evals - 1, "stretches between two evaluations")
    error = _error(train_loss, eval_loss, len(gap))
    if _growth(gap.values, p) <= max(growth * abs(signals.median(eval_loss.values)), sigma * error):
        return None
    measured = {"epochs": settings.num_train_epochs, "rate_over_center": ratio, "gap": float(gap.values[-1])}
    return throughout(eval_loss, measured)


def train_falls_alone(
    train_loss: Curve,
    eval_loss: Curve,
    settings: Settings,
    *,
    train_fall: float,
    sigma: float,
    min_evals: int,
    max_hidden: float,
    p: float,
    floor: float,
) -> Evidence | None:
    """Within one pass over the rows the training loss falls along a trend while the held-out loss stays where it was.

    What noise could hide of a fall of the held-out loss is less than ``max_hidden`` of the fall in training.
    """
    enough(eval_loss, min_evals, "evaluations")
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    if settings.num_train_epochs is None:
        raise NotEnoughPoints("setting-unknown", settings="num_train_epochs")
    if settings.num_train_epochs > 1.0:
        return None
    values, start = eval_loss.values, float(eval_loss.values[0])
    parts = signals.block_means(train_loss.between(float(eval_loss.steps[0]), np.inf).values)
    fall = signals.progress(parts) if parts.size >= MIN_LOSSES_FOR_LEVELS else 0.0
    if signals.mann_kendall(parts)[1] > p:
        return None
    noise = max(signals.difference_noise(values), floor * abs(start))
    change = abs(signals.tail(values) - start)
    hidden = (change + noise) / abs(start) if start else np.inf
    if fall < train_fall or change > sigma * noise or hidden > max_hidden * fall:
        return None
    return throughout(eval_loss, {"train_fall": fall, "eval_change": change / abs(start) if start else 0.0}, 0.8)
