"""The curves of a study's trials on one scale: heights at shares of the schedule, lower is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from diagnostics.model.curves import FloatArray
from tuner.search.attributes import DIVERGED, NOISE, SHARE, STOPPED, excess_of
from tuner.search.trial_view import forgetting_limit, sign_of


@dataclass(frozen=True)
class Progress:
    """A run's metric as a height (lower is better): the lowest so far, at rising shares of the schedule."""

    shares: FloatArray
    heights: FloatArray

    @classmethod
    def of(cls, shares: Sequence[float], heights: Sequence[float]) -> Progress:
        """The course through evaluations, the first ones first."""
        return cls(np.asarray(shares, float), np.minimum.accumulate(np.asarray(heights, float)))

    def at(self, share: float) -> float:
        """The height at a share of the schedule, between evaluations on a line."""
        return float(np.interp(share, self.shares, self.heights))

    @property
    def end(self) -> float:
        """The height at the last evaluation."""
        return float(self.heights[-1])

    def reached(self, share: float) -> bool:
        """Whether the run came so far."""
        return bool(self.shares[-1] >= share - 1e-6)

    def better_by(self, margin: float) -> Progress:
        """The same run, lower by a margin."""
        return replace(self, heights=self.heights - margin)


@dataclass(frozen=True)
class Scale:
    """The metric as a height: the logarithm of a loss, any other metric over its size."""

    sign: float
    is_log: bool
    unit: float = 1.0

    def heights(self, values: FloatArray) -> FloatArray:
        """The heights of values of the metric."""
        return np.asarray(np.log(values) if self.is_log else self.sign * values / self.unit)

    def value(self, height: float) -> float:
        """The metric at a height."""
        return float(np.exp(height)) if self.is_log else self.sign * height * self.unit

    def progress(self, trial: FrozenTrial) -> Progress:
        """The course of a trial with at least one finite evaluation; its last one lies at the recorded share."""
        steps, values = np.asarray(_points(trial), dtype=np.float64).T
        whole = (trial.last_step or 0) / float(trial.user_attrs.get(SHARE) or 1.0)
        return Progress(steps / max(whole, 1e-12), np.minimum.accumulate(self.heights(values)))

    def noise(self, trial: FrozenTrial) -> float:
        """The deviation between evaluations of a trial, as a height."""
        size = abs(_points(trial)[-1][1]) if self.is_log else self.unit
        return float(trial.user_attrs.get(NOISE) or 0.0) / max(size, 1e-12)


def scale_of(trials: Sequence[FrozenTrial], sign: float) -> Scale:
    """The scale of a study's metric: logarithmic where every value is one to minimize and above 0."""
    values = [value for trial in trials for _, value in _points(trial)]
    if sign > 0 and min(values) > 0:
        return Scale(sign, True)
    return Scale(sign, False, max(float(np.median(np.abs(values))), 1e-12))


def _points(trial: FrozenTrial) -> list[tuple[int, float]]:
    return [(step, value) for step, value in sorted(trial.intermediate_values.items()) if np.isfinite(value)]


@dataclass(frozen=True)
class Rivals:
    """A run under way among the others: ``others`` that were evaluated, ``whole`` ones that ended, the best first.

    ``leader`` is the number of the best, ``noise`` the deviation between evaluations, as a height.
    """

    run: Progress
    others: tuple[Progress, ...]
    whole: tuple[Progress, ...]
    leader: int
    scale: Scale
    noise: float

    def standing(self, share: float) -> int:
        """How many runs were better at that share of their schedule."""
        return sum(one.reached(share) and one.at(share) < self.run.at(share) for one in self.others)


def rivals_of(study: Study, trial: FrozenTrial) -> Rivals | None:
    """A trial under way among those of its study; None while nothing can be compared."""
    others = [one for one in study.get_trials(deepcopy=False) if _is_known(one) and one.number != trial.number]
    limit = forgetting_limit(study)
    known = [one for one in others if (excess_of(one.user_attrs, limit) or 0.0) <= 0.0]  # no other can be the best
    if not _points(trial) or not any(map(_is_whole, known)):
        return None
    scale = scale_of([trial, *known], sign_of(study))
    ended = sorted(((one, scale.progress(one)) for one in known if _is_whole(one)), key=lambda pair: pair[1].end)
    return Rivals(
        run=scale.progress(trial),
        others=tuple(map(scale.progress, known)),
        whole=tuple(course for _, course in ended),
        leader=ended[0][0].number,
        scale=scale,
        noise=max(scale.noise(trial), scale.noise(ended[0][0])),
    )


def _is_known(trial: FrozenTrial) -> bool:
    """Whether a trial has evaluations to compare with."""
    return bool(_points(trial)) and not trial.user_attrs.get(DIVERGED) and trial.state is not TrialState.FAIL


def _is_whole(trial: FrozenTrial) -> bool:
    """Whether a trial ran to its end."""
    return trial.state is TrialState.COMPLETE and STOPPED not in trial.user_attrs
