"""The strategies that are compared: Optuna's samplers and pruners as they come, and ours."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler

from tuner.search.pruner import DiagnosisPruner
from tuner.search.sampler import DiagnosisSampler

Space = Mapping[str, BaseDistribution]


@dataclass(frozen=True)
class Strategy:
    """A sampler and a pruner, made anew for each study; ``reads_curves`` where the objective records verdicts."""

    name: str
    sampler: Callable[[int, Space], BaseSampler]
    pruner: Callable[[], BasePruner] = NopPruner
    reads_curves: bool = False


def _cma(seed: int, space: Space) -> BaseSampler:
    return CmaEsSampler(seed=seed, warn_independent_sampling=False)


def _gp(seed: int, space: Space) -> BaseSampler:
    return GPSampler(seed=seed, warn_independent_sampling=False)


def _qmc(seed: int, space: Space) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False, warn_asynchronous_seeding=False)


STRATEGIES = (
    Strategy("random", lambda seed, space: RandomSampler(seed=seed)),
    Strategy("TPE", lambda seed, space: TPESampler(seed=seed)),
    Strategy("TPE + Hyperband", lambda seed, space: TPESampler(seed=seed), HyperbandPruner),
    Strategy("TPE + median", lambda seed, space: TPESampler(seed=seed), MedianPruner),
    Strategy("GP", _gp),
    Strategy("CMA-ES", _cma),
    Strategy("QMC", _qmc),
    Strategy(
        "diagnosis",
        lambda seed, space: DiagnosisSampler(seed=seed, space=space, reseed=True),
        DiagnosisPruner,
        reads_curves=True,
    ),
)
OURS = "diagnosis"
