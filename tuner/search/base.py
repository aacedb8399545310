"""The base sampler of a study: the default one, and settings that no trial had before."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from tuner.search.distributions import tried_before, untried

MAX_DRAWS = 50
"""Attempts to draw settings that no trial had before."""
STARTUP_TRIALS = 4
"""The Gaussian process proposes once this many trials are known."""


def default_base(seed: int) -> BaseSampler:
    """A Gaussian process where torch is installed, else a tree of Parzen estimators."""
    if importlib.util.find_spec("torch") is None:
        return TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True)
    return GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False)


def draw_untried(
    base: BaseSampler,
    study: Study,
    trial: FrozenTrial,
    space: Mapping[str, BaseDistribution],
    known: Sequence[Mapping[str, Any]],
    seed: int,
) -> dict[str, Any]:
    """Settings of the base sampler that are not among the ``known`` ones, if a few attempts find some."""
    # A sampler without relative sampling (random, grid) infers nothing; the others get the space as it is here.
    modeled = base.infer_relative_search_space(study, trial)
    relative = base.sample_relative(study, trial, {name: span for name, span in space.items() if name in modeled})
    fallback = RandomSampler(seed=seed)
    for draw in range(MAX_DRAWS):
        kept, source = (relative, base) if draw == 0 else ({}, fallback)
        drawn = {
            name: kept[name] if name in kept else source.sample_independent(study, trial, name, span)
            for name, span in space.items()
        }
        if not tried_before(drawn, known, space):
            return drawn
    return next(untried(known, space), drawn)
