"""Signs beside the level of the loss: its beat, the gradients, clipping, and a held-out loss that jitters."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import after_warmup, enough, finite
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def loss_zigzags(
    train_loss: Curve, *, lag: float, errors: float, flips: float, swing: float, points: int
) -> Evidence | None:
    """The loss goes up and down in turn: neighbors stand on opposite sides of the trend, beyond chance.

    ``lag``: the size of the negative lag-1 autocorrelation of the residual, at least ``errors`` of its standard
    errors; ``flips``: the share of turns (2/3 for pure noise); ``swing``: the scatter as a share of the level.
    """
    enough(train_loss, points, "training losses")
    found, turned = signals.oscillation(train_loss.values)
    scatter = signals.jitter(train_loss.values)
    if -found < max(lag, errors / np.sqrt(len(train_loss))) or turned < flips or scatter < swing:
        return None
    steps = train_loss.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"lag": found, "flips": turned, "swing": scatter}), 0.9)


def gradients_grow(train_loss: Curve, grad_norm: Curve, *, factor: float, fall: float, blur: float) -> Evidence | None:
    """The gradient norm grows ``factor`` times over the last half while the loss there is flat or rises.

    It may fall by ``fall`` of its level, or by what noise alone would show (one standard error, at most ``blur``).
    """
    enough(grad_norm, 20, "gradient norms")
    enough(train_loss, 10, "training losses")
    found = signals.growth(grad_norm.values)
    middle = float(grad_norm.steps[len(grad_norm) // 2])
    late = train_loss.between(middle, float("inf")).values
    if late.size < 5 or found < factor:
        return None
    doubt = min(blur, signals.jitter(late) * float(np.sqrt(20.0 / max(20, late.size))))
    if signals.progress(signals.block_means(late)) > max(fall, doubt):
        return None
    return Evidence(middle, float(grad_norm.steps[-1]), finite({"growth": found}), 0.8)


def gradients_spike(
    grad_norm: Curve,
    train_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    deviations: float,
    times: float,
    score: float,
    events: int,
    points: int,
    quantile: float,
) -> Evidence | None:
    """After the warm-up the gradient norm spikes to ``times`` its local level, and the loss does not spike with it.

    A spike stands ``deviations`` local scales of the log norm out; trainers log the norm of a single step, so single
    points count. At least ``events`` of them in ``score`` of the logs.
    """
    enough(grad_norm, points, "gradient norms")
    curve = after_warmup(grad_norm, learning_rate)
    enough(curve, points, "gradient norms after the warm-up")
    found = signals.spikes(curve.values, deviations=deviations, height=float(np.log(times)), lone=True)
    if len(found.starts) < events or found.score < score or _loss_spikes(curve, found.starts, train_loss, deviations):
        return None
    highest = float(curve.values[list(found.starts)].max())
    usual = float(np.quantile(curve.values, quantile))
    measured = {"events": len(found.starts), "score": found.score, "highest": highest, "quantile": usual}
    measured["median"] = signals.median(curve.values)
    first, last = curve.steps[found.starts[0]], curve.steps[found.starts[-1]]
    return Evidence(float(first), float(last), finite(measured), 0.9)


def _loss_spikes(norms: Curve, starts: tuple[int, ...], train_loss: Curve | None, deviations: float) -> bool:
    """Whether the loss stands out too within a log of one of the spikes of the norm in two."""
    if train_loss is None or len(train_loss) < 20:
        return False
    rest = signals.local_residual(train_loss.values)
    out = rest > deviations * max(signals.robust_scale(rest), 1e-9)
    beside = np.convolve(out, np.ones(3), mode="same") >= 1
    at = np.clip(np.searchsorted(train_loss.steps, norms.steps[list(starts)]), 0, len(train_loss) - 1)
    return bool(2 * int(beside[at].sum()) >= len(starts))


def eval_jitters_more(
    train_loss: Curve, eval_loss: Curve, *, ratio: float, least: float, flips: float
) -> Evidence | None:
    """The held-out loss jitters more than the training loss averaged between two evaluations.

    It must turn round at ``flips`` of the evaluations: a steep smooth fall is no jitter.
    """
    enough(eval_loss, 8, "evaluations")
    enough(train_loss, 8, "training losses")
    starts = np.unique(np.append(0, np.searchsorted(train_loss.steps, eval_loss.steps, side="right")))
    parts = signals.means_from(train_loss.values, starts[starts < len(train_loss)])
    if parts.size < 8:
        raise NotEnoughPoints(
            "too-few-points", have=int(parts.size), need=8, what="evaluations with training losses between them"
        )
    train, held = signals.jitter(parts), signals.jitter(eval_loss.values)
    if held < least or held < ratio * train or signals.oscillation(eval_loss.values)[1] < flips:
        return None
    steps = eval_loss.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"eval_jitter": held, "train_jitter": train}), 0.8)


def clips_most_steps(
    grad_norm: Curve, settings: Settings, *, share: float, quantile: float, qlora: float
) -> Evidence | None:
    """More than ``share`` of the logged gradient norms lie above the clipping limit.

    Not asked of a limit up to ``qlora`` (QLoRA's) in 4 bit, which its authors chose below the usual norms.
    """
    enough(grad_norm, 10, "gradient norms")
    limit = settings.max_grad_norm
    if limit is None or limit <= 0:
        raise NotEnoughPoints("setting-unknown", settings="max_grad_norm")
    found = signals.clipped_share(grad_norm.values, limit)
    if found <= share or (limit <= qlora and settings.load_in_4bit):
        return None
    usual = float(np.quantile(grad_norm.values, quantile))
    steps = grad_norm.steps
    measured = {"share": found, "limit": limit, "quantile": usual}
    return Evidence(float(steps[0]), float(steps[-1]), finite(measured))
