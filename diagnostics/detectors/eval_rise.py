"""Runs that learn too little, or learn the training rows alone."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import boundaries, enough, finite
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def eval_loss_rises(
    eval_loss: Curve,
    train_loss: Curve | None = None,
    *,
    rise: float,
    of_descent: float,
    clear: float,
    noise_share: float,
    floor: float,
    evals: int,
    train_fall: float,
    far_rise: float,
    far_noises: float,
    far_fall: float,
    far_p: float,
) -> Evidence | None:
    """The held-out loss ends above its minimum by more than noise, while the training loss went on falling.

    ``rise`` is relative to the minimum and ``floor`` to the start level; below ``clear`` it must also be ``of_descent``
    of all that the held-out loss had come down, for a curve that came down far ends level to any eye. ``noise_share``
    scales Prechelt's corrected criterion (the end and the minimum are medians and means of three, so they scatter less
    than single values). A rise of ``far_rise`` counts from ``far_noises`` noises on where the training loss lost
    ``far_fall`` of its level in the meantime and the held-out loss tends upward at all once its first quarter is over
    (a chance below ``far_p``): two far signs make up for a noisy one. So does a held-out loss that was looked at before
    training and has stood above that ever since, however it moved there.
    """
    enough(eval_loss, evals, "evaluations")
    never = _never_better(eval_loss, train_loss, rise, far_rise, far_fall)
    values = eval_loss.values
    found = signals.rise_from_minimum(values)
    fall = _fall_after(train_loss, float(eval_loss.steps[found.onset]))
    plain = found.deviations >= noise_share * signals.noise_multiple(values.size)
    far = fall is not None and fall >= far_fall and found.relative >= far_rise and found.deviations >= far_noises
    if not plain and not (far and _tends_upward(values[values.size // 4 :], far_p)):
        return never
    if not _is_material(found, signals.head(values), rise=rise, of_descent=of_descent, clear=clear, floor=floor):
        return never
    if fall is not None and fall < train_fall:
        return never
    turn = min(signals.onset(values), found.onset)
    measured = _measured(found, (turn + 1) / values.size, fall)
    sure = min(1.0, 0.55 + 3.0 * found.relative) * (0.75 if fall is None else 1.0) * (1.0 if plain else 0.8)
    return Evidence(float(eval_loss.steps[turn]), float(eval_loss.steps[-1]), finite(measured), sure)


def _never_better(
    eval_loss: Curve, train_loss: Curve | None, rise: float, far_rise: float, far_fall: float
) -> Evidence | None:
    """Every evaluation since training began lies ``rise`` above the one before it, the end ``far_rise`` above."""
    if train_loss is None or not len(train_loss) or eval_loss.steps[0] >= train_loss.steps[0]:
        return None
    before, since = float(eval_loss.values[0]), eval_loss.values[1:]
    fall, end = _fall_after(train_loss, float(eval_loss.steps[0])), signals.tail(since)
    if since.min() < before + rise * abs(before) or end < before + far_rise * abs(before):
        return None
    if fall is None or fall < far_fall or not before:
        return None
    measured = {
        "onset": 1.0 / eval_loss.values.size,
        "rise": (end - before) / abs(before),
        "lowest": before,
        "end": end,
    }
    return Evidence(float(eval_loss.steps[0]), float(eval_loss.steps[-1]), finite(measured | {"train_fall": fall}), 0.8)


def _is_material(
    found: signals.Rise, start: float, *, rise: float, of_descent: float, clear: float, floor: float
) -> bool:
    """Whether the rise is large enough to matter, whatever the noise."""
    climb = found.end - found.lowest
    seen = found.relative >= clear or climb >= of_descent * (start - found.lowest)
    return found.relative >= rise and climb >= floor * abs(start) and seen


def _measured(found: signals.Rise, onset: float, fall: float | None) -> dict[str, float]:
    """The numbers of a rise, and the fall of the training loss in the meantime where it is known."""
    numbers = {"onset": onset, "rise": found.relative, "lowest": found.lowest, "end": found.end}
    return numbers | {"deviations": found.deviations} | ({} if fall is None else {"train_fall": fall})


def _tends_upward(values: FloatArray, p: float) -> bool:
    """Whether the values rise by more than chance would show in a share ``p`` of cases."""
    direction, chance = signals.mann_kendall(signals.block_means(values))
    return direction > 0 and chance < p


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


def repeats_memorized(
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
        raise NotEnoughPoints("no-epoch-end")
    found = signals.staircase(train_loss.steps, train_loss.values, edges)
    noise = signals.difference_noise(train_loss.values)
    level = abs(signals.head(train_loss.values))
    if not found or any(s < z or d < noises * noise or d < drop * level for _, d, s in found):
        return None
    deepest = max(d for _, d, _ in found)
    measured = {"boundaries": len(found), "drop": deepest / level, "z": min(s for *_, s in found)}
    return Evidence(found[0][0], float(train_loss.steps[-1]), finite(measured), 0.9)


def train_falls_alone(
    train_loss: Curve,
    eval_loss: Curve,
    settings: Settings,
    *,
    train_fall: float,
    noises: float,
    evals: int,
    blur: float,
    p: float,
    floor: float,
) -> Evidence | None:
    """Within one pass over the rows the training loss falls while the held-out loss stays where it was.

    What noise could hide of a fall of the held-out loss must be less than ``blur`` of the fall in training, which must
    be a trend beyond the chance ``p``; no held-out loss is taken to be calmer than ``floor`` of its level.
    """
    enough(eval_loss, evals, "evaluations")
    enough(train_loss, 8, "training losses")
    if settings.num_train_epochs is None:
        raise NotEnoughPoints("setting-unknown", settings="num_train_epochs")
    if settings.num_train_epochs > 1.0:
        return None
    values = eval_loss.values
    since = train_loss.between(float(eval_loss.steps[0]), np.inf)
    fall = signals.progress(signals.block_means(since.values)) if len(since) >= 4 else 0.0
    if signals.mann_kendall(signals.block_means(since.values))[1] > p:
        return None
    noise = max(signals.difference_noise(values), floor * abs(float(values[0])))
    change = abs(signals.tail(values) - float(values[0]))
    hidden = (change + noise) / abs(float(values[0])) if values[0] else np.inf
    if fall < train_fall or change > noises * noise or hidden > blur * fall:
        return None
    measured = {"train_fall": fall, "eval_change": change / abs(float(values[0])) if values[0] else 0.0}
    return Evidence(float(eval_loss.steps[0]), float(eval_loss.steps[-1]), finite(measured), 0.8)
