"""The loss that shows how far a run came, over the share of the cumulative learning rate that was spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics import signals
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.methods import method_record
from diagnostics.model.settings import Settings

NEUTRAL_DPO = float(np.log(2.0))
"""The loss of a policy that equals its reference."""
MIN_EVALS, MIN_LOSSES = 3, 6
"""A held-out loss of so many evaluations is judged, else a training loss of so many logs."""
BLOCKS = 20
"""Training losses of single batches are judged by the means of so many parts of the run."""
FIRST_EVAL_BY = 0.05
"""An evaluation within this share of the run tells where the held-out loss began."""
LEAST_NOISE = 1e-5
"""Losses are logged to some five digits."""
DECAYING = ("linear", "cosine", "cosine_with_restarts", "polynomial", "cosine_with_min_lr")


@dataclass(frozen=True, eq=False)
class Descent:
    """A loss over the share of the cumulative learning rate that was spent (0 to 1), with the noise of one level.

    ``start`` is the loss before training, known but for ``start_error``. ``held_out``: it is an eval loss.
    """

    spent: FloatArray
    levels: FloatArray
    noise: float
    start: float
    start_error: float
    held_out: bool

    @cached_property
    def end(self) -> float:
        """The last level: of few evaluations the last one, else the mean of the last tenth."""
        return float(np.mean(self.levels[-max(1, self.levels.size // 10) :]))

    @cached_property
    def fall_error(self) -> float:
        """The standard error of the fall."""
        return float(np.hypot(max(self.noise, LEAST_NOISE * abs(self.start)), self.start_error))

    @cached_property
    def fall(self) -> float:
        """What was lost from start to end, in the loss's unit; negative where it rose."""
        return self.start - self.end

    def at(self, spent: float) -> float:
        """The level when so much of the rate was spent."""
        return float(np.interp(spent, self.spent, self.levels))


def descent_of(curves: Mapping[str, Curve], settings: Settings) -> Descent | None:
    """The descent of a run, by its held-out loss where it has enough evaluations; None where no loss can tell."""
    train, held, rate = since_training(*(curves.get(name) for name in ("train_loss", "eval_loss", "learning_rate")))
    span = max((float(c.steps[-1]) for c in (train, held) if c is not None and len(c)), default=0.0)
    start = _neutral(curves, settings)
    if held is not None and len(held) >= MIN_EVALS and span > 0:
        return _held_out(held, train, start, span, rate, settings)
    if train is None or len(train) < MIN_LOSSES or span <= 0:
        return None
    return _trained(train, start, span, rate, settings)


def since_training(train: Curve | None, held: Curve | None, rate: Curve | None) -> tuple[Curve | None, ...]:
    """The curves with their steps counted from where training began, wherever the log begins to count.

    That is an evaluation before the first training loss, or else one logging interval before that loss.
    """
    first = [float(curve.steps[0]) for curve in (train, held) if curve is not None and len(curve)]
    if not first:
        return train, held, rate
    if train is not None and len(train) > 1 and train.steps[0] <= min(first):
        first.append(float(2.0 * train.steps[0] - train.steps[1]))
    elif held is not None and len(held) > 1 and not (train is not None and len(train)):
        first.append(float(2.0 * held.steps[0] - held.steps[1]))
    start = min(first)
    return tuple(None if c is None else Curve(c.steps - start, c.values, c.broken) for c in (train, held, rate))


def _neutral(curves: Mapping[str, Curve], settings: Settings) -> float | None:
    """The loss before training where the method gives it, and the log does not deny it."""
    train = curves.get("train_loss")
    if not method_record(settings.method).loss_compares_answers or train is None or not len(train):
        return None
    if settings.method != "dpo" or (settings.loss_type or "sigmoid") != "sigmoid":
        return None
    return NEUTRAL_DPO if abs(float(train.values[0]) - NEUTRAL_DPO) < 0.5 * NEUTRAL_DPO else None


def _held_out(
    held: Curve, train: Curve | None, start: float | None, span: float, rate: Curve | None, settings: Settings
) -> Descent:
    """The held-out loss. Where it was first evaluated late, it began as far above that as the training loss did."""
    steps, values = held.steps, held.values
    noise = signals.difference_noise(values[values.size // 2 :]) if values.size >= 8 else 0.0
    first, error = float(values[0]), 0.0
    if steps[0] > FIRST_EVAL_BY * span or (start is not None and steps[0] > 0):
        began = start
        if began is None and train is not None and len(train) >= MIN_LOSSES and train.steps[0] < steps[0]:
            began = first + max(0.0, float(train.values[0]) - _near(train, float(steps[0])))
            error = signals.difference_noise(train.values)
        if began is not None:
            steps, values, first = np.concatenate([[0.0], steps]), np.concatenate([[began], values]), began
    return Descent(spent_by(steps, span, rate, settings), values, noise, first, error, True)


def _near(train: Curve, step: float) -> float:
    """The level of the training loss around a step."""
    index = int(np.searchsorted(train.steps, step))
    return signals.median(train.values[max(0, index - 3) : index + 3])


def _trained(train: Curve, start: float | None, span: float, rate: Curve | None, settings: Settings) -> Descent:
    """The training loss in means of parts of the run."""
    parts = min(BLOCKS, max(4, len(train) // 3))
    if len(train) < 2 * parts:
        steps, values, each = train.steps, train.values, 1.0
    else:
        starts = np.arange(parts) * len(train) // parts
        steps, values = signals.means_from(train.steps, starts), signals.means_from(train.values, starts)
        each = len(train) / parts
    began = float(train.values[0]) if start is None else start
    if steps[0] > train.steps[0]:
        steps, values = np.concatenate([[train.steps[0]], steps]), np.concatenate([[began], values])
    noise = signals.difference_noise(train.values)
    error = 0.0 if start is not None else noise
    return Descent(spent_by(steps, span, rate, settings), values, noise / float(np.sqrt(each)), began, error, False)


def spent_by(steps: FloatArray, span: float, rate: Curve | None, settings: Settings) -> FloatArray:
    """The share of the cumulative learning rate spent at each step: of the logged rate, else of the named schedule."""
    if rate is not None and len(rate) >= 4 and float(np.maximum(rate.values, 0).sum()) > 0:
        at = np.concatenate([[0.0], rate.steps]) if rate.steps[0] > 0 else rate.steps
        values = np.concatenate([rate.values[:1], rate.values]) if rate.steps[0] > 0 else rate.values
        values = np.maximum(values, 0.0)
        sums = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(at))])
        return np.asarray(np.interp(steps, at, sums / sums[-1]), dtype=np.float64)
    done = np.asarray(np.clip(steps / span, 0.0, 1.0), dtype=np.float64)
    if (settings.lr_scheduler_type or "").lower() in DECAYING:
        return 1.0 - (1.0 - done) ** 2
    return done
