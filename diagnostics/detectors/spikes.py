"""Sudden events in the training loss: a jump that stays, or spikes that come again."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.descent import descent_of
from diagnostics.detectors.preconditions import MIN_POINTS_FOR_SCATTER, after_warmup, enough, finite, share_of_run
from diagnostics.detectors.tokens import batches_change
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence

KEPT_SHARE = 0.5
"""A jump whose loss later comes down by more than this share of it has not stayed."""


def loss_jumps(
    train_loss: Curve,
    num_tokens: Curve | None = None,
    *,
    rise: float,
    sigma: float,
    of_descent: float,
    min_points: int,
    packing_factor: float,
    packing_sigma: float,
    packing_points: int,
) -> Evidence | None:
    """The loss jumps within a twentieth of the run and never comes half the way back.

    Not where the size of the batches changes with it (``batches_change`` with the limits on packing): then the batches
    differ and not the weights.
    """
    enough(train_loss, min_points, "training losses")
    values, steps = train_loss.values, train_loss.steps
    width = max(5, values.size // 20) | 1
    level = signals.rolling_median(values, width)
    jumps = level[width:] - level[:-width]
    at = int(np.argmax(jumps))
    before, after = float(level[at]), level[at + width :]
    jump = float(after.min()) - before
    error = signals.difference_noise(values) * float(np.sqrt(2.0 / width))
    descent = max(0.0, signals.head(values) - before)
    if jump < KEPT_SHARE * jumps[at] or jump < max(rise * abs(before), sigma * error, of_descent * descent):
        return None
    changed = _batches_change_at(num_tokens, packing_factor, packing_sigma, packing_points)
    if changed is not None and steps[at] <= changed <= steps[at + width]:
        return None
    first = float(steps[at + width // 2])
    measured = {"before": before, "after": signals.median(after), "jump": jump / abs(before) if before else np.inf}
    return Evidence(first, float(steps[-1]), finite(measured | {"share": share_of_run(train_loss, first)}), 0.9)


def _batches_change_at(num_tokens: Curve | None, factor: float, sigma: float, min_points: int) -> float | None:
    """The step at which the batches changed their size; None where they did not, or too few counts are logged."""
    if num_tokens is None or len(num_tokens) < 2 * min_points + 1:
        return None
    found = batches_change(num_tokens, factor=factor, sigma=sigma, min_points=min_points)
    return None if found is None else found.first_step


def loss_spikes(
    train_loss: Curve,
    grad_norm: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    deviations: float,
    height: float,
    of_descent: float,
    score: float,
    events: int,
) -> Evidence | None:
    """The loss spikes again and again after the warm-up, or more than once without ever coming back.

    Each spike must climb by ``of_descent`` of all that the loss came down: of a loss near 0, a multiple of it is noise.
    """
    enough(train_loss, MIN_POINTS_FOR_SCATTER, "training losses")
    curve = after_warmup(train_loss, learning_rate)
    enough(curve, MIN_POINTS_FOR_SCATTER, "training losses after the warm-up")
    known = grad_norm is not None and len(grad_norm) >= MIN_POINTS_FOR_SCATTER
    norms = grad_norm.at(curve.steps) if grad_norm is not None and known else None
    least = of_descent * descent_of(train_loss)
    found = signals.spikes(curve.values, deviations=deviations, height=height, least_climb=least, confirming=norms)
    often = len(found.starts) >= events and found.score >= score
    if not found.starts or not (often or (found.recovered == 0.0 and len(found.starts) > 1)):
        return None
    measured = {"events": len(found.starts), "score": found.score, "height": found.height, "recovered": found.recovered}
    measured["returned"] = found.recovered * len(found.starts)
    steps = tuple(float(curve.steps[start]) for start in found.starts)
    return Evidence(steps[0], steps[-1], finite(measured), min(1.0, 0.6 + 0.1 * len(steps)), steps)
