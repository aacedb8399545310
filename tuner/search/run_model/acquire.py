"""The settings worth training next: new ones by expected improvement, a repeat by the knowledge gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.methods import method_record
from tuner.search.distributions import Distributions, not_tried
from tuner.search.forecast import ranks_late
from tuner.search.replicates import MAX_RUNS_PER_SETTING, by_settings
from tuner.search.run_model.candidates import LADDERS, candidates, neighbors
from tuner.search.run_model.evidence import MIN_TRIALS
from tuner.search.run_model.posterior import Posterior
from tuner.search.trial_view import TrialView

UTILITY = 0.1
"""A gain counts as a share of what a particle holds for possible, and of 10 % where that is less: no guess of a
hundredfold loss outweighs the others."""
LITTLE = 0.1
"""Where the model expects less than this share of the noise of every setting, it may as well be wrong: then, after the
first trials, the next one lies beside the best one, before anything is left to it alone."""
STOPPED_HEIGHT = 0.1
STOPPED_SAVES, STOPPED_SAVES_LATE = 0.5, 0.2
"""What stopping saves of a run whose settings end 10 % above the best: half of it. Where runs cannot be ranked early it
is a fifth: none is stopped before half-way, and half of them never (``benchmarks.search.stopped``)."""


@dataclass(frozen=True)
class Choice:
    """What to train next, and the gain expected of it as a height.

    ``repeats`` is a trial to run on another seed, ``beside`` the number of the best one that it lies beside.
    """

    settings: Mapping[str, Any]
    gain: float
    repeats: TrialView | None = None
    beside: int | None = None


def best_choice(
    model: Posterior, trials: Sequence[TrialView], space: Distributions, *, may_repeat: bool
) -> Choice | None:
    """The trial that is expected to gain most per cost; None when there is nothing left to try.

    Trials that are running count as what each particle expects of them: the next one must gain beyond that.
    """
    pending = [trial.settings for trial in trials if trial.running]
    floor = _floor(model, pending)
    new = _new_settings(model, trials, space, floor)
    again = _repeat(model, trials, floor) if may_repeat and (new is None or len(trials) >= MIN_TRIALS) else None
    if new is None or again is None:
        return new or again
    return new if _gain_of_choice(model, trials, new) >= again.gain else again


def _new_settings(
    model: Posterior, trials: Sequence[TrialView], space: Distributions, floor: FloatArray
) -> Choice | None:
    """The untried settings of the most expected improvement (Jones 1998) over the best tried ones of each particle."""
    tried = [trial.settings for trial in trials]
    leading, saves = _leading(trials), _saved_by_stopping(trials)
    around = [model.frame.origin, *(trial.settings for trial in leading)]
    for step in LADDERS:
        new = not_tried(candidates(around, space, step, len(trials)), tried, space)
        if new:
            chosen = _most_improving(model, new, floor, saves)
            little = len(trials) > MIN_TRIALS and chosen.gain <= LITTLE * model.noise
            beside = not_tried(neighbors(leading[0].settings, space), tried, space) if little and leading else []
            return replace(_most_improving(model, beside, floor, saves), beside=leading[0].number) if beside else chosen
    return None


def _leading(trials: Sequence[TrialView], count: int = 2) -> list[TrialView]:
    """The best whole runs."""
    whole = [t for t in trials if t.usable and t.stopped_at is None and t.loss is not None]
    return sorted(whole, key=lambda t: t.loss or 0.0)[:count]


def _saved_by_stopping(trials: Sequence[TrialView]) -> float:
    """The share of a run that is saved where its settings are no good."""
    method = method_record(next((trial.method for trial in trials if trial.method), None))
    return STOPPED_SAVES_LATE if ranks_late(method) else STOPPED_SAVES


def _most_improving(model: Posterior, new: Sequence[Mapping[str, Any]], floor: FloatArray, saves: float) -> Choice:
    means, variances = model.heights(new)
    each = expected_improvement(floor[:, None] - means, np.sqrt(variances))
    likely_stopped = (means > floor[:, None] + STOPPED_HEIGHT).mean(axis=0)
    useful = (each / (each.max(axis=1, keepdims=True) + UTILITY)).mean(axis=0)
    at = int(np.argmax(useful / (1 - saves * likely_stopped)))
    return Choice(new[at], float(each[:, at].mean()))


def expected_improvement(drop: FloatArray, deviation: FloatArray) -> FloatArray:
    """The expectation of the positive part of a normal distribution."""
    from scipy.special import ndtr

    z = drop / deviation
    return np.asarray(drop * ndtr(z) + deviation * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi))


def _floor(model: Posterior, pending: Sequence[Mapping[str, Any]]) -> FloatArray:
    """The lowest height of what was tried or is running, for each particle; the start where nothing was."""
    known = [model.heights(model.seen.points.of(model.seen.tried))[0]] if model.seen.tried.any() else []
    known += [model.heights(pending)[0]] if pending else []
    if not known:
        return np.full(len(model.parameters), model.seen.level.mean)
    return np.asarray(np.concatenate(known, axis=1).min(axis=1))


def _repeat(model: Posterior, trials: Sequence[TrialView], floor: FloatArray) -> Choice | None:
    """The tried settings whose run on another seed would most better the choice of the best (Frazier 2009).

    Settings that were only stopped are run again, once and to the end: half a run says little of its end.
    """
    groups = [runs for runs in by_settings(trials) if not any(t.running or t.diverged for t in runs)]
    if len(groups) < 2:
        return None
    beliefs = _Beliefs.of(model, [runs[0].settings for runs in groups])
    whole = np.array([any(trial.stopped_at is None for trial in runs) for runs in groups])
    gains = np.array([beliefs.gain(one, np.flatnonzero(whole)) if ended else 0.0 for one, ended in enumerate(whole)])
    gains[~whole] = np.maximum(floor[:, None] - beliefs.means[:, ~whole], 0).mean(axis=0)
    full = [len(runs) >= (MAX_RUNS_PER_SETTING if ended else 2) for runs, ended in zip(groups, whole, strict=True)]
    gains[full] = 0.0
    at = int(np.argmax(gains))
    return Choice(groups[at][0].settings, float(gains[at]), groups[at][0]) if gains[at] > 0 else None


def _gain_of_choice(model: Posterior, trials: Sequence[TrialView], new: Choice) -> float:
    """What one run of new settings is expected to better the choice of the best: in the same coin as a repeat."""
    whole = [trial.settings for trial in trials if trial.usable and trial.stopped_at is None]
    return _Beliefs.of(model, [new.settings, *whole]).gain(0, np.arange(1, len(whole) + 1)) if whole else new.gain


@dataclass(frozen=True)
class _Beliefs:
    """What the model holds of some settings (columns): a height for each particle, and what the residual leaves."""

    means: FloatArray
    variances: FloatArray
    noise: float

    @classmethod
    def of(cls, model: Posterior, settings: Sequence[Mapping[str, Any]]) -> _Beliefs:
        return cls(*model.heights(settings), model.noise)

    @cached_property
    def _middle(self) -> FloatArray:
        return np.asarray(self.means.mean(axis=0))

    @cached_property
    def _spread(self) -> FloatArray:
        return np.asarray(self.means - self._middle)

    def gain(self, one: int, among: np.ndarray) -> float:
        """What one more run of ``one`` is expected to gain: by showing that it, or another one, is the best.

        What all settings have in common (the level, the depth) does not change their order, so it does not count.
        """
        middle, spread = self._middle, self._spread
        others = [number for number in among if number != one]
        if not others:
            return 0.0
        rival = min(others, key=lambda number: middle[number])
        own = float((spread[:, one] ** 2).mean() + self.variances[:, one].mean())
        common = float((spread[:, one] * spread[:, rival]).mean())
        learned = np.array([max(own - common, 1e-9) / math.sqrt(own + self.noise**2)])
        lead = middle[[rival]] - middle[one]
        # What leads is chosen already: a repeat of it gains only by showing that it does not.
        return float(expected_improvement(-np.abs(lead) if one in among else lead, learned)[0])
