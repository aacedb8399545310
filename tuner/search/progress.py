"""The curves of a study's trials on one scale: heights at shares of the schedule, lower is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from diagnostics.model.curves import FloatArray
from tuner.search.attributes import DIVERGED, NOISE, SHARE, STOPPED, excess_of
from tuner.search.scale import TINY, Scale
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


def scale_of(trials: Sequence[FrozenTrial], sign: float) -> Scale:
    """The scale of a study's metric: logarithmic where every value is one to minimize and above 0."""
    values = [value for trial in trials for _, value in _points(trial)]
    return Scale(True) if sign > 0 and min(values) > 0 else Scale.over(values, least=TINY)


def _progress(trial: FrozenTrial, scale: Scale, sign: float) -> Progress:
    """The course of a trial with at least one finite evaluation; its last one lies at the recorded share."""
    points = _points(trial)
    whole = (trial.last_step or 0) / float(trial.user_attrs.get(SHARE) or 1.0)
    heights = [scale.height(sign * value) for _, value in points]
    return Progress.of([step / max(whole, TINY) for step, _ in points], heights)


def _noise(trial: FrozenTrial, scale: Scale) -> float:
    """The deviation between evaluations of a trial, as a height."""
    return scale.noise(float(trial.user_attrs.get(NOISE) or 0.0), _points(trial)[-1][1])


def _points(trial: FrozenTrial) -> list[tuple[int, float]]:
    return [(step, value) for step, value in sorted(trial.intermediate_values.items()) if np.isfinite(value)]


@dataclass(frozen=True)
class Rivals:
    """A run under way among the others: ``others`` that were evaluated, ``whole`` ones that ended, the best first.

    ``leader`` is the number of the best, ``sign`` -1 where more is better, ``noise`` the deviation between evaluations,
    as a height.
    """

    run: Progress
    others: tuple[Progress, ...]
    whole: tuple[Progress, ...]
    leader: int
    scale: Scale
    sign: float
    noise: float

    def value(self, height: float) -> float:
        """The metric at a height."""
        return self.sign * float(self.scale.loss(np.asarray(height)))

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
    sign = sign_of(study)
    scale = scale_of([trial, *known], sign)
    ended = sorted(
        ((one, _progress(one, scale, sign)) for one in known if _is_whole(one)), key=lambda pair: pair[1].end
    )
    return Rivals(
        run=_progress(trial, scale, sign),
        others=tuple(_progress(one, scale, sign) for one in known),
        whole=tuple(course for _, course in ended),
        leader=ended[0][0].number,
        scale=scale,
        sign=sign,
        noise=max(_noise(trial, scale), _noise(ended[0][0], scale)),
    )


def _is_known(trial: FrozenTrial) -> bool:
    """Whether a trial has evaluations to compare with."""
    return bool(_points(trial)) and not trial.user_attrs.get(DIVERGED) and trial.state is not TrialState.FAIL


def _is_whole(trial: FrozenTrial) -> bool:
    """Whether a trial ran to its end."""
    return trial.state is TrialState.COMPLETE and STOPPED not in trial.user_attrs
