"""Gradient norms that grow, spike or are clipped."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import FloatArray
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, noise


def norms(count: int, times: float, seed: int = 0) -> FloatArray:
    values = 0.6 * noise(0.2, 300, seed)
    values[np.linspace(60, 280, count).astype(int)] *= times
    return values


@pytest.mark.parametrize(("count", "times", "fires"), [(0, 1, False), (2, 12, False), (3, 12, True), (6, 3, False)])
def test_three_tall_spikes_of_the_gradient_norm_are_noted(count: int, times: float, fires: bool):
    found = evaluate("gradients-spike", grad_norm=norms(count, times), train_loss=1.2 * noise(0.02, 300))
    assert (found is not None) is fires
    if found:
        assert found.measured["events"] == count
        assert found.measured["highest"] > 4 * found.measured["median"]


def test_spikes_that_the_loss_shares_are_left_to_the_loss():
    loss = 1.2 * noise(0.02, 300)
    for start in np.linspace(60, 280, 5).astype(int):
        loss[start : start + 2] *= 2.0
    assert not fired("gradients-spike", grad_norm=norms(5, 12), train_loss=loss)
    assert fired("gradients-spike", grad_norm=norms(5, 12))


def test_spikes_of_the_gradient_norm_in_the_warm_up_do_not_count():
    values = 0.6 * noise(0.2, 300)
    values[[10, 25, 40]] *= 12.0
    rate = curve(np.minimum(np.arange(300) / 60, 1.0))
    assert not fired("gradients-spike", grad_norm=values, learning_rate=rate)
    assert fired("gradients-spike", grad_norm=values)


@pytest.mark.parametrize("seed", range(5))
def test_gradient_norms_with_a_heavy_tail_are_no_spikes(seed: int):
    heavy = np.exp(0.5 * np.random.default_rng(seed).standard_normal(400))
    assert not fired("gradients-spike", grad_norm=heavy)


@pytest.mark.parametrize(("times", "fires"), [(2.0, False), (8.0, True)])
def test_growing_gradients_count_from_threefold_on(times: float, fires: bool):
    norm = np.concatenate([np.ones(50), np.geomspace(1, times, 50)]) * noise(0.05, 100)
    assert fired("gradients-grow", train_loss=np.full(100, 1.3), grad_norm=norm) is fires


def test_gradients_may_grow_while_the_loss_falls():
    norm = np.concatenate([np.ones(50), np.geomspace(1, 8, 50)])
    assert not fired("gradients-grow", train_loss=np.linspace(2, 1, 100), grad_norm=norm)


def test_a_flat_noisy_loss_is_flat_though_its_noise_ends_lower():
    norm = curve(np.where(np.arange(100) < 50, 0.5, 0.5 * np.exp((np.arange(100) - 50) / 20)))
    found = [fired("gradients-grow", train_loss=1.3 * noise(0.02, 100, seed), grad_norm=norm) for seed in range(20)]
    assert sum(found) >= 14
    falling = [
        evaluate("gradients-grow", train_loss=np.linspace(1.5, 1.3, 100) * noise(0.02, 100, s), grad_norm=norm)
        for s in range(20)
    ]
    assert not any(falling)


@pytest.mark.parametrize(("clipped", "fires"), [(50, False), (51, True)])
def test_clipping_counts_above_half_of_the_steps(clipped: int, fires: bool):
    norm = curve(np.where(np.arange(100) < clipped, 2.0, 0.5))
    assert fired("clips-most-steps", grad_norm=norm, settings=Settings(max_grad_norm=1.0)) is fires


def test_the_limit_of_qlora_is_meant_to_clip():
    norm = curve(np.full(50, 0.8))
    assert not fired("clips-most-steps", grad_norm=norm, settings=Settings(max_grad_norm=0.3, load_in_4bit=True))
    assert evaluate("clips-most-steps", grad_norm=norm, settings=Settings(max_grad_norm=0.3)).measured[
        "quantile"
    ] == pytest.approx(0.8)
    with cannot_evaluate("setting-unknown", settings="max_grad_norm"):
        evaluate("clips-most-steps", grad_norm=norm)
