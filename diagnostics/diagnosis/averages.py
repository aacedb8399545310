"""A training loss that was logged as an average over the run so far, and the losses that it is the average of.

A running mean, or a moving average of which each log keeps a large share, lags behind the loss: a run that fell at once
and learned all it could looks as if it still fell. Both are weighted means of all logs so far, and the losses follow
from the weights. What says that a log holds such an average is the held-out loss, which does not lag, or that its noise
is not that of single logs: neighbors hardly differ, and the less the more logs there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from diagnostics import signals
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.message import Message, message

MEAN = 1.0
KEEPS = (0.9, 0.95, 0.98, 0.99, MEAN)
"""The share of the sum so far that each log keeps, as people set it; a mean of the run keeps it all."""
MIN_LOGS = 8
MIN_PARTS = 3
"""Parts of the run between evaluations..."""
OFF = 0.03
"""... in most of which the log lies so far from the held-out loss, as a share of it..."""
CLOSER = 1 / 3
"""... and only this part of it once an average is undone."""
MIN_LOGS_BY_NOISE = 50
CALM, RESTLESS = 0.35, 0.5
"""Shares of the logs that are a turning point of an average at most, and of a loss at least (of white noise: 2/3)."""
SHRINKS, STAYS = -0.5, 0.3
"""Powers of the number of logs with which moves shrink in a running mean at least, and grow in a loss at most."""


class _Undone(NamedTuple):
    """The losses of which a log holds an average, if it keeps such a share."""

    keeps: float
    values: FloatArray


def without_average(curves: Mapping[str, Curve]) -> tuple[dict[str, Curve], list[Message]]:
    """The curves with the training loss itself where an average of it was logged, and a note on that."""
    found, train = dict(curves), curves.get("train_loss")
    if train is None or len(train) < MIN_LOGS or train.broken:
        return found, []
    best = _by_held_out(train, curves.get("eval_loss")) or _by_noise(train)
    if best is None:
        return found, []
    found["train_loss"] = Curve(train.steps, best.values)
    return found, [message("loss-is-average", curve="train_loss")]


def _candidates(train: Curve) -> list[_Undone]:
    """What the losses were if the log holds an average that keeps such a share; a mean counts logs, or steps.

    The noise of a loss that is none grows until it falls below 0: such candidates are left out.
    """
    count = np.arange(1.0, len(train) + 1.0)
    sums = [(keeps, count if keeps == MEAN else (1.0 - keeps**count) / (1.0 - keeps)) for keeps in KEEPS]
    if train.steps[0] > 0.0:
        sums.append((MEAN, train.steps))
    undone = [_Undone(keeps, _undo(train.values, keeps, weight)) for keeps, weight in sums]
    return [one for one in undone if one.values.min() >= min(0.0, train.values.min())]


def _undo(values: FloatArray, keeps: float, weight: FloatArray) -> FloatArray:
    """The losses of which each value is a mean with this weight in all, of which the earlier ones keep a share."""
    before = np.append(0.0, keeps * weight[:-1])
    loss: FloatArray = (weight * values - before * np.append(0.0, values[:-1])) / (weight - before)
    return loss


def _by_held_out(train: Curve, held: Curve | None) -> _Undone | None:
    """The candidate that lies much nearer to the held-out loss, which does not lag, than the log does."""
    if held is None or len(held) <= MIN_PARTS:
        return None
    ends = np.searchsorted(train.steps, held.steps, side="right")
    levels = 0.5 * (held.values[1:] + held.values[:-1])
    parts = [(slice(*ends[at : at + 2]), level) for at, level in enumerate(levels) if ends[at + 1] > ends[at]]
    if len(parts) < MIN_PARTS or min(level for _, level in parts) <= 0.0:
        return None

    def off(values: FloatArray) -> float:
        return signals.median(np.array([abs(float(values[part].mean()) / level - 1.0) for part, level in parts]))

    logged = off(train.values)
    if logged <= OFF:
        return None
    best = min(_candidates(train), key=lambda one: off(one.values), default=None)
    return best if best is not None and off(best.values) < CLOSER * logged else None


def _by_noise(train: Curve) -> _Undone | None:
    """The running mean whose noise is that of single logs once it is undone, and was not before.

    A moving average settles down to a constant noise, as a loss does: its noise alone does not tell it from one.
    """
    if len(train) < MIN_LOGS_BY_NOISE or _turns(train.values) > CALM or _growth(train.values) > SHRINKS:
        return None
    means = (one for one in _candidates(train) if one.keeps == MEAN)
    return next((m for m in means if _turns(m.values) >= RESTLESS and _growth(m.values) <= STAYS), None)


def _turns(values: FloatArray) -> float:
    """The share of moves that go the other way than the move before."""
    moves = np.diff(values)
    moves = np.sign(moves[moves != 0.0])
    return float(np.mean(moves[1:] != moves[:-1])) if moves.size > 1 else 0.0


def _growth(values: FloatArray) -> float:
    """The power of the number of logs with which the moves of a loss grow, as shares of its level."""
    bends = np.abs(np.diff(values, 2))
    there = bends > 0.0
    if np.count_nonzero(there) < MIN_LOGS:
        return 0.0
    count = np.log(np.arange(3.0, values.size + 1.0)[there])
    sizes = np.log(bends[there] / np.maximum(np.abs(values[2:][there]), 1e-12))
    return float(np.polyfit(count, sizes, 1)[0])
