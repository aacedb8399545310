"""The gap between the losses: where it grows, and where it says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.detectors.gap import gap_of
from diagnostics.model.curves import Curve
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise


@pytest.mark.parametrize(("change", "fires"), [(0.0, True), (0.1, False), (-0.1, False)])
def test_train_alone_needs_a_flat_held_out_loss(change: float, fires: bool):
    held = curve(np.linspace(1.6, 1.6 * (1 + change), 10), np.linspace(10, 100, 10))
    found = evaluate(
        "train-falls-alone",
        train_loss=healthy() * noise(0.01, 100),
        eval_loss=held,
        settings=Settings(num_train_epochs=1.0),
    )
    assert (found is not None) is fires


def test_train_alone_is_not_evaluated_without_the_number_of_epochs():
    with cannot_evaluate("setting-unknown", settings="num_train_epochs"):
        evaluate("train-falls-alone", train_loss=healthy(), eval_loss=[1.6] * 10)


FALLING = curve(np.linspace(1.5, 0.5, 100))


def turning(by: float, evals: int = 20, scale: float = 0.0) -> Curve:
    half = evals // 2
    values = np.concatenate([np.linspace(1.5, 1.3, half), np.linspace(1.3, 1.3 * (1 + by), evals - half)])
    return curve(values * noise(scale, evals, 2), np.linspace(5, 100, evals))


@pytest.mark.parametrize(("epochs", "rate", "fires"), [(6, 5e-5, True), (2, 5e-5, False), (6, 2e-4, False)])
def test_a_low_rate_over_many_epochs_memorizes(epochs: float, rate: float, fires: bool):
    settings = Settings(num_train_epochs=epochs, learning_rate=rate)
    found = evaluate(
        "tiny-rate-many-epochs",
        train_loss=FALLING,
        eval_loss=turning(0.0),
        settings=settings,
        rate_prior=LearningRatePrior(center=2.5e-4),
    )
    assert (found is not None) is fires


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


def test_within_one_epoch_a_gap_is_not_evaluated():
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
