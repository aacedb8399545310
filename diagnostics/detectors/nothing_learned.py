"""Runs that end no better than they began: than the untrained model, or than a guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_END,
    MIN_EVALS_FOR_NOISE,
    MIN_EVALS_TO_COMPARE,
    MIN_LOSSES_FOR_LEVELS,
    MIN_LOSSES_FOR_TREND,
    enough,
    share_of_run,
    throughout,
)
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings

MEMORIZED = 0.1
"""Training losses this far below the held-out loss show rows that are memorized, whatever that loss is."""
EARLY = 0.3
"""The first share of a run."""
CLASSES = (*range(2, 13), 20, 50, 100, 200, 1000)
"""How many classes people tell apart. Between larger counts a loss is near some logarithm by chance."""


@dataclass(frozen=True)
class Level:
    """A mean level of a curve and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class WorseLimits(Arguments):
    """From where on a loss is worse than it was before training."""

    rise: float
    """It ends or climbs by this share of its start above the start..."""
    sigma: float
    """... and by so many standard errors."""
    train_fall: float
    """Training losses that lost this share of their start learn something, if only the rows by heart."""
    thrown: float
    """Where they do, the held-out loss must have climbed by this share of its start, and come half the way back."""
    thrown_early: float
    """A training loss must have climbed by this share of its first value early in the run, in two logs at least."""
    first_eval_by: float
    """The share of the run by which the first evaluation must come, to stand for the untrained model."""


def level_of(values: FloatArray, noise: float) -> Level:
    """The mean of some values of a curve that has this noise."""
    return Level(float(values.mean()), noise / float(np.sqrt(values.size)))


@signals.memoize
def _scatter(values: FloatArray) -> float:
    """The noise of a loss with the tail that losses of single rows have, which a robust scale leaves out of a mean."""
    return float(np.std(np.diff(values)) / np.sqrt(2.0)) if values.size > 2 else 0.0


