"""Runs that blow up, jump or jitter."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.curves import Curve, NotEnoughPoints, Settings
from diagnostics.detectors.evidence import Evidence
from diagnostics.detectors.points import after_warmup, enough, finite, share_of_run


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
        raise NotEnoughPoints("the log has no loss and no grad_norm")
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
    train_loss: Curve, *, rise: float, noises: float, share: float, early: float, over_best: float, lost: float
) -> Evidence | None:
    """The loss stays above its start for a while, or ends far above its best.

    Above the start by ``rise`` of it and by ``noises`` noises, for ``share`` of the points; or the end is
    ``over_best`` times the best level and ``lost`` of the descent is gone. A stay above the start that is over after
    the first ``early`` of many points is left to the rule on warm-up.
    """
    enough(train_loss, 3, "training losses")
    values = train_loss.values
    start, level = signals.level_above_start(values)
    start = min(start, float(values[0]))
    noise = signals.difference_noise(values)
    bound = start + max(noises * noise, rise * abs(start))
    above = np.flatnonzero(level > bound)
    end, best = signals.tail(values), float(level.min())
    sustained = above.size >= max(2, share * values.size) or (above.size > 0 and above[-1] == values.size - 1)
    sustained = sustained and not (values.size >= 40 and above[-1] < early * values.size)
    needed = (lost * (start - best), (over_best - 1.0) * abs(best), rise * abs(start), noises * noise)
    gone = end - best > max(needed)
    if not sustained and not gone:
        return None
    first = int(above[0]) if sustained else int(np.argmin(level))
    last = int(above[-1]) if sustained else values.size - 1
    steps = train_loss.steps
    where = share_of_run(train_loss, float(steps[first]))
    measured = {"start": start, "best": best, "end": end, "highest": float(level[first:].max()), "share": where}
    return Evidence(float(steps[first]), float(steps[last]), finite(measured | {"times": _over(measured)}))


def _over(measured: dict[str, float]) -> float:
    """The highest level over the lower of start and best."""
    low = min(measured["start"], measured["best"])
    return measured["highest"] / low if low > 0 else float("nan")


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


def loss_swings(train_loss: Curve, *, swing: float, undone: float) -> Evidence | None:
    """The loss swings by a large share of itself throughout, and the swings are larger than what it has learned.

    ``swing``: scatter of the log loss; ``undone``: scatter over the whole log descent.
    """
    enough(train_loss, 12, "training losses")
    logs = signals.log_level(train_loss.values)
    scatter = signals.robust_scale(signals.local_residual(train_loss.values))
    fall = max(0.0, signals.head(logs) - signals.tail(logs))
    if scatter < swing or scatter < undone * fall:
        return None
    steps = train_loss.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"swing": scatter, "fall": fall}), 0.8)


def jitter_grows(train_loss: Curve, *, factor: float, over_chance: float, points: int, fall: float) -> Evidence | None:
    """The run jitters ``factor`` times as much as its first fifth, and the loss has not fallen.

    With few points the ratio must be ``over_chance`` times what chance exceeds in one case of twenty.
    """
    enough(train_loss, points, "training losses")
    early, count = signals.jitter_ratio(train_loss.values, 0.2)
    ratio = 1.0 / early if early > 0 else float("inf")
    limit = max(factor, over_chance * signals.ratio_limit(count))
    quarters = signals.block_means(train_loss.values, 4)
    lost = 1.0 - float(quarters[-1] / quarters[0]) if quarters[0] else 0.0
    if ratio < limit or lost > fall:
        return None
    steps = train_loss.steps
    middle = float(steps[steps.size // 5])
    return Evidence(middle, float(steps[-1]), finite({"ratio": ratio, "limit": limit, "fall": lost}), 0.8)


def early_jitter(
    train_loss: Curve, settings: Settings, *, share: float, ratio: float, rise: float, points: int
) -> Evidence | None:
    """Only the first ``share`` of the run jitters: up and down, not just steeply down, and calm afterwards."""
    enough(train_loss, points, "training losses")
    values = train_loss.values
    found, count = signals.jitter_ratio(values, share)
    limit = max(ratio, signals.ratio_limit(count))
    cut = max(2, round(share * values.size))
    climbed = _largest_climb(values[:cut]) / max(abs(signals.head(values)), 1e-300)
    calm = _largest_climb(values[cut:]) / max(abs(signals.head(values)), 1e-300)
    if found < limit or climbed < rise or calm > 0.5 * climbed:
        return None
    steps = train_loss.steps
    measured = {"ratio": found, "limit": limit, "climb": climbed, "warmup": settings.warmup_ratio or 0.0}
    return Evidence(float(steps[0]), float(steps[cut - 1]), finite(measured), 0.8)


def _largest_climb(values: np.ndarray) -> float:
    """The largest rise of a series above its lowest value so far."""
    return float(np.max(values - np.minimum.accumulate(values))) if values.size else 0.0


def joint_jitter(
    train_loss: Curve,
    eval_loss: Curve,
    learning_rate: Curve | None = None,
    *,
    train_jitter: float,
    eval_jitter: float,
    elastic: float,
    undone: float,
) -> Evidence | None:
    """Training and held-out loss jitter together, and the learning rate drives it.

    ``train_jitter`` and ``eval_jitter`` are shares of the level. With a decaying rate the jitter must shrink with it
    (elasticity of at least ``elastic``); under a constant rate it must be ``undone`` of the whole log descent.
    """
    enough(train_loss, 20, "training losses")
    enough(eval_loss, 8, "evaluations")
    train, held = signals.jitter(train_loss.values), signals.jitter(eval_loss.values)
    if train < train_jitter or held < eval_jitter:
        return None
    driven = None
    if learning_rate is not None and len(learning_rate) >= 20:
        driven = signals.elasticity(train_loss.values, learning_rate.at(train_loss.steps))
    logs = signals.log_level(train_loss.values)
    fall = max(0.0, signals.head(logs) - signals.tail(logs))
    if driven < elastic if driven is not None else min(train, held) < undone * fall:
        return None
    steps = train_loss.steps
    measured = {"train_jitter": train, "eval_jitter": held} | ({} if driven is None else {"elasticity": driven})
    return Evidence(float(steps[0]), float(steps[-1]), finite(measured), 0.8 if driven is None else 1.0)


def eval_jitters_more(train_loss: Curve, eval_loss: Curve, *, ratio: float, least: float) -> Evidence | None:
    """The held-out loss jitters more than the training loss averaged between two evaluations."""
    enough(eval_loss, 8, "evaluations")
    enough(train_loss, 8, "training losses")
    starts = np.unique(np.append(0, np.searchsorted(train_loss.steps, eval_loss.steps, side="right")))
    parts = signals.means_from(train_loss.values, starts[starts < len(train_loss)])
    if parts.size < 8:
        raise NotEnoughPoints(f"only {parts.size} evaluations with training losses between them, 8 needed")
    train, held = signals.jitter(parts), signals.jitter(eval_loss.values)
    if held < least or held < ratio * train:
        return None
    steps = eval_loss.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"eval_jitter": held, "train_jitter": train}), 0.8)


def gradients_grow(train_loss: Curve, grad_norm: Curve, *, factor: float, fall: float) -> Evidence | None:
    """The gradient norm grows ``factor`` times over the last half while the loss there is flat or rises."""
    enough(grad_norm, 20, "gradient norms")
    enough(train_loss, 10, "training losses")
    found = signals.growth(grad_norm.values)
    middle = float(grad_norm.steps[len(grad_norm) // 2])
    late = train_loss.between(middle, float("inf")).values
    if late.size < 5 or found < factor or signals.progress(signals.block_means(late)) > fall:
        return None
    return Evidence(middle, float(grad_norm.steps[-1]), finite({"growth": found}), 0.8)


def clips_most_steps(grad_norm: Curve, settings: Settings, *, share: float, quantile: float) -> Evidence | None:
    """More than ``share`` of the logged gradient norms lie above the clipping limit.

    Not asked of QLoRA's limit of 0.3 in 4 bit, which its authors chose below the usual norms.
    """
    enough(grad_norm, 10, "gradient norms")
    limit = settings.max_grad_norm
    if limit is None or limit <= 0:
        raise NotEnoughPoints("the log does not say max_grad_norm")
    found = signals.clipped_share(grad_norm.values, limit)
    if found <= share or (limit <= 0.3 and settings.load_in_4bit):
        return None
    usual = float(np.quantile(grad_norm.values, quantile))
    steps = grad_norm.steps
    measured = {"share": found, "limit": limit, "quantile": usual}
    return Evidence(float(steps[0]), float(steps[-1]), finite(measured))
