"""What the gradient norm says beside the loss: it grows, it spikes, or it is clipped on most steps."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Losses
from diagnostics.detectors.preconditions import MIN_POINTS_FOR_SCATTER, after_warmup, enough, finite, throughout
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.methods import method_record
from diagnostics.model.settings import Settings

MIN_LOSSES_BESIDE = 10
MIN_LATE_LOSSES = 5
MIN_NORMS_TO_CLIP = 10


def gradients_grow(
    train_loss: Curve, grad_norm: Curve, *, growth: float, fall: float, max_noise: float
) -> Evidence | None:
    """The gradient norm grows over the last half while the loss there is flat or rises.

    The loss may fall by ``fall`` of its level, or by one standard error of its noise, up to ``max_noise``.
    """
    enough(grad_norm, MIN_POINTS_FOR_SCATTER, "gradient norms")
    enough(train_loss, MIN_LOSSES_BESIDE, "training losses")
    found = signals.growth(grad_norm.values)
    middle = float(grad_norm.steps[len(grad_norm) // 2])
    late = train_loss.between(middle, float("inf")).values
    if late.size < MIN_LATE_LOSSES or found < growth:
        return None
    doubt = min(max_noise, signals.jitter(late) * float(np.sqrt(20.0 / max(20, late.size))))
    if signals.progress(signals.block_means(late)) > max(fall, doubt):
        return None
    return Evidence(middle, float(grad_norm.steps[-1]), finite({"growth": found}), 0.8)


def gradient_dies(
    grad_norm: Curve,
    losses: Losses,
    settings: Settings,
    *,
    died: float,
    beside_loss: float,
    climb: float,
    fall: float,
    pairs_left: float,
    min_points: int,
) -> Evidence | None:
    """The gradient norm is gone at the end, and the loss has jumped on its way or never fell.

    Not where the loss went down with it: the gradient of a loss that nears 0 goes the same way. Where answers are
    compared most batches hold no gradient long before that, and the few pairs that are still told wrong make the loss
    jump: such a run is judged by what is left of its loss, on held-out pairs where they are known.
    """
    train_loss = losses.train_loss
    enough(grad_norm, min_points, "gradient norms")
    enough(train_loss, min_points, "training losses")
    judge = losses.judge.values
    if method_record(settings.method).loss_compares_answers and signals.tail(judge) < pairs_left * float(judge[0]):
        return None
    norms, values = grad_norm.values, train_loss.values
    late = signals.median(norms[-max(2, norms.size // 4) :])
    early = float(np.max(signals.rolling_median(norms, 3)[: max(3, norms.size // 2)]))
    start, end = abs(float(values[0])), abs(signals.tail(values))
    if early <= 0.0 or start <= 0.0 or late > died * early or late > beside_loss * early * end / start:
        return None
    climbed = signals.largest_rise(values) / start
    if climbed < climb and end < (1.0 - fall) * start:
        return None
    low = norms <= max(died * early, late)
    at = int(np.argmax(low)) if low.any() else norms.size - 1
    measured = {"early": early, "late": late, "climb": climbed, "end": end, "start": start}
    return Evidence(float(grad_norm.steps[at]), float(grad_norm.steps[-1]), finite(measured))


def gradients_spike(
    grad_norm: Curve,
    train_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    deviations: float,
    times: float,
    score: float,
    events: int,
    quantile: float,
    min_points: int,
) -> Evidence | None:
    """After the warm-up the gradient norm spikes again and again, and the loss does not spike with it.

    Trainers log the norm of a single step, so single points count.
    """
    enough(grad_norm, min_points, "gradient norms")
    curve = after_warmup(grad_norm, learning_rate)
    enough(curve, min_points, "gradient norms after the warm-up")
    height = float(np.log(times))
    found = signals.spikes(curve.values, deviations=deviations, height=height, allow_single=True)
    if len(found.starts) < events or found.score < score or _loss_spikes(curve, found.starts, train_loss, deviations):
        return None
    measured = {
        "events": len(found.starts),
        "score": found.score,
        "highest": float(curve.values[list(found.starts)].max()),
        "quantile": signals.quantile(curve.values, quantile),
        "median": signals.median(curve.values),
    }
    steps = tuple(float(curve.steps[start]) for start in found.starts)
    return Evidence(steps[0], steps[-1], finite(measured), 0.9, steps)


def _loss_spikes(norms: Curve, starts: tuple[int, ...], train_loss: Curve | None, deviations: float) -> bool:
    """Whether the loss stands out too within a log of at least half of the spikes of the norm."""
    if train_loss is None or len(train_loss) < MIN_POINTS_FOR_SCATTER:
        return False
    rest = signals.local_residual(train_loss.values)
    out = rest > deviations * max(signals.robust_scale(rest), 1e-9)
    beside = np.convolve(out, np.ones(3), mode="same") >= 1
    at = np.clip(np.searchsorted(train_loss.steps, norms.steps[list(starts)]), 0, len(train_loss) - 1)
    return bool(2 * int(beside[at].sum()) >= len(starts))


def clips_most_steps(
    grad_norm: Curve, settings: Settings, *, share: float, quantile: float, qlora_limit: float
) -> Evidence | None:
    """Most of the logged gradient norms lie above the clipping limit.

    Never for a limit up to ``qlora_limit`` in 4 bit, which QLoRA's authors chose below the usual norms.
    """
    enough(grad_norm, MIN_NORMS_TO_CLIP, "gradient norms")
    limit = settings.max_grad_norm
    if limit is None or limit <= 0:
        raise NotEnoughPoints("setting-unknown", settings="max_grad_norm")
    found = signals.clipped_share(grad_norm.values, limit)
    if found <= share or (limit <= qlora_limit and settings.load_in_4bit):
        return None
    usual = signals.quantile(grad_norm.values, quantile)
    return throughout(grad_norm, {"share": found, "limit": limit, "quantile": usual})
