"""Runs that blow up: nan or inf in a loss, or a loss that climbs above its start or far above its best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.preconditions import MIN_EVALS_FOR_END, MIN_EVALS_TO_COMPARE, enough, finite, share_of_run
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.methods import method_record
from diagnostics.model.settings import Settings

PASSED = 0.45
"""The strength of a loss that was not finite and is again: a skipped step, a bad row, or a first sign of a blow-up."""
MIN_LOSSES_TO_CLIMB = 3
MANY_LOSSES = 40
"""From this many training losses on an early climb is distinct from one that lasts."""


def not_finite(
    train_loss: Curve | None = None,
    eval_loss: Curve | None = None,
    grad_norm: Curve | None = None,
    settings: Settings | None = None,
    *,
    fp16_share: float,
    skipped_share: float,
    logs_after: int,
    min_logs: int,
) -> Evidence | None:
    """A loss or the gradient norm is nan or inf.

    A few infinite gradient norms are how fp16's loss scaler works: with fp16 they count above ``fp16_share``, and so do
    losses that are not finite in one log of at least ``min_logs``, or in ``skipped_share`` of them, and finite in
    ``logs_after`` logs since.
    Without fp16 such losses count less: weights that became nan never give a finite loss again.
    """
    losses = [curve for curve in (train_loss, eval_loss) if curve is not None]
    if not losses and grad_norm is None:
        raise NotEnoughPoints("curve-missing", curves="train_loss, grad_norm")
    passed = [curve for curve in losses if len(curve) >= min_logs and _goes_on(curve, skipped_share, logs_after)]
    curves = [curve for curve in losses if curve not in passed]
    if grad_norm is not None and not _scaler_only(grad_norm, settings, fp16_share):
        curves.append(grad_norm)
    goes_on = not any(curve.broken for curve in curves)
    if not (settings and settings.fp16):
        curves += passed
    broken = sorted(step for curve in curves for step in curve.broken)
    if not broken:
        return None
    ends = [s for c in curves for s in (*c.steps[:1], *c.steps[-1:], *c.broken[:1], *c.broken[-1:])]
    span = max(ends) - min(ends)
    share = (broken[0] - min(ends)) / span if span > 0 else 0.0
    measured = {"count": len(broken), "first": broken[0], "share": share}
    if goes_on:
        return Evidence(broken[0], broken[-1], finite({**measured, "passed": 1.0}), PASSED)
    return Evidence(broken[0], broken[-1], finite(measured))


def _goes_on(curve: Curve, share: float, logs: int) -> bool:
    """Whether a curve is not finite in one log, or in that share of them, and is finite in so many logs since."""
    few = 0 < len(curve.broken) <= max(1.0, share * (len(curve) + len(curve.broken)))
    return few and int((curve.steps > curve.broken[-1]).sum()) >= logs


def _scaler_only(grad_norm: Curve, settings: Settings | None, fp16_share: float) -> bool:
    """Whether the few infinite gradient norms are those of fp16's loss scaler."""
    few = len(grad_norm.broken) <= fp16_share * (len(grad_norm) + len(grad_norm.broken))
    return bool(settings and settings.fp16 and few)


@dataclass(frozen=True)
class DivergenceLimits(Arguments):
    """When a loss counts as diverged: above its start for a while, or at its end far above its best."""

    rise: float
    """A climb counts from this share of the start on..."""
    sigma: float
    """... and from so many noises of the loss on."""
    min_share_above: float
    """The share of the logs that must stand above the start."""
    early_share: float
    """Of many logs a climb that is over by this share of them is left to the rule on warm-up."""
    over_best: float
    """The end over the best level..."""
    lost: float
    """... when also this share of the descent is gone."""
    always_fault_ratio: float
    """A climb to so many times the start is a fault whatever the held-out loss says."""
    max_eval_rise: float
    """A smaller climb is one of unlike batches when the held-out loss since ends no further above its start."""


@dataclass(frozen=True)
class _Climb:
    """The smoothed level of a loss, where it started, its noise, and the indices that stand above the start."""

    level: FloatArray
    start: float
    noise: float
    above: NDArray[np.intp]

    @property
    def best(self) -> float:
        """The lowest level."""
        return float(self.level.min())


