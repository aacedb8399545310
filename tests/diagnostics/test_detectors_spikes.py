"""Jumps and spikes of the training loss."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, noise

SHARE = np.arange(1, 101) / 100


def test_a_loss_that_jumps_with_the_size_of_its_batches_does_not_jump():
    loss = curve(np.where(SHARE > 0.6, 1.9, 1.2) * noise(0.01, 100))
    even, packed = np.cumsum(np.full(100, 2000.0)), np.cumsum(np.where(SHARE > 0.6, 8000.0, 2000.0))
    assert fired("loss-jumps", train_loss=loss, num_tokens=even)
    assert not fired("loss-jumps", train_loss=loss, num_tokens=packed)
    elsewhere = np.cumsum(np.where(SHARE > 0.2, 8000.0, 2000.0))
    assert fired("loss-jumps", train_loss=loss, num_tokens=elsewhere)


@pytest.mark.parametrize(("by", "fires"), [(0.25, True), (0.1, False)])
def test_a_jump_that_stays(by: float, fires: bool):
    values = 1.2 * noise(0.01, 100)
    values[60:] *= 1 + by
    found = evaluate("loss-jumps", train_loss=values)
    assert (found is not None) is fires
    if found:
        assert found.first_step == pytest.approx(61, abs=4)


def test_a_jump_that_comes_back_is_none():
    values = 1.2 * noise(0.01, 100)
    values[60:70] *= 1.5
    assert not fired("loss-jumps", train_loss=values)


def spiky(count: int, height: float = 1.0) -> Curve:
    values = 1.2 * noise(0.01, 300)
    for start in np.linspace(60, 280, count).astype(int):
        values[start : start + 3] *= 1 + height * np.array([1.0, 0.6, 0.3])
    return curve(values)


@pytest.mark.parametrize(("count", "fires"), [(0, False), (1, False), (2, True), (6, True)])
def test_two_spikes_are_a_pattern_and_one_is_not(count: int, fires: bool):
    found = evaluate("loss-spikes", train_loss=spiky(count))
    assert (found is not None) is fires
    if found:
        assert found.measured["events"] == count
        assert (found.measured["recovered"], found.measured["returned"]) == (1.0, count)
        assert found.steps == pytest.approx(np.linspace(61, 281, count).astype(int), abs=1)


def test_low_spikes_do_not_count():
    assert not fired("loss-spikes", train_loss=spiky(5, 0.1))


def near_zero(height: float) -> Curve:
    """A loss that comes down from 6.4 to 0.01 and jumps twice from there."""
    values = 0.01 + 6.4 * np.exp(-np.maximum(SHARE - 0.05, 0.0) / 0.05)
    values[[60, 61, 80, 81]] += height
    return curve(values)


@pytest.mark.parametrize(("of_descent", "fires"), [(0.015, False), (0.025, True)])
def test_spikes_of_a_loss_near_zero_count_beside_its_descent(of_descent: float, fires: bool):
    assert fired("loss-spikes", train_loss=near_zero(of_descent * 6.4)) is fires


@pytest.mark.parametrize(("climb", "events"), [(1.1, 2), (1.3, 3)])
def test_the_edge_of_a_steep_fall_is_not_a_spike_unless_the_loss_climbs_there(climb: float, events: int):
    """The first losses stand above the median of a window that reaches into the fall."""
    values = np.full(100, 0.5)
    values[:12] = 6.4, 6.6, 6.4 * climb, 6.2 * climb, 4.6, 3.4, 2.4, 1.7, 1.2, 0.9, 0.7, 0.6
    values[[60, 61, 80, 81]] = 2.0
    assert evaluate("loss-spikes", train_loss=values).measured["events"] == events


def test_spikes_in_the_warm_up_are_left_to_the_warm_up():
    values = 1.2 * noise(0.01, 300)
    for start in (10, 20, 30):
        values[start : start + 3] *= 2.0
    rate = curve(np.minimum(np.arange(300) / 60, 1.0))
    assert fired("loss-spikes", train_loss=values)
    assert not fired("loss-spikes", train_loss=values, learning_rate=rate)


def test_too_few_losses_for_spikes():
    with cannot_evaluate("too-few-points", have=12, need=20, what="training losses"):
        evaluate("loss-spikes", train_loss=np.ones(12))
