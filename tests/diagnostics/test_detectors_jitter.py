"""Losses that jitter: together, ever more, at the start, or the held-out loss alone."""

from __future__ import annotations

import numpy as np
import pytest

from tests.diagnostics.cases import curve, evaluate, fired, healthy, noise


@pytest.mark.parametrize(("last", "fires"), [(0.03, False), (0.3, True)])
def test_jitter_that_grows_without_progress(last: float, fires: bool):
    scale = np.linspace(0.02, last, 200)
    values = 0.69 * np.exp(scale * np.random.default_rng(1).standard_normal(200))
    assert fired("jitter-grows", train_loss=values) is fires


def test_jitter_that_grows_while_the_loss_falls_is_no_fault():
    scale = np.linspace(0.02, 0.3, 200)
    values = np.linspace(0.69, 0.4, 200) * np.exp(scale * np.random.default_rng(1).standard_normal(200))
    assert not fired("jitter-grows", train_loss=values)


@pytest.mark.parametrize(("scale", "fires"), [(0.3, True), (0.02, False)])
def test_jitter_in_the_first_tenth_only(scale: float, fires: bool):
    values = healthy() * noise(0.01, 100)
    values[:10] *= noise(scale, 10, 3)
    assert fired("warmup-too-short", train_loss=values) is fires


def test_a_batch_of_unusual_rows_in_the_first_tenth_is_not_the_warm_ups():
    values = healthy() * noise(0.01, 100)
    values[1] *= 1.6
    assert not fired("warmup-too-short", train_loss=values)
    values[2:4] *= 1.6
    assert fired("warmup-too-short", train_loss=values)


def test_jitter_all_along_is_not_the_warm_ups():
    assert not fired("warmup-too-short", train_loss=1.5 * noise(0.2, 100))


@pytest.mark.parametrize(("train", "held", "fires"), [(0.1, 0.1, True), (0.1, 0.01, False), (0.02, 0.1, False)])
def test_joint_jitter_needs_both(train: float, held: float, fires: bool):
    found = evaluate("train-and-eval-jitter", train_loss=1.3 * noise(train, 100), eval_loss=1.3 * noise(held, 20, 1))
    assert (found is not None) is fires


def test_joint_jitter_small_against_the_descent_is_no_fault_under_a_constant_rate():
    train, held = np.geomspace(4, 0.2, 100) * noise(0.1, 100), np.geomspace(4, 0.2, 20) * noise(0.1, 20, 1)
    assert not fired("train-and-eval-jitter", train_loss=train, eval_loss=held)


@pytest.mark.parametrize(("lowest", "fires"), [(0.3, True), (0.05, False)])
def test_the_last_noise_of_a_loss_near_zero_is_no_swing_though_it_goes_with_the_rate(lowest: float, fires: bool):
    rate = np.linspace(1.0, 0.02, 100)
    fall = np.geomspace(1.6, lowest, 100)
    train, held = (
        fall * np.exp(rate * np.log(noise(0.25, 100))),
        (fall * np.exp(rate * np.log(noise(0.25, 100, 1))))[::5],
    )
    assert fired("train-and-eval-jitter", train_loss=train, eval_loss=held, learning_rate=rate) is fires


@pytest.mark.parametrize(("held", "fires"), [(0.05, True), (0.005, False)])
def test_a_held_out_loss_that_jitters_more(held: float, fires: bool):
    evals = curve(1.3 * noise(held, 20, 1), np.arange(5, 101, 5))
    assert fired("eval-jitters-more", train_loss=healthy() * noise(0.005, 100), eval_loss=evals) is fires
