"""Runs that jitter: throughout, at the start, ever more, or in the held-out loss alone."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings


def loss_swings(
    train_loss: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    swing: float,
    undone: float,
    low_rate: float,
    calm: float,
    elastic: float,
    per_row: float,
    rows: float,
) -> Evidence | None:
    """The loss swings by a large share of itself throughout, and the swings are larger than what it has learned.

    ``swing``: scatter of the log loss; ``undone``: scatter over the whole log descent. Nothing is found below
    ``low_rate`` (over the family's center), or where the held-out loss, always of the same rows, neither rises nor
    scatters by ``calm`` of it: then the batches differ, and the weights do not swing. Without a held-out loss
    the swings must be larger than twice that, under a loss that does not come down, and they must not be those of
    small batches: the scatter of single rows is ``per_row`` of their loss, and a decaying rate leaves it as it is (an
    elasticity below ``elastic``). Short answers scatter more than that: of fewer than ``rows`` rows a log, only swings
    that shrink with the rate are found.
    """
    enough(train_loss, 12, "training losses")
    ratio = rate_prior.relative(settings.learning_rate)
    if ratio is not None and ratio < low_rate:
        return None
    logs = signals.log_level(train_loss.values)
    scatter = signals.robust_scale(signals.local_residual(train_loss.values))
    fall = max(0.0, signals.head(logs) - signals.tail(logs))
    if scatter < swing or scatter < undone * fall or _is_calm(eval_loss, calm * scatter):
        return None
    alone = eval_loss is None or len(eval_loss) < 4
    if alone and (scatter < 2.0 * undone * fall or _comes_down(logs) or scatter < per_row / np.sqrt(_rows(settings))):
        return None
    if alone and not _driven(train_loss, learning_rate, elastic, unless=_rows(settings) >= rows):
        return None
    flips, sure = signals.oscillation(train_loss.values)[1], 0.55 if alone else 0.8
    steps = train_loss.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"swing": scatter, "fall": fall, "flips": flips}), sure)


def _comes_down(logs: FloatArray) -> bool:
    """Whether a series falls beyond chance beneath its noise."""
    direction, chance = signals.mann_kendall(signals.block_means(logs))
    return direction < 0 and chance < 0.1


def _rows(settings: Settings) -> float:
    """The number of rows that a logged loss is the mean of; very many where the log does not say."""
    if settings.batch_size is None or settings.logging_steps is None:
        return np.inf
    return max(1.0, settings.batch_size * max(1.0, settings.logging_steps))


def _driven(train_loss: Curve, learning_rate: Curve | None, elastic: float, *, unless: bool) -> bool:
    """Whether the scatter shrinks with a rate that decays; ``unless`` where the rate does not decay or is not known."""
    if learning_rate is None or len(learning_rate) < 20:
        return unless
    found = signals.elasticity(train_loss.values, learning_rate.at(train_loss.steps))
    return unless if found is None else found >= elastic


def _is_calm(eval_loss: Curve | None, scatter: float) -> bool:
    """Whether the held-out loss neither rises nor scatters by ``scatter`` (of its log)."""
    if eval_loss is None or len(eval_loss) < 4:
        return False
    logs = signals.log_level(eval_loss.values)
    return bool(logs[-1] - logs[0] <= scatter) and signals.difference_noise(logs) < scatter


def jitter_grows(
    train_loss: Curve, *, factor: float, over_chance: float, least: float, points: int, fall: float
) -> Evidence | None:
    """The run jitters ``factor`` times as much as its first fifth, and the loss has not fallen.

    With few points the ratio must be ``over_chance`` times what chance exceeds in one case of twenty. In the end the
    jitter must be ``least`` of the level: a DPO loss starts at exactly ln 2, so that any jitter is growth.
    """
    enough(train_loss, points, "training losses")
    early, count = signals.jitter_ratio(train_loss.values, 0.2)
    ratio = 1.0 / early if early > 0 else float("inf")
    limit = max(factor, over_chance * signals.ratio_limit(count))
    quarters = signals.block_means(train_loss.values, 4)
    lost = 1.0 - float(quarters[-1] / quarters[0]) if quarters[0] else 0.0
    late = signals.jitter(train_loss.values[train_loss.values.size // 2 :])
    if ratio < limit or lost > fall or late < least:
        return None
    steps = train_loss.steps
    middle = float(steps[steps.size // 5])
    return Evidence(middle, float(steps[-1]), finite({"ratio": ratio, "limit": limit, "fall": lost}), 0.8)


def early_jitter(
    train_loss: Curve, settings: Settings, *, share: float, ratio: float, rise: float, points: int
) -> Evidence | None:
    """Only the first ``share`` of the run jitters: up and down, not just steeply down, and calm afterwards."""
    enough(train_loss, points, "training losses")
    values = train_loss.values
    found, count = signals.jitter_ratio(values, share)
    limit = max(ratio, signals.ratio_limit(count))
    cut = max(2, round(share * values.size))
    climbed = _largest_climb(values[:cut]) / max(abs(signals.head(values)), 1e-300)
    calm = _largest_climb(values[cut:]) / max(abs(signals.head(values)), 1e-300)
    if found < limit or climbed < rise or calm > 0.5 * climbed:
        return None
    steps = train_loss.steps
    measured = {"ratio": found, "limit": limit, "climb": climbed, "warmup": settings.warmup_ratio or 0.0}
    return Evidence(float(steps[0]), float(steps[cut - 1]), finite(measured), 0.8)


def _largest_climb(values: np.ndarray) -> float:
    """The largest rise of a series above its lowest value so far."""
    return float(np.max(values - np.minimum.accumulate(values))) if values.size else 0.0


def joint_jitter(
    train_loss: Curve,
    eval_loss: Curve,
    learning_rate: Curve | None = None,
    *,
    train_jitter: float,
    eval_jitter: float,
    elastic: float,
    undone: float,
    driven_undone: float,
) -> Evidence | None:
    """Training and held-out loss jitter together, and the learning rate drives it.

    ``train_jitter`` and ``eval_jitter`` are shares of the level. With a decaying rate the jitter must shrink with it
    (elasticity of at least ``elastic``); under a constant rate it must be ``undone`` of the whole log descent, and
    ``driven_undone`` of it in any case: the last noise of a loss that came down to almost nothing is no swing.
    """
    enough(train_loss, 20, "training losses")
    enough(eval_loss, 8, "evaluations")
    train, held = signals.jitter(train_loss.values), signals.jitter(eval_loss.values)
    if train < train_jitter or held < eval_jitter:
        return None
    driven = None
    if learning_rate is not None and len(learning_rate) >= 20:
        driven = signals.elasticity(train_loss.values, learning_rate.at(train_loss.steps))
    logs = signals.log_level(train_loss.values)
    fall = max(0.0, signals.head(logs) - signals.tail(logs))
    if driven is not None and driven < elastic:
        return None
    if min(train, held) < (undone if driven is None else driven_undone) * fall:
        return None
    steps = train_loss.steps
    measured = {"train_jitter": train, "eval_jitter": held} | ({} if driven is None else {"elasticity": driven})
    return Evidence(float(steps[0]), float(steps[-1]), finite(measured), 0.8 if driven is None else 1.0)
