"""Runs that blow up, jump or spike."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import after_warmup, enough, finite, share_of_run
from diagnostics.detectors.tokens import batches_change
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def not_finite(
    train_loss: Curve | None = None,
    eval_loss: Curve | None = None,
    grad_norm: Curve | None = None,
    settings: Settings | None = None,
    *,
    fp16_share: float,
) -> Evidence | None:
    """Steps with nan or inf in a loss or the gradient norm.

    A few infinite gradient norms are how fp16's loss scaler works: with fp16 they count above ``fp16_share``.
    """
    curves = [c for c in (train_loss, eval_loss) if c is not None]
    if grad_norm is not None and not _scaler_only(grad_norm, settings, fp16_share):
        curves.append(grad_norm)
    if not curves:
        raise NotEnoughPoints("curve-missing", curves="train_loss, grad_norm")
    broken = sorted(step for curve in curves for step in curve.broken)
    if not broken:
        return None
    ends = [s for c in curves for s in (*c.steps[:1], *c.steps[-1:], *c.broken[:1], *c.broken[-1:])]
    span = max(ends) - min(ends)
    share = (broken[0] - min(ends)) / span if span > 0 else 0.0
    return Evidence(broken[0], broken[-1], finite({"count": len(broken), "first": broken[0], "share": share}))


def _scaler_only(grad_norm: Curve, settings: Settings | None, fp16_share: float) -> bool:
    """Whether the few infinite gradient norms are those of fp16's loss scaler."""
    few = len(grad_norm.broken) <= fp16_share * (len(grad_norm) + len(grad_norm.broken))
    return bool(settings and settings.fp16 and few)


