"""Whether another trial is worth its cost: the gain expected from it against what counts as noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.message import Message, message
from tuner.search.advisor import next_move
from tuner.search.distributions import Distributions, nearest_in_space, position, tried_before
from tuner.search.noise import noise_between
from tuner.search.proposal import incumbent
from tuner.search.rate.moves import settled
from tuner.search.replicates import pooled
from tuner.search.surrogate import Surrogate, fitted
from tuner.search.trial_view import TrialView

CHECKS_IN_A_ROW = 3
"""No gain must be in sight after each of this many latest trials: a single check may be an accident."""
MIN_TRIALS = 8
"""Fewer trials say too little about any space."""
TRIALS_AHEAD = 2
"""The expected gain is that of this many trials together: one alone seldom brings more than noise late in a study. The
sum overstates it, for the trials overlap: with 4, half of the replayed studies never ended."""
NOISE_FACTORS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""The noise may be this many times what one run shows: seeds differ more than the evaluations of a run."""
MIN_MODEL_WEIGHT = 0.01
"""Models of less weight are left out."""
CANDIDATE_COUNT = 512


@dataclass(frozen=True)
class StopDecision:
    """The gain that the next few trials are expected to bring, and the difference that counts as noise."""

    expected: float
    noise: float

    def why(self, metric: str) -> Message:
        """The finding as a message that names the metric."""
        return message("no-gain-in-sight", trials=TRIALS_AHEAD, metric=metric, expected=self.expected, noise=self.noise)


def should_stop(trials: Sequence[TrialView], space: Distributions) -> StopDecision | None:
    """What is left to gain once that is less than the noise; None while a trial is worth its cost.

    ``trials`` have their own losses: the seeds of one setting are pooled here. The search may stop when, after each of
    the last few finished trials, the learning rate is settled, every setting was changed, no verdict advises an untried
    change, and the expected improvement of a Gaussian process (Jones 1998; stopping by it: Nguyen 2017) is below the
    noise everywhere. The noise is estimated from the scatter of the trials: models with several noise levels are
    weighted by how well they explain them.
    """
    ended = sorted((trial for trial in trials if not trial.running), key=lambda trial: trial.number)
    if sum(not trial.seed for trial in ended) - CHECKS_IN_A_ROW + 1 < max(MIN_TRIALS, 2 * len(space) + 2):
        return None
    checks = [_remaining(ended[: len(ended) - back], space) for back in range(CHECKS_IN_A_ROW)]
    return checks[0] if all(check is not None for check in checks) else None


def _remaining(trials: Sequence[TrialView], space: Distributions) -> StopDecision | None:
    """What is left to gain after these trials; None when that is more than noise or something is still untried."""
    trials = pooled(trials)
    best = incumbent(trials)
    if best is None or best.loss is None or not settled(trials, space) or not _all_changed(trials, space):
        return None
    move = next_move(trials, space)
    if move is not None and move.proposer.follows_rule:
        return None
    decision = outlook(trials, best, space)
    return decision if decision.expected < decision.noise else None


