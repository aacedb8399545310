"""Optuna's own tests of a sampler, on ours: every kind of distribution, conditional spaces, threads, nan."""

from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest
from optuna.samplers import BaseSampler, TPESampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from tuner.search.sampler import DiagnosisSampler

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning", "ignore::UserWarning")

WHOLE_STUDIES = (
    "test_single_parameter_objective",
    "test_conditional_parameter_objective",
    "test_combination_of_different_distributions_objective",
    "test_dynamic_range_objective",
    "test_nan_objective_value",
    "test_trial_relative_params",
)
"""Those that run studies of many trials: seconds in place of milliseconds."""


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


class TestAsItComes(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: DiagnosisSampler(seed=0)


for _name in WHOLE_STUDIES:
    setattr(TestAsItComes, _name, pytest.mark.long(getattr(TestAsItComes, _name)))


@pytest.mark.long
class TestWithTheBaseOfAMachineWithoutTorch(
    BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase
):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: DiagnosisSampler(TPESampler(seed=0, n_startup_trials=4, multivariate=True), seed=0)


@pytest.mark.long
class TestThatMayRepeatSettings(RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: DiagnosisSampler(seed=0, reseed=True)