def loss_diverges(
    train_loss: Curve,
    eval_loss: Curve | None = None,
    *,
    rise: float,
    noises: float,
    share: float,
    early: float,
    over_best: float,
    lost: float,
    wild: float,
    calm: float,
) -> Evidence | None:
    """The loss stays above its start for a while, or ends far above its best.

    Above the start by ``rise`` of it and by ``noises`` noises, for ``share`` of the points; or the end is
    ``over_best`` times the best level and ``lost`` of the descent is gone; or both losses end above their start. A stay
    above the start that is over after the first ``early`` of many points is left to the rule on warm-up. A climb below
    ``wild`` times the start is one of unlike batches when the held-out loss, looked at since, is within ``calm`` of
    where it began.
    """
    enough(train_loss, 3, "training losses")
    values = train_loss.values
    level = signals.rolling_median(values, max(3, values.size // 20) | 1)
    start = min(signals.head(values), float(values[0]))
    noise = signals.difference_noise(values)
    bound = start + max(noises * noise, rise * abs(start))
    above = np.flatnonzero(level > bound)
    end, best = signals.tail(values), float(level.min())
    sustained = above.size >= max(2, share * values.size) or (above.size > 0 and above[-1] == values.size - 1)
    sustained = sustained and not (values.size >= 40 and above[-1] < early * values.size)
    needed = (lost * (start - best), (over_best - 1.0) * abs(best), rise * abs(start), noises * noise)
    gone = end - best > max(needed) or _both_left(train_loss, eval_loss, rise)
    if not sustained and not gone:
        return None
    first = int(above[0]) if sustained else int(np.argmin(level))
    last = int(above[-1]) if sustained else values.size - 1
    steps = train_loss.steps
    where = share_of_run(train_loss, float(steps[first]))
    measured = {"start": start, "best": best, "end": end, "highest": float(level[first:].max()), "share": where}
    times = _over(measured)
    if times < wild and _held_still(eval_loss, float(steps[first]), calm):
        return None
    return Evidence(float(steps[first]), float(steps[last]), finite(measured | {"times": times}))


def _both_left(train_loss: Curve, eval_loss: Curve | None, rise: float) -> bool:
    """Whether both losses end above their start by ``rise`` of it: of a short log the held-out loss has less noise."""
    if eval_loss is None or len(eval_loss) < 3:
        return False
    return all(
        signals.tail(c.values) - float(c.values[0]) > rise * abs(float(c.values[0])) for c in (train_loss, eval_loss)
    )


def _held_still(eval_loss: Curve | None, since: float, calm: float) -> bool:
    """Whether the held-out loss was looked at since a step, and ends no more than ``calm`` above its start."""
    if eval_loss is None or len(eval_loss) < 2 or eval_loss.steps[-1] < since or eval_loss.broken:
        return False
    start, end = float(eval_loss.values[0]), float(eval_loss.values[-1])
    return end <= start + calm * abs(start)


def _over(measured: dict[str, float]) -> float:
    """The highest level over the lower of start and best."""
    low = min(measured["start"], measured["best"])
    return measured["highest"] / low if low > 0 else float("nan")


def loss_jumps(
    train_loss: Curve,
    num_tokens: Curve | None = None,
    *,
    rise: float,
    noises: float,
    share: float,
    points: int,
    packing: float,
    apart: float,
    beside: int,
) -> Evidence | None:
    """The loss jumps within a twentieth of the run and never comes half the way back.

    By ``rise`` of its level, by ``noises`` standard errors, and by ``share`` of all it had come down. Where a step
    holds ``packing`` times as many tokens (or as few) from there on, the batches changed and not the weights: the two
    levels lie ``apart`` times their scatter from each other, with ``beside`` logs on either side.
    """
    enough(train_loss, points, "training losses")
    values = train_loss.values
    width = max(5, values.size // 20) | 1
    level = signals.rolling_median(values, width)
    jumps = level[width:] - level[:-width]
    at = int(np.argmax(jumps))
    before, after = float(level[at]), level[at + width :]
    jump = float(after.min()) - before
    error = signals.difference_noise(values) * float(np.sqrt(2.0 / width))
    came_down = max(0.0, signals.head(values) - before)
    if jump < 0.5 * jumps[at] or jump < max(rise * abs(before), noises * error, share * came_down):
        return None
    first = at + width // 2
    changed = _repacked(num_tokens, packing, apart, beside)
    if changed is not None and train_loss.steps[at] <= changed <= train_loss.steps[at + width]:
        return None
    measured = {"before": before, "after": float(np.median(after)), "jump": jump / abs(before) if before else np.inf}
    where = share_of_run(train_loss, float(train_loss.steps[first]))
    steps = train_loss.steps
    return Evidence(float(steps[first]), float(steps[-1]), finite(measured | {"share": where}), 0.9)


def _repacked(num_tokens: Curve | None, factor: float, apart: float, beside: int) -> float | None:
    """The step at which the batches changed their size, None where they did not or nothing tells."""
    if num_tokens is None or len(num_tokens) < 2 * beside + 1:
        return None
    found = batches_change(num_tokens, factor=factor, apart=apart, points=beside)
    return None if found is None else found.first_step


def loss_spikes(
    train_loss: Curve,
    grad_norm: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    deviations: float,
    height: float,
    score: float,
    events: int,
) -> Evidence | None:
    """Repeated spikes all along, or one from which the loss does not come back."""
    enough(train_loss, 20, "training losses")
    curve = after_warmup(train_loss, learning_rate)
    enough(curve, 20, "training losses after the warm-up")
    company = grad_norm.at(curve.steps) if grad_norm is not None and len(grad_norm) >= 20 else None
    found = signals.spikes(curve.values, deviations=deviations, height=height, company=company)
    often = len(found.starts) >= events and found.score >= score
    if not found.starts or not (often or (found.recovered == 0.0 and len(found.starts) > 1)):
        return None
    measured = {
        "events": len(found.starts),
        "score": found.score,
        "height": found.height,
        "recovered": found.recovered,
    }
    first, last = curve.steps[found.starts[0]], curve.steps[found.starts[-1]]
    return Evidence(float(first), float(last), finite(measured), min(1.0, 0.6 + 0.1 * len(found.starts)))
