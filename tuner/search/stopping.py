"""Whether another trial is worth its cost: the gain to expect from it, against what counts as noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.formatting import number
from diagnostics.model.curves import FloatArray
from tuner.search.advisor import next_move
from tuner.search.distributions import Distributions, nearest_in_space, position, tried_before
from tuner.search.noise import noise_between
from tuner.search.proposal import incumbent
from tuner.search.rate.moves import settled
from tuner.search.replicates import pooled
from tuner.search.surrogate import Surrogate, fitted
from tuner.search.trial_view import TrialView

CONFIRMED = 3
"""So many times in a row, a trial apart, nothing must be in sight: one look may be an accident."""
LEAST = 8
"""Fewer trials say too little about any space."""
AHEAD = 2
"""What is left is asked of so many trials together: one alone seldom brings more than noise late in a study. What is
expected of each adds up to more than they bring, for they overlap: with 4, half of the replayed studies never ended."""
LEVELS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""The noise may be so many times what one run shows: seeds differ more than the evaluations of a run."""
UNLIKELY = 0.01
"""A model of less weight than this says nothing."""
CANDIDATES = 512


@dataclass(frozen=True)
class StopDecision:
    """The gain that the next few trials are expected to bring, and the difference that counts as noise."""

    expected: float
    noise: float

    def why(self, metric: str) -> str:
        """The finding in words, and how to go on all the same."""
        return (
            f"no gain beyond noise is in sight: {AHEAD} more trials are expected to better {metric} by "
            f"{number(float(f'{self.expected:.1g}'))}, and differences below {number(float(f'{self.noise:.1g}'))} are "
            "noise (--no-stop-early goes on all the same)"
        )


def should_stop(trials: Sequence[TrialView], space: Distributions) -> StopDecision | None:
    """What is left to gain once that is less than the noise; None while a trial is worth its cost.

    ``trials`` are as they were told: the seeds of one setting are pooled here. The question is asked of the finished
    ones as they were after each of the last few: the learning rate is settled, every knob was moved, no verdict asks
    for a change that was not tried, and the expected improvement of a Gaussian process (Jones 1998; stopping by it:
    Nguyen 2017) is below the noise everywhere. How noisy the trials are is read from how they scatter: models of
    several noises count by how well they explain the trials.
    """
    ended = sorted((trial for trial in trials if not trial.running), key=lambda trial: trial.number)
    if sum(not trial.seed for trial in ended) - CONFIRMED + 1 < max(LEAST, 2 * len(space) + 2):
        return None
    looks = [_left(ended[: len(ended) - back], space) for back in range(CONFIRMED)]
    return looks[0] if all(look is not None for look in looks) else None


def _left(trials: Sequence[TrialView], space: Distributions) -> StopDecision | None:
    """What is left to gain after these trials, None when that is more than noise or something is still to be tried."""
    trials = pooled(trials)
    best = incumbent(trials)
    if best is None or best.loss is None or not settled(trials, space) or not _all_moved(trials, space):
        return None
    move = next_move(trials, space)
    if move is not None and move.proposer.follows_rule:
        return None
    found = outlook(trials, best, space)
    return found if found.expected < found.noise else None


def _all_moved(trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether each knob was tried at two values at least: what never moved may matter, whatever a model thinks."""
    usable = [trial for trial in trials if trial.usable]
    return all(span.single() or len({trial.settings.get(knob) for trial in usable}) > 1 for knob, span in space.items())


def outlook(trials: Sequence[TrialView], best: TrialView, space: Distributions) -> StopDecision:
    """The most that the next trials are expected to gain anywhere in the space, and the noise of the trials."""
    known = [trial for trial in trials if (trial.usable or trial.diverged) and not trial.seed]
    models = _weighed(known, best, space)
    noise = float(sum(weight * model.noise * 2 for weight, model in models))
    others = _candidates(trials, best, space)
    if not others:
        return StopDecision(0.0, noise)
    places = np.array([_place(one, space) for one in others])
    return StopDecision(AHEAD * sum(weight * _improvement(model, places) for weight, model in models), noise)


def _weighed(trials: Sequence[TrialView], best: TrialView, space: Distributions) -> list[tuple[float, Surrogate]]:
    """Models of the trials with their weights, which add up to 1: how well each explains the losses at its noise."""
    points = np.array([_place(trial.settings, space) for trial in trials])
    found: list[tuple[float, Surrogate]] = []
    for level in LEVELS:
        noise = level * noise_between(best)
        losses, bend = _tamed(trials, best, noise)
        found += [(model.score + bend, model) for model in fitted(points, losses, noise / 2)]
    highest = max(score for score, _ in found)
    likely = [(math.exp(score - highest), model) for score, model in found if math.exp(score - highest) > UNLIKELY]
    total = sum(weight for weight, _ in likely)
    return [(weight / total, model) for weight, model in likely]


def _improvement(model: Surrogate, places: FloatArray) -> float:
    """The highest expected improvement over the lowest mean of the points that were tried."""
    mean, deviation = model.at(places)
    better = model.at(model.points)[0].min() - mean
    z = better / deviation
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    below = 0.5 * (1 + np.array([math.erf(value / math.sqrt(2)) for value in z]))
    return float((better * below + deviation * density).max())


def _tamed(trials: Sequence[TrialView], best: TrialView, noise: float) -> tuple[FloatArray, float]:
    """Losses above the best, in its unit nearby and in logarithms further off; a trial that diverged is as bad as any.

    So that how bad the bad ones are does not decide what is expected of the good ones. The number beside them makes
    likelihoods comparable between scales: the logarithm of how much the bend shrinks a loss, summed.
    """
    least = best.loss or 0.0
    above = np.array([max(0.0, t.loss - least) if t.usable and t.loss is not None else np.nan for t in trials])
    above = np.where(np.isnan(above), np.nanmax(above), above)
    scale = max(4 * noise, 1e-12)
    return np.asarray(scale * np.log1p(above / scale)), -float(np.log1p(above / scale).sum())


def _place(settings: Any, space: Distributions) -> list[float]:
    """A trial as a point: each knob from 0 to 1, a knob without order as one axis for each of its values."""
    place: list[float] = []
    for knob, span in space.items():
        at = position(settings.get(knob), span)
        choices = getattr(span, "choices", ())
        place += [at] if at is not None else [0.5 * (settings.get(knob) == one) for one in choices] or [0.5]
    return place


def _candidates(trials: Sequence[TrialView], best: TrialView, space: Distributions) -> list[dict[str, Any]]:
    """Settings that were not tried: everywhere, and close to the best; always the same for the same trials."""
    rng = np.random.default_rng(len(trials))
    tried = [trial.settings for trial in trials]
    made = []
    for index in range(CANDIDATES):
        reach = (None, 0.1, 0.25)[index % 3]
        one = {knob: _drawn(rng, span, best.settings.get(knob), reach) for knob, span in space.items()}
        if not tried_before(one, tried, space):
            made.append(one)
    return made


def _drawn(rng: np.random.Generator, span: Any, around: Any, reach: float | None) -> Any:
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
