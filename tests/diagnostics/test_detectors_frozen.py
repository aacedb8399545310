"""Rules on numbers that stand still, stand on their head, or grow: gradients, evaluations, pairs, answers."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import NotEnoughPoints
from tests.diagnostics.cases import ask, curve, healthy, noise

SHARE = np.arange(1, 101) / 100


def test_gradients_of_exactly_zero():
    flat = curve(np.full(100, 1.84) * noise(0.02, 100))
    assert ask("gradient-is-zero", curve(np.zeros(100)), flat).measured["share"] == 1.0
    some = np.zeros(100)
    some[:2] = 0.5
    assert ask("gradient-is-zero", curve(some), flat) is None  # 98 %
    some[1] = 0.0
    assert ask("gradient-is-zero", curve(some), flat)  # 99 %
    assert ask("gradient-is-zero", curve(np.zeros(100)), curve(healthy())) is None  # the log is at fault, not the run
    with pytest.raises(NotEnoughPoints):
        ask("gradient-is-zero", curve([0.0] * 4), flat)


def test_a_noisy_loss_is_not_taken_for_a_falling_one():
    loud = curve(np.full(100, 1.84) * noise(0.1, 100, 5))
    assert ask("gradient-is-zero", curve(np.zeros(100)), loud)


def test_a_held_out_loss_that_never_changes_a_digit():
    falling = curve(healthy())
    at = np.arange(10, 101, 10)
    moving = np.linspace(1.4, 1.2, 6).tolist()
    stuck = ask(
        "eval-loss-never-moves", curve([*moving, *[1.0473217] * 4], at), curve(1.5 - 0.6 * SHARE * noise(0.02, 100))
    )
    assert stuck.measured["count"] == 4
    assert stuck.first_step == 70
    three = curve([*moving, 1.19, *[1.0473217] * 3], at)
    assert ask("eval-loss-never-moves", three, falling) is None
    rounded = np.round(1.5 - 0.6 * SHARE * noise(0.02, 100), 3)
    with pytest.raises(NotEnoughPoints, match="rounded"):
        ask("eval-loss-never-moves", curve(np.round([*moving, *[1.047] * 4], 3), at), curve(rounded))
    assert ask("eval-loss-never-moves", curve([1.0473217] * 10, at), curve(np.full(100, 1.2))) is None  # nor training
    with pytest.raises(NotEnoughPoints, match="only 3 evaluations, 4 needed"):
        ask("eval-loss-never-moves", curve([1.0473217] * 3), falling)


@pytest.mark.parametrize(
    ("train", "held", "margin", "found"),
    [(0.8, 0.2, -1.0, True), (0.8, 0.34, -1.0, True), (0.8, 0.36, -1.0, False), (0.6, 0.2, -1.0, False)],
)
def test_held_out_pairs_the_wrong_way_round(train: float, held: float, margin: float, found: bool):
    told = ask("held-out-pairs-swapped", curve(np.full(20, train)), curve([held] * 4), curve([margin] * 4))
    assert bool(told) is found


def test_few_held_out_pairs_by_bad_luck_are_not_swapped():
    right = curve(np.full(20, 0.8))
    assert ask("held-out-pairs-swapped", right, curve([0.2] * 4), curve([0.1] * 4)) is None  # their margin is positive
    with pytest.raises(NotEnoughPoints):
        ask("held-out-pairs-swapped", right, curve([0.2] * 2))


@pytest.mark.parametrize(("times", "found"), [(1.8, True), (1.4, False), (1.0, False), (0.5, False)])
def test_answers_that_grow_long(times: float, found: bool):
    lengths = 180 * (1 + (times - 1) * SHARE) * noise(0.05, 100)
    assert bool(ask("answers-grow-long", curve(lengths), None)) is found
    assert bool(ask("answers-grow-long", None, curve(180 * np.linspace(1, times, 6)))) is found


def test_answers_that_only_scatter_are_not_growing():
    assert ask("answers-grow-long", curve(180 * noise(0.5, 40, 2)), None) is None
    with pytest.raises(NotEnoughPoints, match="only 11 answer lengths"):
        ask("answers-grow-long", curve(np.arange(11) + 1.0), None)
    with pytest.raises(NotEnoughPoints, match="no completion_length"):
        ask("answers-grow-long", None, None)


def test_a_loss_with_a_beat():
    beat = np.where(np.arange(100) % 2, 1.1, 0.9)
    found = ask("loss-zigzags", curve(1.5 * beat * noise(0.01, 100)))
    assert found.measured["flips"] > 0.95
    assert ask("loss-zigzags", curve(1.5 * (1 + 0.2 * (beat - 1)) * noise(0.005, 100))) is None  # 2 % of the level
    with pytest.raises(NotEnoughPoints):
        ask("loss-zigzags", curve(beat[:59]))


def test_noise_has_no_beat():
    runs = [curve(healthy(size) * noise(0.1, size, seed)) for seed in range(40) for size in (60, 100, 400)]
    assert not any(ask("loss-zigzags", run) for run in runs)


def test_a_loss_that_jumps_with_the_size_of_its_batches_does_not_jump():
    loss = curve(np.where(SHARE > 0.6, 1.9, 1.2) * noise(0.01, 100))
    even, packed = np.cumsum(np.full(100, 2000.0)), np.cumsum(np.where(SHARE > 0.6, 8000.0, 2000.0))
    assert ask("loss-jumps", loss, curve(even))
    assert ask("loss-jumps", loss, curve(packed)) is None
    elsewhere = np.cumsum(np.where(SHARE > 0.2, 8000.0, 2000.0))
    assert ask("loss-jumps", loss, curve(elsewhere))
