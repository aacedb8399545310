"""The gap between the losses: where it grows, and where it says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.detectors.gap import gap_of
from diagnostics.model.curves import Curve, FloatArray
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, noise

STEPS = np.arange(1, 121)
EPOCH = curve(3.0 * STEPS / 120)
EVALS = np.arange(10, 121, 10)


def losses(grown: float, scale: float = 0.005, fall: float = 0.0, seed: int = 0) -> dict[str, Curve]:
    """Three epochs: the held-out loss falls by ``fall``; since the first epoch the training loss falls further."""
    share = STEPS / 120
    level = 1.2 - fall * share
    train = level - grown * np.clip(share - 1 / 3, 0, None) * 1.5
    return {
        "train_loss": curve(train * noise(scale, 120, seed)),
        "eval_loss": curve(np.interp(EVALS, STEPS, level), EVALS),
    }


@pytest.mark.parametrize(("grown", "fires"), [(0.0, False), (0.05, False), (0.1, True), (0.4, True)])
def test_a_growing_gap_counts_from_five_percent_of_the_loss_on(grown: float, fires: bool):
    assert fired("gap-grows", **losses(grown), epoch=EPOCH) is fires


def test_its_evidence_begins_after_the_first_epoch():
    found = evaluate("gap-grows", **losses(0.4), epoch=EPOCH)
    assert found.first_step > 40
    assert found.measured["after"] > found.measured["before"] + 0.2


def test_losses_that_fall_together_have_no_gap():
    together = losses(0.0, fall=0.8)
    assert np.abs(gap_of(**together).values).max() < 0.02
    assert not fired("gap-grows", **together, epoch=EPOCH)


def test_the_noise_of_single_batches_is_no_growth():
    found = [evaluate("gap-grows", **losses(0.0, scale=0.1, seed=seed), epoch=EPOCH) for seed in range(40)]
    assert sum(one is not None for one in found) <= 1


def test_within_one_epoch_it_is_not_asked():
    with cannot_evaluate("no-epoch-end"):
        evaluate("gap-grows", **losses(0.4), epoch=STEPS / 121)


def test_losses_of_two_kinds_have_a_gap_that_says_nothing():
    train, held = losses(0.4).values()
    early = Curve.from_points([1.0, *held.steps], [1.5, *held.values])
    with cannot_evaluate("gap-from-start"):
        evaluate("gap-grows", train_loss=train, eval_loss=early, epoch=EPOCH)


def test_two_evaluations_after_the_first_epoch_are_too_few():
    train = losses(0.4)["train_loss"]
    held = curve([1.2, 1.2, 1.2, 1.2, 1.2], [10, 20, 30, 80, 120])
    with cannot_evaluate("too-few-points", need=4):
        evaluate("gap-grows", train_loss=train, eval_loss=held, epoch=EPOCH)


def test_a_gap_needs_training_losses_between_the_evaluations():
    gaps = gap_of(curve([1.0, 1.0, 1.0], [10, 20, 60]), curve([2.0, 2.0, 4.0, 4.0], [15, 25, 40, 70]))
    np.testing.assert_array_equal(gaps.steps, [25, 70])
    np.testing.assert_allclose(gaps.values, [1.0, 3.0])


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


def test_spikes_that_the_loss_shares_are_told_by_the_loss():
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
