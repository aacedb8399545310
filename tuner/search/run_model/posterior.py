"""The posterior of a study: what its trials say of every setting."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.search.distributions import Distributions
from tuner.search.run_model import form
from tuner.search.run_model.evidence import MIN_PROGRESS, MIN_TRIALS, Evidence, evidence, level_of, scale_of
from tuner.search.run_model.features import COORDINATES, FORM_KNOBS, LENGTH_KNOBS, Frame, Points, takes_fixed_steps
from tuner.search.run_model.particles import COUNT, BoolArray, Likelihood, Prior, updated
from tuner.search.run_model.priors import RATE_DEVIATION, Normal, failed_after, prior
from tuner.search.run_model.residual import MISFITS, Residual, noise_levels
from tuner.search.scale import Scale
from tuner.search.trial_view import TrialView

Stage = tuple[FloatArray, Likelihood]
"""Particles, and the likelihood that they were drawn with."""
MAX_STAGES = 64
"""Posteriors that are kept, so that the next one starts from the last."""
_FIRST_SEED = ContextVar("first seed", default=0)
"""Where the seeds of the particles begin."""
WRONG_START = "start-loss-wrong"
_STAGES: dict[int, Stage] = {}
"""Shared by all models of a process: who chooses, who stops and who names the winner ask for the same posteriors."""


@contextmanager
def drawn_from(first_seed: int) -> Iterator[None]:
    """Inside, the particles of every model are drawn from other seeds: what does a figure owe to one draw of them?"""
    token = _FIRST_SEED.set(first_seed)
    try:
        yield
    finally:
        _FIRST_SEED.reset(token)


@dataclass(frozen=True)
class Posterior:
    """Particles of the form's parameters, with the residual of the trials about each."""

    frame: Frame
    scale: Scale
    parameters: FloatArray
    residual: Residual

    @property
    def seen(self) -> Evidence:
        """The trials as arrays."""
        return self.residual.seen

    @cached_property
    def noise(self) -> float:
        """The deviation between seeds of the best settings, as a height."""
        return float(self.noises.mean())

    @cached_property
    def noises(self) -> FloatArray:
        """The same for each particle."""
        return np.asarray(np.exp(self.residual.levels[self._levels // len(MISFITS)]))

    @cached_property
    def lowest(self) -> FloatArray:
        """The lowest height of the settings that were tried to their end, for each particle."""
        return np.asarray(self.heights(self.seen.points.of(self.seen.tried))[0].min(axis=1))

    def heights(self, settings: Points | Sequence[Mapping[str, Any]]) -> tuple[FloatArray, FloatArray]:
        """The height at settings (columns) for each particle, and the variance that the residual leaves."""
        points = settings if isinstance(settings, Points) else self.frame.points(settings)
        means = form.mean(self.parameters, points)
        typical, level = means.mean(axis=0), self.seen.level.mean
        lowest = min([float(typical.min()), *self.seen.heights[self.seen.tried]])
        progress = np.clip((level - typical) / max(level - lowest, 1e-9), MIN_PROGRESS, 1.0)
        variances, like = np.empty_like(means), self.residual.likeness(points)
        for number in np.unique(self._levels):
            rows = self._levels == number
            if rows.any():
                missed, variances[rows] = self.residual.at(self._gaps[rows], like, progress, number)
                means[rows] += missed
        return means, variances

    def lines(self, settings: Sequence[Mapping[str, Any]]) -> form.Lines:
        """The descent, the edge and the best rate, in decades, at settings (columns) for each particle."""
        return form.lines(self.parameters, self.frame.points(settings).z)

    @cached_property
    def _levels(self) -> np.ndarray:
        return self.residual.level_of(self.parameters[:, form.SIGMA], self.parameters[:, form.MISFIT])

    @cached_property
    def _gaps(self) -> FloatArray:
        return np.asarray(self.seen.heights - form.mean(self.parameters, self.seen.points))


class RunModel:
    """The model of a study's runs: a pure function of its trials. What is kept between calls is a cache.

    ``rate`` is what is known of the best rate beforehand, in decades; else trial 0's rate is the guess.
    """

    def __init__(self, space: Distributions, rate: Normal | None = None) -> None:
        self._space = dict(sorted(space.items()))
        self._rate = rate

    @staticmethod
    def serves(space: Distributions) -> bool:
        """Whether any setting of the space has a place in the form."""
        return any(knob in FORM_KNOBS for knob, span in space.items() if not span.single())

    def posterior(self, trials: Sequence[TrialView]) -> Posterior | None:
        """What the finished trials say, in the order of their numbers; that of the prior while none has ended.

        None without any trial: then nothing says where to begin.
        """
        ordered = sorted(trials, key=lambda trial: trial.number)
        known = [trial for trial in ordered if not trial.running and (trial.usable or trial.diverged)]
        if not ordered:
            return None
        frame = Frame(ordered[0].settings, self._space, takes_fixed_steps(known))
        parameters, likelihood = self._stage(known, frame, next((t.method for t in known if t.method), None))
        return Posterior(frame, likelihood.scale, parameters, likelihood.residual)

    def _stage(self, trials: Sequence[TrialView], frame: Frame, method: str | None) -> Stage:
        """The particles after these trials; the nearest earlier ones that are kept are where it starts."""
        about = (_FIRST_SEED.get(), *self._space.items(), self._rate, frame.fixed_steps, method, *frame.origin.items())
        keys = list(itertools.accumulate(map(_identity, trials), lambda *pair: hash(pair), initial=hash(about)))
        first = next((count for count in range(len(keys) - 1, -1, -1) if keys[count] in _STAGES), -1)
        found = _STAGES.get(keys[first]) if first >= 0 else None
        for count in range(first + 1, len(keys)):
            found = self._conditioned(trials[:count], frame, method, found)
            _STAGES[keys[count]] = found
        while len(_STAGES) > MAX_STAGES:
            _STAGES.pop(next(iter(_STAGES)), None)
        assert found is not None
        return found

    def _conditioned(self, trials: Sequence[TrialView], frame: Frame, method: str | None, last: Stage | None) -> Stage:
        """The particles after these trials, from those after all but the last one."""
        scale = scale_of(trials)
        level = level_of(trials, scale)
        known = self._prior(frame, method, level, scale, _starts_wrong(trials))
        levels = noise_levels(known.means[form.SIGMA], known.deviations[form.SIGMA])
        seen = evidence(trials, frame, scale, level, float(np.exp(known.means[form.DEPTH])))
        failed = failed_after(method) if len(trials) <= MIN_TRIALS else math.inf
        likelihood = Likelihood(seen, Residual(seen, levels, failed), scale)
        rng = np.random.default_rng(_FIRST_SEED.get() + len(trials))
        if not trials:
            return known.draw(rng, COUNT), likelihood
        if last is None or len(trials) == 1 or last[1].scale != scale or _starts_wrong(trials[-1:]):
            return updated(known.draw(rng, COUNT), None, likelihood, known, rng), likelihood
        return updated(*last, likelihood, known, rng), likelihood

    def _prior(self, frame: Frame, method: str | None, level: Normal, scale: Scale, wrong_start: bool) -> Prior:
        rate = self._rate or Normal(float(frame.points([frame.origin]).x[0]), RATE_DEVIATION)
        means, deviations = prior(method, level, rate, is_loss=scale.is_log, wrong_start=wrong_start)
        return Prior(means, deviations, _active(self._space) & (deviations > 1e-5))


def _starts_wrong(trials: Sequence[TrialView]) -> bool:
    """Whether a rule says that these runs begin worse than a guess."""
    return any(found.rule == WRONG_START for trial in trials for found in trial.findings)


def _identity(trial: TrialView) -> object:
    """What of a trial the posterior depends on."""
    known = (trial.number, trial.loss, trial.diverged, trial.stopped_at, trial.seed, trial.start, trial.noise)
    said = (
        trial.label,
        _starts_wrong([trial]),
        trial.rate,
        tuple((one.knob, one.factor, one.new) for one in trial.advice),
    )
    return (*known, tuple(trial.settings.items()), *said)


def _active(space: Distributions) -> BoolArray:
    """Which parameters matter: those of the form, and the shifts of coordinates that vary in this space."""
    longer = any(knob in space for knob in LENGTH_KNOBS)
    varies = {"updates": longer or "batch_size" in space, "samples": longer or "batch_size" in space}
    moving = [varies.get(name, name in space) for name in COORDINATES]
    return np.array([True] * form.FIRST_SHIFT + moving * 3)