def loss_diverges(
    train_loss: Curve, settings: Settings, eval_loss: Curve | None = None, *, diverged: DivergenceLimits
) -> Evidence | None:
    """The loss stays above its start for a while, or ends far above its best, or both losses end above their start.

    Where batches are of unlike rows by design, the held-out loss decides.
    """
    enough(train_loss, MIN_LOSSES_TO_CLIMB, "training losses")
    unlike = method_record(settings.method).mixes_batches
    if unlike and (eval_loss is None or len(eval_loss) < MIN_EVALS_TO_COMPARE):
        raise NotEnoughPoints("curve-missing", curves="eval_loss")
    climb = _climb(train_loss.values, diverged)
    stays = _stays_above(climb, diverged)
    if not (stays or _ends_above_best(climb, train_loss, diverged) or _both_left(train_loss, eval_loss, diverged.rise)):
        return None
    first = int(climb.above[0]) if stays else int(np.argmin(climb.level))
    last = int(climb.above[-1]) if stays else len(train_loss) - 1
    measured = _measured(climb, train_loss, first)
    begins, ends = float(train_loss.steps[first]), float(train_loss.steps[last])
    mild = unlike or measured["times"] < diverged.always_fault_ratio
    if mild and _eval_stays(eval_loss, begins, diverged.max_eval_rise):
        return None
    return Evidence(begins, ends, finite(measured))


def _climb(values: FloatArray, limits: DivergenceLimits) -> _Climb:
    """Where the rolling level of the loss stands above its start, beyond its noise.

    Each log may scatter by a share of its level: where the loss falls far most logs are low, and their noise is less
    than that of the start.
    """
    level = signals.rolling_median(values, max(3, values.size // 20) | 1)
    start = min(signals.head(values), float(values[0]))
    noise = signals.difference_noise(values)
    bound = start + max(limits.sigma * max(noise, signals.jitter(values) * abs(start)), limits.rise * abs(start))
    return _Climb(level, start, noise, np.flatnonzero(level > bound))


def _stays_above(climb: _Climb, limits: DivergenceLimits) -> bool:
    """Whether the loss stands above its start for long, or at its end, and not in its first few logs only."""
    size, above = climb.level.size, climb.above
    if not above.size:
        return False
    if above.size < max(2, limits.min_share_above * size) and above[-1] != size - 1:
        return False
    return not (size >= MANY_LOSSES and above[-1] < limits.early_share * size)


def _ends_above_best(climb: _Climb, train_loss: Curve, limits: DivergenceLimits) -> bool:
    """Whether the end lies far above the best level: relative to it, to the descent, to the start and to the noise."""
    best = climb.best
    needed = (
        limits.lost * (climb.start - best),
        (limits.over_best - 1.0) * abs(best),
        limits.rise * abs(climb.start),
        limits.sigma * climb.noise,
    )
    return signals.tail(train_loss.values) - best > max(needed)


def _both_left(train_loss: Curve, eval_loss: Curve | None, rise: float) -> bool:
    """Whether both losses end above their start by ``rise`` of it: of a short log the held-out loss has less noise."""
    if eval_loss is None or len(eval_loss) < MIN_EVALS_FOR_END:
        return False
    return all(
        signals.tail(c.values) - float(c.values[0]) > rise * abs(float(c.values[0])) for c in (train_loss, eval_loss)
    )


def _eval_stays(eval_loss: Curve | None, since: float, max_rise: float) -> bool:
    """Whether the held-out loss was evaluated since a step, and ends no more than ``max_rise`` above its start."""
    if eval_loss is None or len(eval_loss) < MIN_EVALS_TO_COMPARE or eval_loss.steps[-1] < since or eval_loss.broken:
        return False
    start, end = float(eval_loss.values[0]), float(eval_loss.values[-1])
    return end <= start + max_rise * abs(start)


def _measured(climb: _Climb, train_loss: Curve, first: int) -> dict[str, float]:
    """The levels of a climb, where in the run it begins, and the highest over the best, which is at most the start."""
    best, end = min(climb.start, climb.best), signals.tail(train_loss.values)
    highest = max(float(climb.level[first:].max()), end)
    return {
        "start": climb.start,
        "best": best,
        "end": end,
        "highest": highest,
        "share": share_of_run(train_loss, float(train_loss.steps[first])),
        "times": highest / best if best > 0 else float("nan"),
    }
