"""Runs that learn too little, or learn the training rows alone."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.curves import Curve, NotEnoughPoints, Settings
from diagnostics.detectors.evidence import Evidence
from diagnostics.detectors.points import boundaries, enough, finite
from diagnostics.family import Family


def eval_loss_rises(
    eval_loss: Curve,
    train_loss: Curve | None = None,
    *,
    rise: float,
    noise_share: float,
    floor: float,
    evals: int,
    train_fall: float,
    far_rise: float,
    far_noises: float,
    far_fall: float,
) -> Evidence | None:
    """The held-out loss ends above its minimum by more than noise, while the training loss went on falling.

    ``rise`` is relative to the minimum; ``noise_share`` scales Prechelt's corrected criterion (the end and the minimum
    are medians and means of three, so they scatter less than single values); ``floor`` is the least rise over the
    start level. A rise of ``far_rise`` counts from ``far_noises`` noises on where the training loss lost ``far_fall``
    of its level in the meantime: two far signs make up for a noisy one.
    """
    enough(eval_loss, evals, "evaluations")
    values = eval_loss.values
    found = signals.rise_from_minimum(values)
    needed = noise_share * signals.noise_multiple(values.size)
    material = found.relative >= rise and found.end - found.lowest >= floor * abs(signals.head(values))
    fall = _fall_after(train_loss, float(eval_loss.steps[found.onset]))
    if fall is not None and fall >= far_fall and found.relative >= far_rise:
        needed = far_noises
    if not material or found.deviations < needed or (fall is not None and fall < train_fall):
        return None
    turn = min(signals.onset(values), found.onset)
    measured = {
        "onset": (turn + 1) / values.size,
        "rise": found.relative,
        "lowest": found.lowest,
        "end": found.end,
        "deviations": found.deviations,
    }
    sure = min(1.0, 0.7 + found.relative) * (0.75 if fall is None else 1.0)
    first = float(eval_loss.steps[turn])
    extra = {} if fall is None else {"train_fall": fall}
    return Evidence(first, float(eval_loss.steps[-1]), finite(measured | extra), sure)


def _fall_after(train_loss: Curve | None, step: float) -> float | None:
    """How much of its level the training loss lost after a step; None when that cannot be said."""
    if train_loss is None or len(train_loss) < 4:
        return None
    nearest = int(np.argmin(np.abs(train_loss.steps - step)))
    level = float(np.median(train_loss.values[max(0, nearest - 1) : nearest + 2]))
    end = signals.tail(train_loss.values)
    return (level - end) / abs(level) if level else 0.0


def epoch_staircase(
    train_loss: Curve,
    epoch: Curve,
    eval_loss: Curve | None = None,
    *,
    z: float,
    noises: float,
    drop: float,
    points: int,
) -> Evidence | None:
    """The training loss steps down where each pass over the rows ends, and no held-out loss speaks against it.

    A step: at least ``z`` standard errors, ``noises`` noises, and ``drop`` of the level.
    """
    enough(train_loss, points, "training losses")
    if eval_loss is not None and len(eval_loss) >= 4:
        return None
    return steps_at_epochs(train_loss, epoch, z=z, noises=noises, drop=drop)


def repeats_memorised(
    train_loss: Curve, epoch: Curve, eval_loss: Curve, *, z: float, noises: float, drop: float, points: int
) -> Evidence | None:
    """The training loss steps down where each pass ends, with a held-out loss there to judge by."""
    enough(train_loss, points, "training losses")
    enough(eval_loss, 2, "evaluations")
    return steps_at_epochs(train_loss, epoch, z=z, noises=noises, drop=drop)


def steps_at_epochs(train_loss: Curve, epoch: Curve, *, z: float, noises: float, drop: float) -> Evidence | None:
    """The evidence of steps at every epoch boundary, or None when one boundary has none."""
    edges = boundaries(epoch)
    if not edges.size:
        raise NotEnoughPoints("no epoch ends within the log")
    found = signals.staircase(train_loss.steps, train_loss.values, edges)
    noise = signals.difference_noise(train_loss.values)
    level = abs(signals.head(train_loss.values))
    if not found or any(s < z or d < noises * noise or d < drop * level for _, d, s in found):
        return None
    deepest = max(d for _, d, _ in found)
    measured = {"boundaries": len(found), "drop": deepest / level, "z": min(s for *_, s in found)}
    return Evidence(found[0][0], float(train_loss.steps[-1]), finite(measured), 0.9)


def train_falls_alone(
    train_loss: Curve, eval_loss: Curve, settings: Settings, *, train_fall: float, noises: float, evals: int
) -> Evidence | None:
    """Within one pass over the rows the training loss falls while the held-out loss stays where it was."""
    enough(eval_loss, evals, "evaluations")
    enough(train_loss, 8, "training losses")
    if settings.num_train_epochs is None:
        raise NotEnoughPoints("the log does not say num_train_epochs")
    if settings.num_train_epochs > 1.0:
        return None
    values = eval_loss.values
    since = train_loss.between(float(eval_loss.steps[0]), np.inf)
    fall = signals.progress(signals.block_means(since.values)) if len(since) >= 4 else 0.0
    if signals.mann_kendall(signals.block_means(since.values))[1] > 0.05:
        return None
    noise = max(signals.difference_noise(values), 0.002 * abs(float(values[0])))
    change = abs(signals.tail(values) - float(values[0]))
    if fall < train_fall or change > noises * noise:
        return None
    measured = {"train_fall": fall, "eval_change": change / abs(float(values[0])) if values[0] else 0.0}
    return Evidence(float(eval_loss.steps[0]), float(eval_loss.steps[-1]), finite(measured), 0.8)


def memorising(
    train_loss: Curve, eval_loss: Curve, settings: Settings, family: Family, *, epochs: float, below: float
) -> Evidence | None:
    """Many passes at a rate far below the family's centre, and the gap to the held-out loss grows."""
    enough(eval_loss, 4, "evaluations")
    enough(train_loss, 4, "training losses")
    ratio = family.ratio(settings.learning_rate)
    if ratio is None or settings.num_train_epochs is None:
        raise NotEnoughPoints("the log does not say the learning rate, the method or num_train_epochs")
    gap = eval_loss.values - train_loss.at(eval_loss.steps)
    direction, p = signals.mann_kendall(signals.block_means(gap))
    if settings.num_train_epochs < epochs or ratio >= below or direction < 1 or p >= 0.1:
        return None
    measured = {"epochs": settings.num_train_epochs, "rate_over_centre": ratio, "gap": float(gap[-1])}
    return Evidence(float(eval_loss.steps[0]), float(eval_loss.steps[-1]), finite(measured))
