"""Signs beside the level of the loss: its beat, the gradients, clipping, and a held-out loss that jitters."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.curves import Curve, NotEnoughPoints, Settings
from diagnostics.detectors.evidence import Evidence
from diagnostics.detectors.points import enough, finite


def loss_zigzags(
    train_loss: Curve, *, lag: float, errors: float, flips: float, swing: float, points: int
) -> Evidence | None:
    """The loss goes up and down in turn: neighbours stand on opposite sides of the trend, beyond chance.

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
        raise NotEnoughPoints(f"only {parts.size} evaluations with training losses between them, 8 needed")
    train, held = signals.jitter(parts), signals.jitter(eval_loss.values)
    if held < least or held < ratio * train or signals.oscillation(eval_loss.values)[1] < flips:
        return None
    steps = eval_loss.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"eval_jitter": held, "train_jitter": train}), 0.8)


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
