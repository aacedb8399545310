"""Runs that have not learned what they could: the sign on the curve, and the settings that explain it."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.curves import Curve, NotEnoughPoints, Settings
from diagnostics.detectors.evidence import Evidence
from diagnostics.detectors.fit import rate_of
from diagnostics.detectors.points import enough, finite, near_its_end
from diagnostics.family import Family


def hardly_learns(
    train_loss: Curve, eval_loss: Curve | None = None, *, barely: float, straight: float, alone: float, pace: float
) -> Evidence | None:
    """The loss barely falls, or falls on and on to the very end.

    ``barely``: both losses lose less than this share of their start. ``straight``: the fall in the last quarter over
    that of a straight line, on both curves; ``alone`` when only the training loss is there to tell. ``pace``: the
    fall of the last quarter over that of the second. A curve that falls like the logarithm of the steps, as healthy
    ones do, must not pass: it loses 1.15 / ln(points) of a straight line in its last quarter, and 0.41 of the second.
    """
    enough(train_loss, 4, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= 4 else None
    curves = [train_loss] if held is None else [train_loss, held]
    falls = [_fall(c) for c in curves]
    judge = train_loss if held is None else held
    measured = {"fall": max(falls), "late_share": _late(judge)}
    first, last = float(train_loss.steps[0]), float(train_loss.steps[-1])
    if all(_barely(c, barely) for c in curves):
        return Evidence(first, last, finite(measured | {"barely": 1.0}), 0.9)
    limit = alone if held is None else straight
    if len(judge) < 6 or len(train_loss) < 8 or min(falls) <= 0 or not _straight(judge, limit, pace):
        return None
    if held is not None and not _goes_along(train_loss, straight):
        return None
    return Evidence(first, last, finite(measured | {"barely": 0.0}), min(1.0, 0.5 + _late(judge)))


def _barely(curve: Curve, limit: float) -> bool:
    """Whether a curve lost less than the limit, with no doubt, wherever one takes its start to be.

    A fine-tuning run often falls within its first few logs and is flat from then on: that is no slow run.
    """
    doubt = _uncertainty(curve)
    end = signals.tail(curve.values)
    if doubt >= limit or not end:
        return False
    noise = signals.jitter(curve.values) if len(curve) >= 40 else 0.0
    for count in (1, 3, 10, len(curve) // 30, len(curve) // 10):
        if not 0 < count <= len(curve):
            continue
        start = float(np.median(curve.values[:count]))
        fall = (start - end) / abs(start) if start else 1.0
        if not abs(fall) < limit + max(doubt, 2.0 * noise / np.sqrt(count)):
            return False
    return True


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


def still_falls(train_loss: Curve, eval_loss: Curve | None, *, late: float) -> Evidence | None:
    """The loss is still going down at the end, if more slowly than before."""
    enough(train_loss, 8, "training losses")
    held = eval_loss if eval_loss is not None and len(eval_loss) >= 4 else train_loss
    share = min(_late(train_loss), _late(held))
    if share < late or not _falling_late(held):
        return None
    steps = train_loss.steps
    quarter = float(steps[-1] - 0.25 * (steps[-1] - steps[0]))
    measured = {"fall": _fall(held), "late_share": share, "barely": 0.0}
    return Evidence(quarter, float(steps[-1]), finite(measured), 0.7)


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


def rate_too_low(
    train_loss: Curve,
    settings: Settings,
    family: Family,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
    done: float,
    below: float,
    late: float,
) -> Evidence | None:
    """The run hardly learns at a rate that may rise; far ``below`` the centre, still falling (``late``) is enough."""
    near_its_end(train_loss, settings, done)
    rate = rate_of(settings, learning_rate)
    if not family.may_rise(rate) or (settings.method == "dpo" and family.centre is None):
        return None
    found = hardly_learns(train_loss, eval_loss, barely=barely, straight=straight, alone=alone, pace=pace)
    ratio = family.ratio(rate)
    if found is None and ratio is not None and ratio <= below:
        found = still_falls(train_loss, eval_loss, late=late)
    if found is None:
        return None
    extra = {key: v for key, v in (("rate", rate), ("centre", family.centre)) if v is not None}
    sure = found.strength if ratio is None or ratio < 1.0 else 0.7 * found.strength
    return Evidence(found.first_step, found.last_step, {**found.measured, **extra}, sure)


def too_few_updates(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
    done: float,
    steps: float,
    batch: float,
) -> Evidence | None:
    """The run hardly learns and has fewer than ``steps`` updates, of batches of at least ``batch`` rows."""
    near_its_end(train_loss, settings, done)
    if settings.max_steps is None or settings.batch_size is None:
        raise NotEnoughPoints("the log does not say max_steps and the batch size")
    if settings.max_steps >= steps or settings.batch_size < batch:
        return None
    found = hardly_learns(train_loss, eval_loss, barely=barely, straight=straight, alone=alone, pace=pace)
    return _with(found, updates=settings.max_steps, batch=settings.batch_size)


def rate_low_for_batch(
    train_loss: Curve,
    settings: Settings,
    family: Family,
    eval_loss: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
    done: float,
    batch: float,
    most: float,
    reference: float,
) -> Evidence | None:
    """The run hardly learns with a batch between ``batch`` and ``most`` rows, at a rate that was not scaled with it.

    The rate wanted is the centre times the square root of batch over ``reference``, up to the cap.
    """
    near_its_end(train_loss, settings, done)
    rate, size = settings.learning_rate, settings.batch_size
    if rate is None or size is None or family.centre is None:
        raise NotEnoughPoints("the log does not say the learning rate, the batch size and the method")
    wanted = min(family.centre * float(np.sqrt(size / reference)), family.cap or float("inf"))
    if not batch <= size <= most or rate >= 0.8 * wanted:
        return None
    found = hardly_learns(train_loss, eval_loss, barely=barely, straight=straight, alone=alone, pace=pace)
    return _with(found, rate=rate, wanted=wanted, batch=size)


def batch_too_large(
    train_loss: Curve,
    settings: Settings,
    family: Family,
    eval_loss: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
    done: float,
    batch: float,
) -> Evidence | None:
    """The run hardly learns with batches above ``batch`` rows; not asked of full fine-tuning, which likes them."""
    near_its_end(train_loss, settings, done)
    if settings.batch_size is None:
        raise NotEnoughPoints("the log does not say the batch size")
    if settings.batch_size <= batch or settings.use_peft is False:
        return None
    found = hardly_learns(train_loss, eval_loss, barely=barely, straight=straight, alone=alone, pace=pace)
    ratio = family.ratio(settings.learning_rate)
    extra = {} if ratio is None else {"rate_over_centre": ratio}
    return _with(found, batch=settings.batch_size, **extra)


def regularised_too_much(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
    done: float,
    dropout: float,
    decay: float,
) -> Evidence | None:
    """The run hardly learns under strong dropout, NEFTune noise, or weight decay that takes more than ``decay``."""
    near_its_end(train_loss, settings, done)
    shrink = (settings.learning_rate or 0.0) * (settings.weight_decay or 0.0) * (settings.max_steps or 0)
    noise = settings.neftune_noise_alpha or 0.0
    if settings.lora_dropout is None and not noise and not shrink:
        raise NotEnoughPoints("the log does not say lora_dropout, neftune_noise_alpha or weight_decay")
    if (settings.lora_dropout or 0.0) < dropout and noise <= 0.0 and shrink <= decay:
        return None
    found = hardly_learns(train_loss, eval_loss, barely=barely, straight=straight, alone=alone, pace=pace)
    return _with(found, dropout=settings.lora_dropout or 0.0, noise=noise, shrink=shrink)


def adapter_too_small(
    train_loss: Curve,
    settings: Settings,
    family: Family,
    eval_loss: Curve | None = None,
    *,
    barely: float,
    straight: float,
    alone: float,
    pace: float,
    done: float,
    rank: float,
    near_cap: float,
) -> Evidence | None:
    """The run hardly learns with a small adapter although the rate is near its cap."""
    near_its_end(train_loss, settings, done)
    if settings.lora_r is None or settings.learning_rate is None or family.cap is None:
        raise NotEnoughPoints("the log does not say lora_r, the learning rate and the method")
    if settings.lora_r > rank or settings.learning_rate < near_cap * family.cap:
        return None
    found = hardly_learns(train_loss, eval_loss, barely=barely, straight=straight, alone=alone, pace=pace)
    return _with(found, rank=settings.lora_r, rate=settings.learning_rate)


def still_improving(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    *,
    straight: float,
    alone: float,
    pace: float,
    done: float,
    late: float,
    steps: float,
) -> Evidence | None:
    """The loss falls along a straight line to the end; of a run known to be short, ``late`` is enough."""
    near_its_end(train_loss, settings, done)
    found = hardly_learns(train_loss, eval_loss, barely=-1.0, straight=straight, alone=alone, pace=pace)
    if found is None and settings.max_steps is not None and settings.max_steps < steps:
        found = still_falls(train_loss, eval_loss, late=late)
    return found


def loss_barely_falls(
    train_loss: Curve, settings: Settings, eval_loss: Curve | None = None, *, barely: float, done: float
) -> Evidence | None:
    """Neither loss falls by more than ``barely`` of its start."""
    near_its_end(train_loss, settings, done)
    return hardly_learns(train_loss, eval_loss, barely=barely, straight=np.inf, alone=np.inf, pace=np.inf)


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


def _with(found: Evidence | None, **measured: float) -> Evidence | None:
    """The evidence with more measured numbers."""
    if found is None:
        return None
    return Evidence(found.first_step, found.last_step, {**found.measured, **measured}, found.strength)
