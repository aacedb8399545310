"""Detectors of overfit: the rise of the held-out loss against noise, and the steps at epoch ends."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import ask, curve, healthy, noise

FALLING = curve(np.linspace(1.5, 0.5, 100))


def turning(by: float, evals: int = 20, scale: float = 0.0) -> Curve:
    half = evals // 2
    values = np.concatenate([np.linspace(1.5, 1.3, half), np.linspace(1.3, 1.3 * (1 + by), evals - half)])
    return curve(values * noise(scale, evals, 2), np.linspace(5, 100, evals))


@pytest.mark.parametrize(("by", "fires"), [(0.0, False), (0.015, False), (0.03, True), (0.5, True)])
def test_a_rise_counts_from_two_percent_on(by: float, fires: bool):
    found = ask("eval-loss-rises", turning(by), FALLING)
    assert (found is not None) is fires
    if found:
        assert found.first_step == pytest.approx(50, abs=6)
        assert found.measured["rise"] == pytest.approx(by, rel=0.3)


@pytest.mark.parametrize(("scale", "fires"), [(0.002, True), (0.05, False)])
def test_a_rise_must_stand_out_of_the_noise(scale: float, fires: bool):
    assert (ask("eval-loss-rises", turning(0.06, scale=scale), FALLING) is not None) is fires


def test_the_training_loss_must_go_on_falling():
    assert ask("eval-loss-rises", turning(0.2), curve(np.linspace(1.0, 1.2, 100))) is None
    assert ask("eval-loss-rises", turning(0.2), curve(np.concatenate([np.linspace(2, 1, 50), np.ones(50)]))) is None


def test_without_a_training_loss_the_rise_is_found_with_less_certainty():
    alone, both = ask("eval-loss-rises", turning(0.2)), ask("eval-loss-rises", turning(0.2), FALLING)
    assert alone.strength < both.strength


def test_flat_noisy_evaluations_are_seldom_called_a_rise():
    fired = [
        ask("eval-loss-rises", curve(1.3 * noise(0.01, 15, seed), np.linspace(5, 100, 15)), FALLING) is not None
        for seed in range(200)
    ]
    assert np.mean(fired) <= 0.05


def test_five_epochs_are_enough_for_a_clear_rise():
    train, held = curve([0.52, 0.35, 0.25, 0.19, 0.14]), curve([0.54, 0.50, 0.58, 0.77, 0.81])
    assert ask("eval-loss-rises", held, train) is not None


def test_three_evaluations_are_not():
    with pytest.raises(NotEnoughPoints, match="only 3 evaluations, 4 needed"):
        ask("eval-loss-rises", curve([1.0, 1.1, 1.2]), FALLING)


def stairs(drop: float, epochs: int = 3) -> tuple[Curve, Curve]:
    epoch = np.linspace(0.01, epochs, 120)
    level = 1.4 - drop * np.floor(np.minimum(epoch, epochs - 0.001))
    return curve(level * noise(0.02, 120)), curve(epoch)


@pytest.mark.parametrize(("drop", "fires"), [(0.3, True), (0.05, False), (0.0, False)])
def test_steps_at_every_epoch_end(drop: float, fires: bool):
    found = ask("loss-steps-down-at-epochs", *stairs(drop))
    assert (found is not None) is fires
    if found:
        assert found.measured["boundaries"] == 2


def test_steps_with_a_held_out_loss_are_only_reported():
    train, epoch = stairs(0.3)
    held = curve([1.3] * 6, np.linspace(20, 120, 6))
    assert ask("loss-steps-down-at-epochs", train, epoch, held) is None
    assert ask("repeats-memorized", train, epoch, held) is not None


def test_a_steady_fall_over_epochs_is_no_staircase():
    assert ask("loss-steps-down-at-epochs", curve(np.linspace(2, 1, 120) * noise(0.02, 120)), stairs(0)[1]) is None


def test_one_epoch_has_no_ends_to_look_at():
    with pytest.raises(NotEnoughPoints, match="no epoch ends"):
        ask("loss-steps-down-at-epochs", *stairs(0.3, epochs=1))


@pytest.mark.parametrize(("change", "fires"), [(0.0, True), (0.1, False), (-0.1, False)])
def test_train_alone_needs_a_flat_held_out_loss(change: float, fires: bool):
    held = curve(np.linspace(1.6, 1.6 * (1 + change), 10), np.linspace(10, 100, 10))
    found = ask("train-falls-alone", curve(healthy() * noise(0.01, 100)), held, Settings(num_train_epochs=1.0))
    assert (found is not None) is fires


def test_train_alone_is_not_asked_without_the_number_of_epochs():
    with pytest.raises(NotEnoughPoints, match="num_train_epochs"):
        ask("train-falls-alone", curve(healthy()), curve([1.6] * 10), Settings())


@pytest.mark.parametrize(("epochs", "rate", "fires"), [(6, 5e-5, True), (2, 5e-5, False), (6, 2e-4, False)])
def test_a_memorizing_machine_is_slow_and_long(epochs: float, rate: float, fires: bool):
    settings = Settings(num_train_epochs=epochs, learning_rate=rate)
    found = ask("tiny-rate-many-epochs", FALLING, turning(0.0), settings, LearningRatePrior(center=2.5e-4))
    assert (found is not None) is fires
