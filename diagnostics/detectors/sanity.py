"""Logs that cannot be right: bugs, not hyperparameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diagnostics import signals
from diagnostics.detectors.preconditions import (
    MIN_EVALS_TO_COMPARE,
    MIN_LOSSES_FOR_LEVELS,
    MIN_LOSSES_FOR_TREND,
    TREND_P,
    enough,
    epoch_ends,
    finite,
    throughout,
)
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

LN2 = float(np.log(2.0))
NEARLY_ZERO, LEARNED = 0.08, 0.5
"""A loss that came down to this share of its start goes on to 0, in a log of few digits or by a margin; so does one
whose held-out loss is a number throughout and came down to the second share: weights that are not finite give none."""
MIN_LOSSES_FOR_DIPS = 10
MIN_EARLY_LOSSES = 3
SCATTER_SIGMA = 3.0
"""The scatter of the training loss explains differences of up to so many noises."""
MAX_SCATTER = 0.2
"""No more scatter than this is allowed for."""


def loss_is_zero(
    train_loss: Curve, eval_loss: Curve | None = None, *, share: float, min_points: int
) -> Evidence | None:
    """The training loss is exactly 0 in ``share`` of the second half of the run and ``min_points`` times, or always.

    Not where the held-out loss was a number first and is not finite later: then the weights are not finite, and the
    zeros are what a trainer logs in place of nan. Nor where the loss before the zeros, or between them, is almost 0,
    or the held-out loss came down far: then the log is rounded, or the loss is one of a margin that most rows keep.
    """
    enough(train_loss, 2, "training losses")
    zero = train_loss.values == 0.0
    if eval_loss is not None and eval_loss.broken and len(eval_loss) and eval_loss.broken[-1] > eval_loss.steps[-1]:
        return None
    if _comes_down_to_zero(train_loss.values, zero) or (eval_loss is not None and _is_learned(train_loss, eval_loss)):
        return None
    late = zero[zero.size // 2 :]
    if not zero.all() and (zero.sum() < min_points or late.mean() < share):
        return None
    first = train_loss.steps[int(np.argmax(zero))]
    measured = {"count": float(zero.sum()), "share": float(zero.mean()), "first": float(first)}
    return Evidence(float(first), float(train_loss.steps[-1]), measured)


def _comes_down_to_zero(values: FloatArray, zero: NDArray[np.bool_]) -> bool:
    """Whether what is not 0 had come down almost that far, before the first zero or between the zeros."""
    if zero[0] or not zero.any():
        return False
    first = int(np.argmax(zero))
    between = np.abs(values[first:][~zero[first:]])
    lowest = float(np.abs(values[:first]).min())
    level = min(lowest, signals.median(between)) if between.size else lowest
    return level <= max(NEARLY_ZERO * abs(float(values[0])), 1.5 * signals.rounding(values))


def _is_learned(train_loss: Curve, eval_loss: Curve) -> bool:
    """Whether the held-out loss is a number throughout and a loss of either kind came down far before any zero."""
    held = np.abs(eval_loss.values)
    if not held.size or eval_loss.broken or held[0] == 0.0:
        return False
    first = max(abs(float(train_loss.values[0])), float(held[0]))
    lowest = float(held[held > 0.0].min())
    return lowest <= LEARNED * first or abs(float(train_loss.values[0])) <= NEARLY_ZERO * held[0]


def rate_is_zero(learning_rate: Curve, *, share: float, min_points: int) -> Evidence | None:
    """The learning rate is zero in at least ``share`` of the logs."""
    enough(learning_rate, min_points, "learning rates")
    found = float(np.mean(learning_rate.values == 0.0))
    if found < share:
        return None
    return throughout(learning_rate, {"share": found})


def start_loss_wrong(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    *,
    over_chance: float,
    sigma: float,
    came_down: float,
    min_points: int,
) -> Evidence | None:
    """The first loss lies above ``over_chance`` times ln(vocabulary), which a model that guesses evenly would have.

    By ``sigma`` times the noise of the logs, as far as these show it: each may hold a single batch.
    Not where an evaluation before the first log is below that: then the first steps threw the run, and the start is
    right. Nor where the loss ends below ``came_down`` times ln(vocabulary): a model that was surely wrong about such
    text, as one of another language is, has learned it.
    """
    enough(train_loss, 1, "training losses")
    if settings.vocab_size is None or settings.vocab_size < 2:
        raise NotEnoughPoints("setting-unknown", settings="vocab_size")
    chance = float(np.log(settings.vocab_size))
    first = float(train_loss.values[0])
    before = np.empty(0) if eval_loss is None else eval_loss.values[eval_loss.steps < train_loss.steps[0]]
    noise = signals.difference_noise(train_loss.values)
    if first - sigma * noise <= over_chance * chance or (before.size and before[0] <= over_chance * chance):
        return None
    if len(train_loss) >= min_points and signals.tail(train_loss.values) <= came_down * chance:
        return None
    step = float(train_loss.steps[0])
    return Evidence(step, step, finite({"first": first, "chance": chance}))


def dpo_start_wrong(
    train_loss: Curve,
    settings: Settings,
    rewards_margins: Curve | None = None,
    eval_loss: Curve | None = None,
    *,
    min_ratio: float,
    max_ratio: float,
    margin_factor: float,
    sigma: float,
) -> Evidence | None:
    """The first DPO loss is not near ln 2 = 0.693, as it is while the policy still equals its reference.

    An evaluation before training tells. Without one neither the first log nor an evaluation before it may be near ln 2,
    for both include steps that moved the policy; the log by ``sigma`` times the noise, for it may hold a single batch.
    Where the loss type is unknown, the first margin must go with the loss as in sigmoid DPO: ORPO and others log
    rewards too and start elsewhere.
    """
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    if settings.loss_type not in (None, "sigmoid") or settings.label_smoothing:
        return None
    first = float(train_loss.values[0])
    margin = float(rewards_margins.values[0]) if rewards_margins is not None and len(rewards_margins) else None
    if settings.loss_type is None and (margin is None or not is_sigmoid(first, margin, margin_factor)):
        raise NotEnoughPoints("setting-unknown", settings="loss_type")
    noise = signals.difference_noise(train_loss.values) if len(train_loss) >= MIN_LOSSES_FOR_TREND else 0.0
    starts = [(first, sigma * noise)]
    if eval_loss is not None and len(eval_loss) and eval_loss.steps[0] < train_loss.steps[0]:
        starts = [(float(eval_loss.values[0]), 0.0), *(starts if eval_loss.steps[0] > 0 else ())]
    if any(min_ratio * LN2 - off <= loss <= max_ratio * LN2 + off for loss, off in starts):
        return None
    step = float(train_loss.steps[0])
    return Evidence(step, step, finite({"first": first, "expected": LN2}))


def is_sigmoid(loss: float, margin: float, factor: float) -> bool:
    """Whether a loss is -log sigmoid of the margin logged with it, within a factor."""
    expected = float(np.logaddexp(0.0, -margin))
    return loss > 0 and 1.0 / factor <= loss / max(expected, 1e-12) <= factor


def policy_never_moves(
    train_loss: Curve, rewards_margins: Curve | None = None, *, tolerance: float, min_points: int
) -> Evidence | None:
    """Every DPO loss is ln 2: the policy is its own reference.

    Where the loss creeps down, or a margin is not 0, the policy does move, if far too slowly.
    """
    enough(train_loss, min_points, "training losses")
    away = float(np.max(np.abs(train_loss.values - LN2)))
    direction, chance = signals.mann_kendall(signals.block_means(train_loss.values))
    creeps = direction < 0 and chance < TREND_P
    if away > tolerance or creeps or (rewards_margins is not None and np.any(rewards_margins.values != 0.0)):
        return None
    return throughout(train_loss, {"away": away})


def loss_scaled(train_loss: Curve, eval_loss: Curve, settings: Settings, *, tolerance: float) -> Evidence | None:
    """The training loss is the held-out loss times the gradient accumulation steps, all along.

    At the first evaluation above all: later a held-out loss may well be half the training loss.
    """
    enough(eval_loss, MIN_EVALS_TO_COMPARE, "evaluations")
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    times = settings.gradient_accumulation_steps
    if times is None:
        raise NotEnoughPoints("setting-unknown", settings="gradient_accumulation_steps")
    if times < 2:
        return None
    held = np.maximum(np.abs(eval_loss.values), 1e-300)
    ratio = train_loss.at(eval_loss.steps) / held
    off = np.log(np.maximum(ratio, 1e-300) / times)
    scatter = SCATTER_SIGMA * min(signals.jitter(train_loss.values), MAX_SCATTER)
    if ratio[0] < np.sqrt(times):
        return None
    if abs(signals.median(off)) > np.log(1.0 + tolerance) or np.any(np.abs(off) > np.log(1.0 + tolerance) + scatter):
        return None
    return throughout(train_loss, {"ratio": signals.median(ratio), "accumulation": float(times)})


def epoch_end_low(train_loss: Curve, epoch: Curve, *, max_ratio: float, min_epochs: int) -> Evidence | None:
    """The last log of each epoch is far below both neighbors: a mis-scaled last accumulation step.

    A loss that stays down after the epoch's end is another matter: that is a model that remembers its rows.
    """
    enough(train_loss, MIN_LOSSES_FOR_DIPS, "training losses")
    ends = epoch_ends(epoch)
    if ends.size < min_epochs:
        raise NotEnoughPoints("too-few-points", have=int(ends.size), need=min_epochs, what="epoch ends")
    values, steps = train_loss.values, train_loss.steps
    ratios = []
    for end in ends:
        i = int(np.argmin(np.abs(steps - end)))
        low = max(0, i - 1) + int(np.argmin(values[max(0, i - 1) : i + 2]))
        sides = [part for part in (values[max(0, low - 3) : low], values[low + 1 : low + 4]) if part.size]
        beside = min(signals.median(part) for part in sides)
        if beside <= 0.0:
            return None  # a loss that reaches 0, or is a log-density, has no ratio
        ratios.append(float(values[low]) / beside)
    if not np.all(np.asarray(ratios) < max_ratio):
        return None
    return Evidence(float(ends[0]), float(ends[-1]), finite({"ratio": float(np.median(ratios))}))


def eval_differs_at_start(train_loss: Curve, eval_loss: Curve, *, gap: float, early_share: float) -> Evidence | None:
    """Early in the run the held-out loss already lies far from the training loss there."""
    enough(eval_loss, MIN_EVALS_TO_COMPARE, "evaluations")
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    first = float(eval_loss.steps[0])
    span = float(train_loss.steps[-1] - train_loss.steps[0])
    reach = float(train_loss.steps[0]) + early_share * span
    if first > reach or len(train_loss.between(float("-inf"), reach)) < MIN_EARLY_LOSSES:
        raise NotEnoughPoints("no-early-eval-between-losses")
    levels = [float(train_loss.at(first)), signals.median(train_loss.values[:MIN_EARLY_LOSSES])]
    gaps = [(float(eval_loss.values[0]) - level) / abs(level) for level in levels if level]
    found = min(gaps, key=abs, default=0.0)
    noise = signals.jitter(train_loss.values)
    if abs(found) < max(gap, SCATTER_SIGMA * noise) or min(gaps) * max(gaps) < 0:
        return None
    return Evidence(first, first, finite({"gap": found}))
