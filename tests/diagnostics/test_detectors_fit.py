"""Detectors of overfit: the rise of the held-out loss against noise, and the steps at epoch ends."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise

FALLING = curve(np.linspace(1.5, 0.5, 100))


def turning(by: float, evals: int = 20, scale: float = 0.0) -> Curve:
    half = evals // 2
    values = np.concatenate([np.linspace(1.5, 1.3, half), np.linspace(1.3, 1.3 * (1 + by), evals - half)])
    return curve(values * noise(scale, evals, 2), np.linspace(5, 100, evals))


@pytest.mark.parametrize(("by", "fires"), [(0.0, False), (0.015, False), (0.03, True), (0.5, True)])
def test_a_rise_counts_from_two_percent_on(by: float, fires: bool):
    found = evaluate("eval-loss-rises", eval_loss=turning(by), train_loss=FALLING)
    assert (found is not None) is fires
    if found:
        assert found.first_step == pytest.approx(50, abs=6)
        assert found.measured["rise"] == pytest.approx(by, rel=0.3)


@pytest.mark.parametrize(("scale", "fires"), [(0.002, True), (0.05, False)])
def test_a_rise_must_stand_out_of_the_noise(scale: float, fires: bool):
    assert fired("eval-loss-rises", eval_loss=turning(0.06, scale=scale), train_loss=FALLING) is fires


def test_the_training_loss_must_go_on_falling():
    assert not fired("eval-loss-rises", eval_loss=turning(0.2), train_loss=np.linspace(1.0, 1.2, 100))
    assert not fired(
        "eval-loss-rises",
        eval_loss=turning(0.2),
        train_loss=np.concatenate([np.linspace(2, 1, 50), np.ones(50)]),
    )


def test_without_a_training_loss_the_rise_is_found_with_less_certainty():
    alone, both = (
        evaluate("eval-loss-rises", eval_loss=turning(0.2)),
        evaluate("eval-loss-rises", eval_loss=turning(0.2), train_loss=FALLING),
    )
    assert alone.strength < both.strength


def test_flat_noisy_evaluations_are_seldom_called_a_rise():
    found = [
        fired(
            "eval-loss-rises", eval_loss=curve(1.3 * noise(0.01, 15, seed), np.linspace(5, 100, 15)), train_loss=FALLING
        )
        for seed in range(200)
    ]
    assert np.mean(found) <= 0.05


def test_five_epochs_are_enough_for_a_clear_rise():
    train, held = curve([0.52, 0.35, 0.25, 0.19, 0.14]), curve([0.54, 0.50, 0.58, 0.77, 0.81])
    assert fired("eval-loss-rises", eval_loss=held, train_loss=train)


def test_three_evaluations_are_not():
    with cannot_evaluate("too-few-points", have=3, need=4, what="evaluations"):
        evaluate("eval-loss-rises", eval_loss=[1.0, 1.1, 1.2], train_loss=FALLING)


def stairs(drop: float, epochs: int = 3) -> dict[str, Curve]:
    epoch = np.linspace(0.01, epochs, 120)
    level = 1.4 - drop * np.floor(np.minimum(epoch, epochs - 0.001))
    return {"train_loss": curve(level * noise(0.02, 120)), "epoch": curve(epoch)}


@pytest.mark.parametrize(("drop", "fires"), [(0.3, True), (0.05, False), (0.0, False)])
def test_steps_at_every_epoch_end(drop: float, fires: bool):
    found = evaluate("loss-steps-down-at-epochs", **stairs(drop))
    assert (found is not None) is fires
    if found:
        assert found.measured["boundaries"] == 2


def test_steps_with_a_held_out_loss_are_only_reported():
    held = curve([1.3] * 6, np.linspace(20, 120, 6))
    assert not fired("loss-steps-down-at-epochs", **stairs(0.3), eval_loss=held)
    assert fired("repeats-memorized", **stairs(0.3), eval_loss=held)


def test_a_steady_fall_over_epochs_is_no_staircase():
    assert not fired(
        "loss-steps-down-at-epochs",
        train_loss=np.linspace(2, 1, 120) * noise(0.02, 120),
        epoch=stairs(0)["epoch"],
    )


def test_one_epoch_has_no_ends_to_look_at():
    with cannot_evaluate("no-epoch-end"):
        evaluate("loss-steps-down-at-epochs", **stairs(0.3, epochs=1))


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


def test_train_alone_is_not_asked_without_the_number_of_epochs():
    with cannot_evaluate("setting-unknown", settings="num_train_epochs"):
        evaluate("train-falls-alone", train_loss=healthy(), eval_loss=[1.6] * 10)


@pytest.mark.parametrize(("epochs", "rate", "fires"), [(6, 5e-5, True), (2, 5e-5, False), (6, 2e-4, False)])
def test_a_memorizing_machine_is_slow_and_long(epochs: float, rate: float, fires: bool):
    settings = Settings(num_train_epochs=epochs, learning_rate=rate)
    found = evaluate(
        "tiny-rate-many-epochs",
        train_loss=FALLING,
        eval_loss=turning(0.0),
        settings=settings,
        rate_prior=LearningRatePrior(center=2.5e-4),
    )
    assert (found is not None) is fires
