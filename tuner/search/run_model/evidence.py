"""What the trials of a study say: heights with their noise, and verdicts on the side of the best rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.methods import method_record
from tuner.search.forecast import LEADERS, log_gain, noise_of
from tuner.search.progress import Progress
from tuner.search.run_model.features import Frame, Points
from tuner.search.run_model.priors import Normal
from tuner.search.run_model.verdicts import Verdicts
from tuner.search.scale import Scale
from tuner.search.trial_view import TrialView

MIN_TRIALS = 6
"""Fewer trials say too little about any space: the best settings are hardly among them, and only which of those tried
are the best is shown by a repeat. So these are all new, and what ended badly may have failed by luck."""
FAR_SHARE = 0.12
"""Far from the best only the order of magnitude must fit: this share of the way is noise."""
DIVERGED_NOISE, DIVERGED_SHARE = 0.05, 0.3
"""A run that diverged ends about where it began, to within this and this share of the descent."""
STOPPED_NOISE, STOPPED_NOISES, STOPPED_SHARE = 0.05, 5.0, 0.3
"""What a stopped run may still have gained, times the share of the schedule that was left: so much, so many times what
seeds differ by, and this share of its descent. A DPO run may stand at 0.96 of ln 2 half-way and end at 0.25."""
MIN_PROGRESS = 0.1
USUAL_SHARE = 0.3
"""Before a run has learned anything, progress is measured against this share of a usual descent."""
SEED_SHARE = 0.3
"""The share of a run's noise that all runs of one seed have in common."""
EXACT_START, TRAINED_START = 0.005, 0.03
"""How well the loss before training is known: from an evaluation, from the first training loss."""
GUESSED_START = {True: Normal(0.3, 0.5), False: Normal(0.05, 0.15)}
"""How far above the worst trial it lies where it was not measured: for a loss, and for any other metric."""


def scale_of(trials: Sequence[TrialView]) -> Scale:
    """The scale of a study's metric: logarithmic where every value lies above 0."""
    values = [trial.loss for trial in trials if trial.usable and trial.loss is not None]
    if all(value > 0 for value in values):
        return Scale(True)
    return Scale.over(values, least=1.0)


@dataclass(frozen=True)
class Evidence:
    """The finished trials as arrays. ``heights`` of stopped runs are extrapolated to their end.

    ``progress`` is each run's share of the descent, ``other`` the variance beside that between seeds, ``tried`` marks
    the runs whose end is known, and ``level`` is the height before training.
    """

    points: Points
    heights: FloatArray
    other: FloatArray
    progress: FloatArray
    seeds: FloatArray
    verdicts: Verdicts
    tried: np.ndarray
    level: Normal

    @cached_property
    def shared_noise(self) -> FloatArray:
        """The covariance between runs per squared noise of seeds: each run's own, and what runs of a seed share."""
        size = np.outer(self.progress, self.progress)
        same = self.seeds[:, None] == self.seeds[None, :]
        return np.asarray(size * (SEED_SHARE * same + (1 - SEED_SHARE) * np.eye(len(size))))


def evidence(trials: Sequence[TrialView], frame: Frame, scale: Scale, level: Normal, usual_depth: float) -> Evidence:
    """What these trials say; failed and running ones must have been left out."""
    whole = _leaders(trials, scale)
    ends = [_end(trial, scale, level.mean, whole) for trial in trials]
    heights = np.array([height for height, _ in ends], float)
    usable = np.array([trial.usable for trial in trials], bool)
    lowest = float(heights[usable].min()) if usable.any() else level.mean
    drop = max(level.mean - lowest, 0.0)
    progress = np.clip((level.mean - heights) / max(drop, USUAL_SHARE * usual_depth), MIN_PROGRESS, 1.0)
    far = FAR_SHARE * np.minimum(heights - lowest, np.maximum(level.mean - heights, 0.0))
    unsure = [_unsure(trial, drop, scale) + more for trial, (_, more) in zip(trials, ends, strict=True)]
    return Evidence(
        points=frame.points([trial.settings for trial in trials]),
        heights=heights,
        other=far**2 + np.array(unsure, float) ** 2,
        progress=progress,
        seeds=np.array([trial.seed for trial in trials], float),
        verdicts=Verdicts.of(trials),
        tried=np.array([trial.usable and trial.stopped_at is None for trial in trials], bool),
        level=level,
    )


def level_of(trials: Sequence[TrialView], scale: Scale) -> Normal:
    """The height before training: measured, known from the method, or guessed from the worst trial."""
    if scale.is_log:
        starts = [trial for trial in trials if trial.start is not None and trial.start > 0]
        exact = next((trial for trial in starts if trial.start_exact), None)
        known = exact or next(iter(starts), None)
        if known is not None:
            return Normal(scale.height(known.start or 1.0), EXACT_START if exact else TRAINED_START)
    worst = max((scale.height(t.loss) for t in trials if t.usable and t.loss is not None), default=0.0)
    above = GUESSED_START[scale.is_log]
    return Normal(worst + above.mean, above.deviation)


def _leaders(trials: Sequence[TrialView], scale: Scale) -> list[Progress]:
    """The courses of the best whole runs, the best first."""
    whole = [t for t in trials if t.usable and t.stopped_at is None and t.course]
    courses = (
        Progress.of([share for share, _ in t.course], [scale.height(loss) for _, loss in t.course]) for t in whole
    )
    return sorted(courses, key=lambda one: one.end)[:LEADERS]


def _end(trial: TrialView, scale: Scale, level: float, leaders: Sequence[Progress]) -> tuple[float, float]:
    """A trial's height at its end and how little that is known: a run that diverged ends where it began.

    A stopped run goes on as the best whole runs did from that share on, or as a decaying rate lets it.
    """
    if not trial.usable or trial.loss is None:
        return level, 0.0
    height, share = scale.height(trial.loss), trial.stopped_at
    if share is None:
        return height, 0.0
    if leaders:
        middle, spread = log_gain(leaders, share, noise_of(method_record(trial.method), is_loss=scale.is_log).spread)
        gain = math.exp(middle + spread**2 / 2)
        return height - gain, gain * math.sqrt(math.expm1(spread**2))
    end = level - (level - height) / _spent(share)
    usual = STOPPED_NOISES * method_record(trial.method).seed_sd
    return end, (1 - share) * (STOPPED_NOISE + usual + STOPPED_SHARE * abs(level - end))


def _spent(share: float) -> float:
    """How much of its learning a run with a decaying rate has done after a share of its steps."""
    return max(1 - (1 - share) ** 2, 0.05)


def _unsure(trial: TrialView, drop: float, scale: Scale) -> float:
    """The deviation of a height beside the noise of seeds and what a stopped run may still gain."""
    if not trial.usable or trial.loss is None:
        return DIVERGED_NOISE + DIVERGED_SHARE * drop
    return scale.noise(trial.noise, trial.loss)
