"""The synthetic runs: seeded, labeled, and healthy where they say so."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.records import Label
from diagnostics.synthetic import CAUSES, HEALTHY, make


@pytest.mark.parametrize("cause", CAUSES)
def test_the_same_seed_gives_the_same_run(cause: str):
    one, two, other = make(cause, seed=3), make(cause, seed=3), make(cause, seed=4)
    np.testing.assert_array_equal(one.curves["train_loss"].values, two.curves["train_loss"].values)
    np.testing.assert_array_equal(
        one.curves["train_loss"].steps, other.curves["train_loss"].steps[: len(one.curves["train_loss"])]
    )


@pytest.mark.parametrize("cause", HEALTHY)
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.1])
@pytest.mark.parametrize("logs", [20, 60, 300])
def test_healthy_runs_are_called_healthy(cause: str, noise: float, logs: int):
    labels = [diagnose(make(cause, noise=noise, seed=seed, logs=logs)).label for seed in range(4)]
    assert labels == [Label.HEALTHY] * 4


def test_strength_zero_of_an_added_fault_is_healthy():
    for cause in ("loss-diverges", "gradients-grow", "eval-loss-rises", "eval-jitters-more"):
        assert diagnose(make(cause, 0.0)).label is Label.HEALTHY, cause


def test_an_unknown_cause_names_the_nearest():
    with pytest.raises(ValueError, match="eval-loss-rises"):
        make("eval-loss-rise")
