"""A held-out loss that rises above its minimum while the training loss keeps falling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.preconditions import MIN_LOSSES_FOR_LEVELS, enough, finite, throughout
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.evidence import Evidence
from diagnostics.model.label import Label
from diagnostics.model.outlook import Outlook
from diagnostics.model.settings import Settings

WITHOUT_TRAIN_LOSS = 0.75
BY_FAR_SIGNS = 0.8
"""How much of its strength a finding keeps without a training loss, and where it stands out of its noise by far signs
only."""
BY_FEW = 0.85
"""The strength of a finding in two or three evaluations, which do not show their noise. (Of 178 such logs of runs whose
end is known 169 were overfit, or thrown by a rate far too high.)"""


@dataclass(frozen=True)
class EvalRiseLimits(Arguments):
    """When a rise of the held-out loss from its minimum to its end is overfitting."""

    rise: float
    """The rise as a share of the minimum."""
    of_descent: float
    """The rise as a share of the descent before it: after a long descent a small rise still looks level."""
    clear_rise: float
    """A rise from this share of the minimum on counts however far the loss had come down."""
    noise_share: float
    """The rise in noises, as a share of what Prechelt's corrected criterion asks for.

    The end and the minimum are a median and a mean of three, so they scatter less than single values.
    """
    floor: float
    """The rise as a share of the first loss, held out or, where that was logged before, in training."""
    train_fall: float
    """What the training loss must have lost of its level in the meantime, where it is logged."""
    far_rise: float
    """A rise this large counts above ``far_sigma`` noises already, when training fell far and the trend is upward."""
    far_sigma: float
    """The noises that such a large rise must exceed."""
    far_fall: float
    """What the training loss must have lost of its level beside such a rise."""
    far_p: float
    """The chance of so clear an upward trend once the first quarter of the evaluations is over."""
    few_rise: float
    """The rise of the last of two or three evaluations above the lowest, as a share of it..."""
    few_fall: float
    """... what the training loss must have lost of its level from one to the other..."""
    few_share: float
    """... and the share of the planned steps from which so few decide: before that, more are to come."""
    level: float
    """A rise below this share of all that was lost since training began is none where most runs that look so as a whole
    went well: after a loss that fell over decades, a share of its minimum is next to nothing."""


def eval_loss_rises(
    eval_loss: Curve,
    train_loss: Curve | None = None,
    outlook: Outlook | None = None,
    settings: Settings | None = None,
    *,
    min_evals: int,
    limits: EvalRiseLimits,
) -> Evidence | None:
    """The held-out loss ends above its minimum by more than noise, while the training loss keeps falling.

    Two far signs make up for a noisy one: a large rise while training falls far. So does a held-out loss that was
    evaluated before training and has stood above that ever since, however it moved there. Two or three evaluations
    at the end of a run, of an epoch each, show a rise that is larger than their noise ever is, and no smaller one.
    """
    if len(eval_loss) < min_evals and (few := _rises_in_few(eval_loss, train_loss, outlook, settings, limits)):
        return few
    enough(eval_loss, min_evals, "evaluations")
    values = eval_loss.values
    found = signals.rise_from_minimum(values)
    fall = _fall_after(train_loss, float(eval_loss.steps[found.onset]))
    plain = found.deviations >= limits.noise_share * signals.noise_multiple(values.size)
    if (
        not (plain or _is_far(found, fall, values, limits))
        or not _is_material(found, eval_loss, train_loss, limits)
        or (fall is not None and fall < limits.train_fall)
        or (outlook is not None and outlook.shares(Label.HEALTHY) and _is_level(found, eval_loss, train_loss, limits))
    ):
        return _never_better(eval_loss, train_loss, limits)
    turn = min(signals.onset(values), found.onset)
    strength = min(1.0, 0.55 + 3.0 * found.relative) * (WITHOUT_TRAIN_LOSS if fall is None else 1.0)
    measured = {
        "onset": (turn + 1) / values.size,
        "rise": found.relative,
        "lowest": found.lowest,
        "end": found.end,
        "deviations": found.deviations,
        **({} if fall is None else {"train_fall": fall}),
    }
    first, last = float(eval_loss.steps[turn]), float(eval_loss.steps[-1])
    return Evidence(first, last, finite(measured), strength * (1.0 if plain else BY_FAR_SIGNS))


def _rises_in_few(
    eval_loss: Curve,
    train_loss: Curve | None,
    outlook: Outlook | None,
    settings: Settings | None,
    limits: EvalRiseLimits,
) -> Evidence | None:
    """The last of two or three evaluations lies far above the lowest, from which on the training loss fell."""
    if len(eval_loss) < 2 or train_loss is None or eval_loss.values.min() <= 0.0:
        return None
    at, last = int(np.argmin(eval_loss.values)), float(eval_loss.steps[-1])
    first, lowest, end = float(eval_loss.steps[at]), float(eval_loss.values[at]), float(eval_loss.values[-1])
    if settings is not None and settings.max_steps and last < limits.few_share * settings.max_steps:
        return None
    rise, fall = end / lowest - 1.0, _fall_after(train_loss.between(-np.inf, last), first)
    if fall is None or first < train_loss.steps[0] or rise < limits.few_rise or fall < limits.few_fall:
        return None
    of = signals.Rise(at, lowest, end, 0.0)
    if outlook is not None and outlook.shares(Label.HEALTHY) and _is_level(of, eval_loss, train_loss, limits):
        return None
    measured = {
        "onset": (at + 1) / len(eval_loss),
        "rise": rise,
        "lowest": lowest,
        "end": end,
        "train_fall": fall,
    }
    return Evidence(first, last, finite(measured), BY_FEW)


def _is_far(found: signals.Rise, fall: float | None, values: FloatArray, limits: EvalRiseLimits) -> bool:
    """Whether a rise within its noise is large, while training fell far and the evaluations tend upward."""
    if fall is None or fall < limits.far_fall:
        return False
    if found.relative < limits.far_rise or found.deviations < limits.far_sigma:
        return False
    direction, chance = signals.mann_kendall(signals.block_means(values[values.size // 4 :]))
    return direction > 0 and chance < limits.far_p


def _is_material(found: signals.Rise, eval_loss: Curve, train_loss: Curve | None, limits: EvalRiseLimits) -> bool:
    """Whether the rise is large enough to matter, whatever the noise."""
    climb, first = found.end - found.lowest, signals.head(eval_loss.values)
    seen = found.relative >= limits.clear_rise or climb >= limits.of_descent * (first - found.lowest)
    start = _start(eval_loss, train_loss)
    return found.relative >= limits.rise and climb >= limits.floor * abs(start) and seen


def _is_level(found: signals.Rise, eval_loss: Curve, train_loss: Curve | None, limits: EvalRiseLimits) -> bool:
    """Whether next to nothing came back of what was lost."""
    return found.end - found.lowest < limits.level * (_start(eval_loss, train_loss) - found.lowest)


def _start(eval_loss: Curve, train_loss: Curve | None) -> float:
    """The first held-out loss, or the first in training: most may be learned before the first evaluation."""
    first = signals.head(eval_loss.values)
    if train_loss is not None and len(train_loss) and train_loss.steps[0] <= eval_loss.steps[0]:
        return max(first, signals.head(train_loss.values))
    return first


def _never_better(eval_loss: Curve, train_loss: Curve | None, limits: EvalRiseLimits) -> Evidence | None:
    """Every evaluation since training began lies ``rise`` above the one before it, the end ``far_rise`` above."""
    if train_loss is None or not len(train_loss) or eval_loss.steps[0] >= train_loss.steps[0]:
        return None
    before, since = float(eval_loss.values[0]), eval_loss.values[1:]
    fall, end = _fall_after(train_loss, float(eval_loss.steps[0])), signals.tail(since)
    if since.min() < before + limits.rise * abs(before) or end < before + limits.far_rise * abs(before):
        return None
    if fall is None or fall < limits.far_fall or not before:
        return None
    rise = (end - before) / abs(before)
    measured = {"onset": 1.0 / eval_loss.values.size, "rise": rise, "lowest": before, "end": end, "train_fall": fall}
    return throughout(eval_loss, measured, 0.8)


def _fall_after(train_loss: Curve | None, step: float) -> float | None:
    """How much of its level the training loss lost after a step; None when too few losses are logged."""
    if train_loss is None or len(train_loss) < MIN_LOSSES_FOR_LEVELS:
        return None
    nearest = int(np.argmin(np.abs(train_loss.steps - step)))
    level = signals.median(train_loss.values[max(0, nearest - 1) : nearest + 2])
    end = signals.tail(train_loss.values)
    return (level - end) / abs(level) if level else 0.0
