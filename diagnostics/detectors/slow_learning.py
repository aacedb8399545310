"""The signs on a curve that has not learned what it could: barely falling, falling straight on, flat."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.descent import (
    MANY,
    fall_of,
    falls_late,
    late_error,
    late_share,
    over_dose,
    pace_of,
    uncertainty,
)
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence


@signals.memoize
def learns_slowly(
    train_loss: Curve,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
    seen_by: float,
    few: float,
    errors: float,
) -> Evidence | None:
    """The loss barely falls, or falls on and on to the very end.

    ``barely``: both losses lose less than this share of their start. ``straight``: the fall in the last quarter over
    that of a straight line, on both curves; ``alone`` when only the training loss is there to tell. ``pace``: the
    fall of the last quarter over that of the second. A curve that falls like the logarithm of the steps, as healthy
    ones do, must not pass: it loses 1.15 / ln(points) of a straight line in its last quarter, and 0.41 of the second.
    Where a rate that was level comes down late, the loss drops with it, and only the first sign is asked for.
    ``seen_by``: a held-out loss that is first looked at later in the run has missed the steepest part of the fall.
    ``few``: the noise of fewer evaluations is itself so uncertain that a straight fall must stand out of it by
    ``errors`` standard errors instead of one; by as many must training losses move to speak against a flat one.
    """
    enough(train_loss, 4, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= 4 else None
    curves = [train_loss] if held is None else [train_loss, held]
    falls = [fall_of(c) for c in curves]
    judge = train_loss if held is None else held
    measured = {"fall": fall_of(judge), "late_share": late_share(judge)}
    first, last = float(train_loss.steps[0]), float(train_loss.steps[-1])
    if _barely(judge, barely) and (held is None or _agrees(train_loss, held, barely, seen_by, errors)):
        return Evidence(first, last, finite(measured | {"barely": 1.0}), 0.9)
    if learning_rate is not None and _cools_down(learning_rate):
        return None
    limit = alone if held is None else straight
    needed = errors if held is None or len(held) < few else 1.0
    if len(judge) < 5 or len(train_loss) < 8 or min(falls) <= 0 or not _straight(judge, limit, pace, needed):
        return None
    if held is not None and not _goes_along(train_loss, straight):
        return None
    return Evidence(first, last, finite(measured | {"barely": 0.0}), min(1.0, 0.5 + late_share(judge)))


def held_barely_falls(train_loss: Curve, eval_loss: Curve | None, *, barely: float, evals: int) -> Evidence | None:
    """The held-out loss barely falls, and training losses too noisy to tell do not speak against it.

    What was learned before the first evaluation may hide in their noise: it takes a reason to expect a flat loss.
    """
    if eval_loss is None or len(eval_loss) < evals or not _barely(eval_loss, barely):
        return None
    if not _barely(train_loss, barely, beside_another=True, doubted=True):
        return None
    measured = {"fall": fall_of(eval_loss), "late_share": late_share(eval_loss), "barely": 1.0}
    return Evidence(float(train_loss.steps[0]), float(train_loss.steps[-1]), finite(measured), 0.7)


def _barely(curve: Curve, limit: float, *, beside_another: bool = False, doubted: bool = False) -> bool:
    """Whether a curve lost less than the limit, with no doubt, wherever one takes its start to be.

    A fine-tuning run often falls within its first few logs and is flat from then on: that is no slow run. Training
    losses of single batches, ``beside_another`` curve that barely falls, must only not speak against it; ``doubted``
    ones may be so noisy that they could not.
    """
    doubt = uncertainty(curve)
    end = signals.tail(curve.values)
    if (doubt >= limit and not doubted) or not end:
        return False
    noise = signals.jitter(curve.values) if len(curve) >= MANY else 0.0
    if beside_another and 6 <= len(curve) < MANY:
        noise = signals.difference_noise(curve.values) / abs(end)
    for count in (1, 3, 10, len(curve) // 30, len(curve) // 10):
        if not 0 < count <= len(curve):
            continue
        start = float(np.median(curve.values[:count]))
        fall = (start - end) / abs(start) if start else 1.0
        if not abs(fall) < limit + max(doubt, 2.0 * noise / np.sqrt(count)):
            return False
    return True


def _agrees(train_loss: Curve, held: Curve, limit: float, seen_by: float, errors: float) -> bool:
    """Whether the training loss does not speak against a held-out loss that barely falls.

    It must say so itself where the first evaluation comes late: what noise hides could have been learned before it.
    Where the first evaluation came before the first log, losses of single batches need only not clearly move.
    """
    steps = train_loss.steps
    if held.steps[0] < steps[0]:
        return not _clearly_moves(train_loss, limit, errors)
    late = held.steps[0] - steps[0] > seen_by * (steps[-1] - steps[0])
    if late and uncertainty(train_loss) > limit:
        return False
    return _barely(train_loss, limit, beside_another=True)


def _clearly_moves(curve: Curve, limit: float, errors: float) -> bool:
    """Whether the means of the first and the last quarter differ by the limit and so many standard errors."""
    quarter = max(1, len(curve) // 4)
    first, last = float(curve.values[:quarter].mean()), float(curve.values[-quarter:].mean())
    error = signals.difference_noise(curve.values) * float(np.sqrt(2.0 / quarter))
    return abs(first - last) > limit * abs(first) + errors * error


def _cools_down(learning_rate: Curve) -> bool:
    """Whether the rate is level for the first half and comes down to a third or less at the end (WSD, trapezoid)."""
    if len(learning_rate) < 4:
        return False
    steps, rates = learning_rate.steps, learning_rate.values
    first = rates[steps <= 0.5 * (steps[0] + steps[-1])]
    level = bool(first[-1] >= 0.9 * rates.max())
    return level and bool(rates[-1] <= rates.max() / 3.0)


def _straight(curve: Curve, limit: float, pace: float, errors: float) -> bool:
    """Whether a curve falls to the end faster than a logarithm, beyond its noise and so many standard errors."""
    needed = max(limit, LOGARITHM / float(np.log(max(len(curve), 2))))
    late = late_share(curve)
    if late < needed or late - errors * late_error(curve) < limit:
        return False
    return pace_of(curve) >= pace and falls_late(curve)


def _goes_along(curve: Curve, limit: float) -> bool:
    """Whether a noisier curve does not speak against a straight fall."""
    needed = max(limit, LOGARITHM / float(np.log(max(len(curve), 2))))
    fall = fall_of(curve)
    doubt = 4.0 * uncertainty(curve) / fall if fall > 0 else 0.0
    return late_share(curve) + doubt >= needed


LOGARITHM = 4.0 * float(np.log(4.0 / 3.0))
"""What -ln(t) loses in its last quarter over a straight line, times ln(points)."""


def still_falls(
    train_loss: Curve, eval_loss: Curve | None, learning_rate: Curve | None, *, late: float
) -> Evidence | None:
    """The loss is still going down at the end, if more slowly than before; over the dose where the rate is logged."""
    enough(train_loss, 8, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= 4 else train_loss
    share = min(late_share(over_dose(c, learning_rate)) for c in (train_loss, held))
    if share < late or not falls_late(held):
        return None
    steps = train_loss.steps
    quarter = float(steps[-1] - 0.25 * (steps[-1] - steps[0]))
    slope = signals.late_slope(held.steps, held.values)[0]
    measured = {"fall": fall_of(held), "late_share": share, "late_slope": slope, "barely": 0.0}
    return Evidence(quarter, float(steps[-1]), finite(measured), 0.7)


def falls_with_every_dose(
    train_loss: Curve,
    learning_rate: Curve,
    eval_loss: Curve | None = None,
    *,
    late: float,
    pace: float,
    fall: float,
    whole_late: float,
    whole_pace: float,
    whole_fall: float,
) -> Evidence | None:
    """Per unit of learning rate the loss falls as fast at the end as before: the rate ran out, not the loss.

    ``late`` and ``pace`` are the fall in the last quarter of the dose (the sum of the rates) over that of a straight
    line and over that in the second quarter; a logarithm of the steps under a cosine schedule stays below both. A
    held-out loss that was looked at before training shows the steep start of what is learned well: where it lost no
    more than ``whole_fall``, ``whole_late`` and ``whole_pace`` are enough, and single training losses need not say so.
    """
    enough(train_loss, 12, "training losses")
    enough(learning_rate, 4, "learning rates")
    if _cools_down(learning_rate):
        return None
    steps = train_loss.steps
    found = None
    if eval_loss is not None and seen_whole(train_loss, eval_loss):
        found = _over_dose([eval_loss], learning_rate, whole_late, whole_pace, fall)
    if found is None or found["fall"] > whole_fall:
        curves = [train_loss] if eval_loss is None or len(eval_loss) < 6 else [train_loss, eval_loss]
        found = _over_dose(curves, learning_rate, late, pace, fall)
    return None if found is None else Evidence(float(steps[0]), float(steps[-1]), finite(found), 0.9)


def seen_whole(train_loss: Curve, eval_loss: Curve | None) -> bool:
    """Whether the held-out loss was looked at before training, and at least four times since."""
    return eval_loss is not None and len(eval_loss) >= 5 and bool(eval_loss.steps[0] < train_loss.steps[0])


def _over_dose(
    curves: list[Curve], learning_rate: Curve, late: float, pace: float, fall: float
) -> dict[str, float] | None:
    """The late share, pace and fall over the dose, the pace that of the last curve; None where one is too small."""
    dosed = [over_dose(c, learning_rate) for c in curves]
    if min(len(c) for c in dosed) < 5 or not all(falls_late(c) for c in dosed):
        return None
    share, speed = min(late_share(c) for c in dosed), pace_of(dosed[-1])
    lost = min(fall_of(c) for c in dosed)
    if share < late or speed < pace or lost < fall:
        return None
    return {"late_share": share, "pace": speed, "fall": lost}


def loss_plateaus(
    train_loss: Curve, learning_rate: Curve, *, share: float, change: float, p: float, decayed: float, blur: float
) -> Evidence | None:
    """The last ``share`` of the run is flat although the learning rate has not come down there.

    Raises ``NotEnoughPoints`` where noise alone could hide a change of more than ``blur``.
    """
    enough(train_loss, 20, "training losses")
    enough(learning_rate, 4, "learning rates")
    steps, values = train_loss.steps, train_loss.values
    first = float(steps[-1] - share * (steps[-1] - steps[0]))
    late = values[steps >= first]
    if late.size < 8 or learning_rate.values[-1] < decayed * learning_rate.values.max():
        return None
    moved, chance = signals.plateau(late)
    doubt = signals.jitter(late) * float(np.sqrt(8.0 / late.size))
    if doubt > blur:
        raise NotEnoughPoints("too-noisy-for-plateau", change=doubt)
    if moved > max(change, min(doubt, blur - doubt)) or chance < p:
        return None
    return Evidence(first, float(steps[-1]), finite({"change": moved, "p": chance}), 0.8)
