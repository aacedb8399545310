"""The signs on a curve that has not learned what it could: barely falling, falling straight on, flat."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.curves import Curve
from diagnostics.detectors.evidence import Evidence
from diagnostics.detectors.points import enough, finite


def hardly_learns(
    train_loss: Curve,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
) -> Evidence | None:
    """The loss barely falls, or falls on and on to the very end.

    ``barely``: both losses lose less than this share of their start. ``straight``: the fall in the last quarter over
    that of a straight line, on both curves; ``alone`` when only the training loss is there to tell. ``pace``: the
    fall of the last quarter over that of the second. A curve that falls like the logarithm of the steps, as healthy
    ones do, must not pass: it loses 1.15 / ln(points) of a straight line in its last quarter, and 0.41 of the second.
    Where a rate that was level comes down late, the loss drops with it, and only the first sign is asked for.
    """
    enough(train_loss, 4, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= 4 else None
    curves = [train_loss] if held is None else [train_loss, held]
    falls = [_fall(c) for c in curves]
    judge = train_loss if held is None else held
    measured = {"fall": _fall(judge), "late_share": _late(judge)}
    first, last = float(train_loss.steps[0]), float(train_loss.steps[-1])
    if _barely(judge, barely) and (held is None or _barely(train_loss, barely, beside_another=True)):
        return Evidence(first, last, finite(measured | {"barely": 1.0}), 0.9)
    if learning_rate is not None and _cools_down(learning_rate):
        return None
    limit = alone if held is None else straight
    if len(judge) < 6 or len(train_loss) < 8 or min(falls) <= 0 or not _straight(judge, limit, pace):
        return None
    if held is not None and not _goes_along(train_loss, straight):
        return None
    return Evidence(first, last, finite(measured | {"barely": 0.0}), min(1.0, 0.5 + _late(judge)))


def _barely(curve: Curve, limit: float, *, beside_another: bool = False) -> bool:
    """Whether a curve lost less than the limit, with no doubt, wherever one takes its start to be.

    A fine-tuning run often falls within its first few logs and is flat from then on: that is no slow run. Training
    losses of single batches, ``beside_another`` curve that barely falls, must only not speak against it.
    """
    doubt = _uncertainty(curve)
    end = signals.tail(curve.values)
    if doubt >= limit or not end:
        return False
    noise = signals.jitter(curve.values) if len(curve) >= 40 else 0.0
    if beside_another and 12 <= len(curve) < 40:
        noise = signals.difference_noise(curve.values) / abs(end)
    for count in (1, 3, 10, len(curve) // 30, len(curve) // 10):
        if not 0 < count <= len(curve):
            continue
        start = float(np.median(curve.values[:count]))
        fall = (start - end) / abs(start) if start else 1.0
        if not abs(fall) < limit + max(doubt, 2.0 * noise / np.sqrt(count)):
            return False
    return True


def _cools_down(learning_rate: Curve) -> bool:
    """Whether the rate is level for the first half and comes down to a third or less at the end (WSD, trapezoid)."""
    if len(learning_rate) < 4:
        return False
    steps, rates = learning_rate.steps, learning_rate.values
    first = rates[steps <= 0.5 * (steps[0] + steps[-1])]
    level = bool(first[-1] >= 0.9 * rates.max())
    return level and bool(rates[-1] <= rates.max() / 3.0)


def _straight(curve: Curve, limit: float, pace: float) -> bool:
    """Whether a curve falls to the end faster than a logarithm, beyond its noise."""
    needed = max(limit, LOGARITHM / float(np.log(max(len(curve), 2))))
    return _late(curve) >= needed and _pace(curve) >= pace and _falling_late(curve)


def _goes_along(curve: Curve, limit: float) -> bool:
    """Whether a noisier curve does not speak against a straight fall."""
    needed = max(limit, LOGARITHM / float(np.log(max(len(curve), 2))))
    fall = _fall(curve)
    doubt = 4.0 * _uncertainty(curve) / fall if fall > 0 else 0.0
    return _late(curve) + doubt >= needed


def _uncertainty(curve: Curve) -> float:
    """The standard error of the fall of a noisy curve; 0 for short ones, whose every point is a mean of many steps."""
    if len(curve) < 40:
        return 0.0
    return signals.jitter(curve.values) * float(np.sqrt(2.0 / (0.1 * len(curve))))


LOGARITHM = 4.0 * float(np.log(4.0 / 3.0))
"""What -ln(t) loses in its last quarter over a straight line, times ln(points)."""


def still_falls(
    train_loss: Curve, eval_loss: Curve | None, learning_rate: Curve | None, *, late: float
) -> Evidence | None:
    """The loss is still going down at the end, if more slowly than before; over the dose where the rate is logged."""
    enough(train_loss, 8, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= 4 else train_loss
    share = min(_late(over_dose(c, learning_rate)) for c in (train_loss, held))
    if share < late or not _falling_late(held):
        return None
    steps = train_loss.steps
    quarter = float(steps[-1] - 0.25 * (steps[-1] - steps[0]))
    slope = signals.late_slope(held.steps, held.values)[0]
    measured = {"fall": _fall(held), "late_share": share, "late_slope": slope, "barely": 0.0}
    return Evidence(quarter, float(steps[-1]), finite(measured), 0.7)


def falls_with_every_dose(
    train_loss: Curve, learning_rate: Curve, eval_loss: Curve | None = None, *, late: float, pace: float, fall: float
) -> Evidence | None:
    """Per unit of learning rate the loss falls as fast at the end as before: the rate ran out, not the loss.

    ``late`` and ``pace`` are the fall in the last quarter of the dose (the sum of the rates) over that of a straight
    line and over that in the second quarter; a logarithm of the steps under a cosine schedule stays below both.
    """
    enough(train_loss, 12, "training losses")
    enough(learning_rate, 4, "learning rates")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= 6 else None
    curves = [over_dose(c, learning_rate) for c in (train_loss, held) if c is not None]
    if _cools_down(learning_rate) or min(len(c) for c in curves) < 5 or not all(_falling_late(c) for c in curves):
        return None
    share, speed = min(_late(c) for c in curves), _pace(curves[-1])
    lost = min(_fall(c) for c in curves)
    if share < late or speed < pace or lost < fall:
        return None
    steps = train_loss.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"late_share": share, "pace": speed, "fall": lost}), 0.9)


def over_dose(curve: Curve, learning_rate: Curve | None) -> Curve:
    """The curve over the sum of the learning rates instead of steps, where the rate is logged and not always 0.

    A schedule that decays to 0 flattens any curve over steps; over the dose only a loss that is learned flattens.
    """
    if learning_rate is None or len(learning_rate) < 4 or not len(curve):
        return curve
    steps, rates = learning_rate.steps, np.maximum(learning_rate.values, 0.0)
    spent = np.concatenate([[0.0], np.cumsum(0.5 * (rates[1:] + rates[:-1]) * np.diff(steps))])
    if spent[-1] <= 0:
        return curve
    dose = np.interp(curve.steps, steps, spent / spent[-1])
    return Curve.from_points(dose, curve.values)


def _fall(curve: Curve) -> float:
    """The share of its start that the curve lost; of many points the first tenth, unless it starts far above that."""
    values = curve.values
    fall = signals.progress(values)
    if values.size < 40:
        return fall
    steady = signals.progress(signals.block_means(values))
    return fall if abs(fall - steady) > 3.0 * _uncertainty(curve) else steady


def _late(curve: Curve) -> float:
    """The late share of a curve, on block means where it has many points."""
    if len(curve) < 40:
        return signals.late_share(curve.steps, curve.values)
    steps, values = (signals.block_means(v, 20) for v in (curve.steps, curve.values))
    return signals.late_share(steps, np.concatenate([[signals.head(curve.values)], values[1:]]))


def _pace(curve: Curve) -> float:
    """The fall in the last quarter of the run over that in the second quarter."""
    steps, values = curve.steps, curve.values
    at = steps[0] + (steps[-1] - steps[0]) * np.asarray([0.25, 0.5, 0.75])
    if values.size >= 40:
        reach = 0.05 * (steps[-1] - steps[0])
        quarters = [float(np.median(values[np.abs(steps - x) <= reach])) for x in at]
    else:
        quarters = [float(v) for v in np.interp(at, steps, values)]
    second = quarters[0] - quarters[1]
    late = quarters[2] - signals.tail(values)
    return late / second if second > 0 else (np.inf if late > 0 else 0.0)


def _falling_late(curve: Curve) -> bool:
    """Whether the second half of the curve falls, beyond its noise."""
    values = curve.values[curve.values.size // 2 :]
    direction, p = signals.mann_kendall(signals.block_means(values))
    drop = float(np.median(values[: max(1, values.size // 10)]) - signals.tail(values))
    certain = values.size < 5 or p < 0.1
    error = float(np.sqrt(2.0 / max(1.0, 0.2 * values.size))) if values.size >= 20 else 1.0
    return direction < 0 and certain and drop > 3.0 * error * signals.difference_noise(values)


def loss_plateaus(
    train_loss: Curve, learning_rate: Curve, *, share: float, change: float, p: float, decayed: float
) -> Evidence | None:
    """The last ``share`` of the run is flat although the learning rate has not come down there."""
    enough(train_loss, 20, "training losses")
    enough(learning_rate, 4, "learning rates")
    steps, values = train_loss.steps, train_loss.values
    first = float(steps[-1] - share * (steps[-1] - steps[0]))
    late = values[steps >= first]
    if late.size < 8 or learning_rate.values[-1] < decayed * learning_rate.values.max():
        return None
    moved, chance = signals.plateau(late)
    doubt = signals.jitter(late) * float(np.sqrt(8.0 / late.size))
    if moved > max(change, doubt) or chance < p:
        return None
    return Evidence(first, float(steps[-1]), finite({"change": moved, "p": chance}), 0.8)
