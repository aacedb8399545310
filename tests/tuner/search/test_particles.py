"""The particles of the posterior: they follow a density that is known, and hardly depend on their draw."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from diagnostics.model.curves import FloatArray
from tests.tuner.search.form_runs import SPACE, trial
from tuner.search.run_model.particles import COUNT, Likelihood, Prior, updated
from tuner.search.run_model.posterior import RunModel, drawn_from

PARAMETERS, IDLE = 16, 3
"""As many as a study with some settings has, and one that does not matter in it."""


def _prior() -> Prior:
    active = np.arange(PARAMETERS) != IDLE
    return Prior(np.zeros(PARAMETERS), np.linspace(0.05, 2.0, PARAMETERS), active)


def _measured(weights: FloatArray, value: float, noise: float) -> Likelihood:
    """What a measurement of a weighted sum of the parameters says of them."""
    return cast(Likelihood, lambda rows: -0.5 * ((rows @ weights - value) / noise) ** 2)


def test_particles_have_the_mean_and_the_spread_of_a_posterior_that_is_known():
    known, weights = _prior(), np.where(np.arange(PARAMETERS) == IDLE, 0.0, 1.0)
    covariance = np.diag(known.deviations**2)
    gain = covariance @ weights / (weights @ covariance @ weights + 0.1**2)
    means = gain * 4.0
    spread = np.sqrt(np.diag(covariance - np.outer(gain, weights @ covariance)))
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        found.append(updated(known.draw(rng, COUNT), None, _measured(weights, 4.0, 0.1), known, rng))
    rows = np.concatenate(found)[:, known.active]
    assert rows.mean(axis=0) == pytest.approx(means[known.active], abs=0.08 * float(spread.max()))
    assert rows.std(axis=0) == pytest.approx(spread[known.active], rel=0.1)
    assert rows.sum(axis=1).std() == pytest.approx(0.1, rel=0.15)


def test_particles_that_a_trial_does_not_concern_keep_what_the_last_ones_said():
    """From one posterior to the next, the first measurement counts in full."""
    known, first, second = _prior(), np.zeros(PARAMETERS), np.zeros(PARAMETERS)
    first[-1], second[0] = 1.0, 1.0
    before, after = _measured(first, 3.0, 0.1), _measured(second, 0.1, 0.01)
    both = cast(Likelihood, lambda rows: before(rows) + after(rows))
    rng = np.random.default_rng(0)
    middle = updated(known.draw(rng, COUNT), None, before, known, rng)
    found = updated(middle, before, both, known, rng)
    assert found[:, -1].mean() == pytest.approx(3.0, abs=0.03) and found[:, -1].std() == pytest.approx(0.1, rel=0.15)
    assert found[:, 0].std() == pytest.approx(0.01, rel=0.15)


def test_an_estimate_from_other_draws_is_as_sure_as_one_from_hundreds_of_independent_particles():
    """After each of the first trials; copies of a few particles that hardly move would differ from draw to draw."""
    trials = [trial(n, rate) for n, rate in enumerate((1e-5, 1e-4, 1e-3, 3e-3, 3e-4))]
    settings, independent = [trials[0].settings], []
    for count in range(1, len(trials) + 1):
        best = []
        for draw in range(8):
            with drawn_from(1000 * (draw + 1)):
                model = RunModel(SPACE).posterior(trials[:count])
            assert model is not None
            best.append(model.lines(settings).best[:, 0])
        drawn = np.array(best)
        independent.append(drawn.var(axis=1).mean() / drawn.mean(axis=1).var(ddof=1))
    assert np.median(independent) > 250