def _all_changed(trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether each setting was tried at two values at least: one that never changed may matter."""
    usable = [trial for trial in trials if trial.usable]
    return all(span.single() or len({trial.settings.get(knob) for trial in usable}) > 1 for knob, span in space.items())


def outlook(trials: Sequence[TrialView], best: TrialView, space: Distributions) -> StopDecision:
    """The largest gain that is expected of the next trials anywhere in the space, and the noise of the trials."""
    known = [trial for trial in trials if (trial.usable or trial.diverged) and not trial.seed]
    models = _weighted_models(known, best, space)
    noise = float(sum(weight * model.noise * 2 for weight, model in models))
    others = _candidates(trials, best, space)
    if not others:
        return StopDecision(0.0, noise)
    points = np.array([_point(one, space) for one in others])
    return StopDecision(TRIALS_AHEAD * sum(weight * _improvement(model, points) for weight, model in models), noise)


def _weighted_models(
    trials: Sequence[TrialView], best: TrialView, space: Distributions
) -> list[tuple[float, Surrogate]]:
    """Models of the trials with weights that add up to 1, by how well each explains the losses at its noise."""
    points = np.array([_point(trial.settings, space) for trial in trials])
    found: list[tuple[float, Surrogate]] = []
    for factor in NOISE_FACTORS:
        noise = factor * noise_between(best)
        losses, log_jacobian = _compressed(trials, best, noise)
        found += [(model.score + log_jacobian, model) for model in fitted(points, losses, noise / 2)]
    highest = max(score for score, _ in found)
    likely = [
        (math.exp(score - highest), model) for score, model in found if math.exp(score - highest) > MIN_MODEL_WEIGHT
    ]
    total = sum(weight for weight, _ in likely)
    return [(weight / total, model) for weight, model in likely]


def _improvement(model: Surrogate, points: FloatArray) -> float:
    """The highest expected improvement at the points over the lowest mean at the points that were tried."""
    mean, deviation = model.at(points)
    better = model.at(model.points)[0].min() - mean
    z = better / deviation
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    below = 0.5 * (1 + np.array([math.erf(value / math.sqrt(2)) for value in z]))
    return float((better * below + deviation * density).max())


def _compressed(trials: Sequence[TrialView], best: TrialView, noise: float) -> tuple[FloatArray, float]:
    """Losses above the best: linear nearby, logarithmic further off; a trial that diverged counts as the worst.

    This way the bad losses do not decide what is expected of the good ones. The second value is the logarithm of the
    transform's derivative, summed over the trials: it makes likelihoods comparable between noise levels.
    """
    lowest = best.loss or 0.0
    above = np.array([max(0.0, t.loss - lowest) if t.usable and t.loss is not None else np.nan for t in trials])
    above = np.where(np.isnan(above), np.nanmax(above), above)
    scale = max(4 * noise, 1e-12)
    return np.asarray(scale * np.log1p(above / scale)), -float(np.log1p(above / scale).sum())


def _point(settings: Any, space: Distributions) -> list[float]:
    """Settings as a point: each one from 0 to 1, a choice without order as one axis for each of its values."""
    point: list[float] = []
    for knob, span in space.items():
        at = position(settings.get(knob), span)
        choices = getattr(span, "choices", ())
        point += [at] if at is not None else [0.5 * (settings.get(knob) == one) for one in choices] or [0.5]
    return point


def _candidates(trials: Sequence[TrialView], best: TrialView, space: Distributions) -> list[dict[str, Any]]:
    """Untried settings: everywhere and close to the best; always the same for the same trials."""
    rng = np.random.default_rng(len(trials))
    tried = [trial.settings for trial in trials]
    found = []
    for index in range(CANDIDATE_COUNT):
        reach = (None, 0.1, 0.25)[index % 3]
        one = {knob: _draw(rng, span, best.settings.get(knob), reach) for knob, span in space.items()}
        if not tried_before(one, tried, space):
            found.append(one)
    return found


def _draw(rng: np.random.Generator, span: Any, around: Any, reach: float | None) -> Any:
    """A value of the span: anywhere, or within ``reach`` (a share of the span) of ``around``."""
    choices = getattr(span, "choices", None)
    if choices is not None:
        stays = reach is not None and around in choices and rng.random() > 2 * reach
        return around if stays else choices[int(rng.integers(len(choices)))]
    middle = position(around, span)
    share = rng.random() if reach is None or middle is None else middle + reach * rng.standard_normal()
    share = min(max(float(share), 0.0), 1.0)
    if span.log:
        return nearest_in_space(math.exp(math.log(span.low) + share * (math.log(span.high) - math.log(span.low))), span)
    return nearest_in_space(span.low + share * (span.high - span.low), span)