@signals.memoize
def _ends(curve: Curve) -> tuple[Level, Level]:
    """The levels of the first twentieth and of the last quarter of a curve."""
    values, noise = curve.values, _scatter(curve.values)
    return level_of(values[: max(1, values.size // 20)], noise), level_of(values[-max(1, values.size // 4) :], noise)


def _falls(train_loss: Curve, share: float, sigma: float) -> bool:
    """Whether the training loss lost this share of its start, beyond its noise."""
    start, end = _ends(train_loss)
    return start.value - end.value > share * abs(start.value) + sigma * float(np.hypot(start.error, end.error))


def worse_than_untrained(
    train_loss: Curve, eval_loss: Curve | None = None, *, min_points: int, worse: WorseLimits
) -> Evidence | None:
    """The loss ends above its start, or climbed further above it than it came down in the end.

    Judged on the held-out loss where that was evaluated early and often enough. A training loss that falls meanwhile
    shows rows that are memorized, which is another fault.
    """
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    thrown = _thrown_early(train_loss, eval_loss, worse)
    if thrown is not None:
        return thrown
    held = eval_loss if eval_loss is not None and len(eval_loss) >= MIN_EVALS_FOR_END else None
    if held is not None and share_of_run(train_loss, float(held.steps[0])) <= worse.first_eval_by:
        if _falls(train_loss, worse.train_fall, 1.0):
            return _thrown(train_loss, held, worse)
        return _held_out_is_worse(held, worse)
    enough(train_loss, min_points, "training losses without an evaluation near the start")
    start, end = _ends(train_loss)
    error = float(np.hypot(start.error, end.error))
    if end.value - start.value <= worse.rise * abs(start.value) + worse.sigma * error:
        return None
    highest = float(signals.block_means(train_loss.values).max())
    return throughout(train_loss, _levels(start.value, max(highest, end.value), end.value), 0.8)


def _thrown_early(train_loss: Curve, eval_loss: Curve | None, limits: WorseLimits) -> Evidence | None:
    """A training loss that climbed early, for more than one log, further above its first than it came down below it.

    The first log may be one lucky batch: a held-out loss as early as that tells where the model stood.
    """
    values = train_loss.values
    start, end = float(values[0]), _ends(train_loss)[1].value
    if eval_loss is not None and len(eval_loss) and eval_loss.steps[0] <= train_loss.steps[0]:
        start = max(start, float(eval_loss.values[0]))
    early = values[1 : max(4, round(EARLY * values.size))]
    late = values[values.size // 2 :]
    level = max(start, signals.median(late))  # the first of noisy losses may be a lucky one
    climbs = float(np.minimum(early[1:], early[:-1]).max()) - level if early.size > 1 else 0.0
    higher = signals.median(early) / max(signals.median(late), 1e-9)
    noise = _scatter(late) * max(1.0, higher)  # losses scatter by a share of themselves
    if start <= 0.0 or climbs <= limits.thrown_early * start + limits.sigma * noise or climbs <= start - end:
        return None
    return throughout(train_loss, _levels(start, float(early.max()), end))


def _held_out_is_worse(eval_loss: Curve, limits: WorseLimits) -> Evidence | None:
    """What the evaluations show: an end above the first one, or a climb that is larger than the gain."""
    values = eval_loss.values
    noise = signals.difference_noise(values) if values.size >= MIN_EVALS_FOR_NOISE else 0.0
    start, end, highest = float(values[0]), signals.tail(values), float(values[1:].max())
    least = max(limits.rise * abs(start), limits.sigma * noise)
    lasts = float(np.minimum(values[2:], values[1:-1]).max()) if noise else highest
    climbs = max(lasts, (highest + start) / 2.0) - start > least  # a single evaluation must stand out twice as far
    if end - start <= least and not (climbs and highest - start > start - end):
        return None
    return throughout(eval_loss, _levels(start, highest, end))


def _thrown(train_loss: Curve, eval_loss: Curve, limits: WorseLimits) -> Evidence | None:
    """A held-out loss that climbed far above the first one, further than it came down in the end, and came back.

    The training loss stood above the first evaluation too, or rows were memorized and nothing was thrown. A loss that
    ends below 0 may start near 0, where a multiple of its start means nothing.
    """
    values = eval_loss.values
    start, end, highest = float(values[0]), signals.tail(values), float(values[1:].max())
    if start <= 0.0 or highest < (1.0 + limits.thrown) * start or highest - end < 0.5 * (highest - start):
        return None
    since = train_loss.values[train_loss.steps > eval_loss.steps[0]]
    first = max(start, float(train_loss.values[0]))  # most may be learned before the first evaluation
    if highest - start <= first - end or not since.size or signals.block_means(since).max() <= start:
        return None
    return throughout(eval_loss, _levels(start, highest, end))


def _levels(start: float, highest: float, end: float) -> dict[str, float]:
    return {"start": start, "highest": highest, "end": end, "rise": (highest - start) / abs(start) if start else np.inf}


def no_better_than_untrained(
    train_loss: Curve,
    eval_loss: Curve,
    *,
    gain: float,
    best_gain: float,
    train_fall: float,
    sigma: float,
    start_by: float,
    still_by: float,
) -> Evidence | None:
    """The held-out loss, evaluated before training, ends where it began, and the training loss does not fall.

    Evaluations that are all alike, in a log of few digits, need only begin by ``still_by`` of the run.
    """
    enough(train_loss, MIN_LOSSES_FOR_LEVELS, "training losses")
    enough(eval_loss, MIN_EVALS_TO_COMPARE, "evaluations")
    values = eval_loss.values
    before = eval_loss.steps[0] < train_loss.steps[0]
    by = still_by if values.size >= MIN_EVALS_FOR_END and np.all(values == values[0]) else start_by
    if not before and share_of_run(train_loss, float(eval_loss.steps[0])) > by:
        raise NotEnoughPoints("no-early-eval-between-losses")
    start, end, best = float(values[0]), signals.tail(values), float(values.min())
    if start <= 0.0 or start - end >= gain * start or start - best >= best_gain * start:
        return None
    if _falls(train_loss, train_fall, sigma):
        return None
    return throughout(eval_loss, {"start": start, "end": end, "gain": (start - end) / start})


def no_better_than_chance(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    *,
    near_vocabulary: float,
    off_chance: float,
    flat: float,
    moved: float,
    min_points: int,
) -> Evidence | None:
    """The loss ends at that of a guess: ln(vocabulary) where it is known, else level at the ln of a count of classes.

    The end must lie within ``near_vocabulary`` of it, or within ``off_chance`` where the second must be no coincidence.
    It must not have moved by ``flat`` in the second half of the run, but by ``moved`` before.
    """
    judge = eval_loss if eval_loss is not None and len(eval_loss) >= MIN_EVALS_FOR_END else train_loss
    enough(train_loss, MIN_LOSSES_FOR_TREND, "training losses")
    end = _ends(judge)[1]
    start = float(train_loss.values[0])
    if abs(start - end.value) <= moved * abs(start) + 3.0 * signals.difference_noise(train_loss.values):
        return None
    if _ends(train_loss)[1].value < (1.0 - MEMORIZED) * end.value:
        return None
    if settings.vocab_size is not None and settings.vocab_size > 1:
        chance = float(np.log(settings.vocab_size))
        found = _level_at(judge, chance, near_vocabulary, flat)
    else:
        enough(judge, MIN_EVALS_FOR_END if judge is eval_loss else min_points, "losses")
        chance = min((float(np.log(k)) for k in CLASSES), key=lambda c: abs(end.value - c))
        found = _level_at(judge, chance, off_chance, flat) and _may_be_at(train_loss, chance, off_chance)
    return (
        throughout(judge, {"end": end.value, "chance": chance}, 1.0 if settings.vocab_size else 0.8) if found else None
    )


def _level_at(curve: Curve, chance: float, off: float, flat: float) -> bool:
    """Whether a curve is level at a loss in its second half, as precisely as its noise lets one tell."""
    late = curve.values[curve.values.size // 2 :]
    first, last = late[: max(1, late.size // 2)].mean(), late[-max(1, late.size // 2) :].mean()
    error = signals.difference_noise(curve.values) / float(np.sqrt(late.size))
    room = off * chance - abs(float(late.mean()) - chance)
    return bool(error < room and abs(first - last) < flat * chance and signals.rounding(late) < room)


def _may_be_at(curve: Curve, chance: float, off: float) -> bool:
    """Whether the end of a noisy curve does not lie clearly off a loss."""
    end = _ends(curve)[1]
    return abs(end.value - chance) < off * chance + 3.0 * end.error
