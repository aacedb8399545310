"""Where a run will end, against runs whose end is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diagnostics.model.methods import METHODS
from tuner.search.forecast import Noise, chances, noise_of
from tuner.search.progress import Progress

SHARES = np.linspace(0, 1, 11)
SFT = noise_of(METHODS["sft"], is_loss=True)


def course(end: float, gain: float) -> Progress:
    """A run that gains so much more from a fifth of its schedule on."""
    return Progress(SHARES, end + gain * np.interp(SHARES, (0, 0.2, 1), (2, 1, 0)))


def test_an_equal_run_is_the_best_half_of_the_time_and_a_hopeless_one_never():
    best = [course(0.0, 0.2)] * 4
    assert chances(course(0.0, 0.2), best, 0.2, SFT).best == pytest.approx(0.5, abs=0.05)
    assert chances(course(0.5, 0.2), best, 0.2, SFT).best < 0.01
    assert chances(course(-0.1, 0.2), best, 0.2, SFT).best > 0.8


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_the_probability_is_calibrated_where_gains_and_seeds_are_as_assumed(method: str):
    noise, rng = noise_of(METHODS[method], is_loss=True), np.random.default_rng(0)
    said, true = [], []
    for _ in range(2000):
        gains = 0.2 * np.exp(noise.spread * rng.standard_normal(5))
        runs = [course(0.0, gain) for gain in gains[:4]]
        now = 0.2 * math.exp(rng.uniform(-3, 3))
        luck = noise.seeds * rng.standard_normal()
        said.append(chances(Progress(SHARES, np.full(11, now)), runs, 0.2, noise).best)
        true.append(now - gains[4] < luck)
    for low, high in ((0.0, 0.05), (0.05, 0.3), (0.3, 0.7), (0.7, 1.0)):
        inside = [truth for chance, truth in zip(said, true, strict=True) if low <= chance < high]
        told = np.mean([chance for chance in said if low <= chance < high])
        assert len(inside) > 100
        assert np.mean(inside) == pytest.approx(told, abs=0.01 + 3.5 * math.sqrt(told * (1 - told) / len(inside)))


def test_the_loss_of_stopping_grows_with_the_noise_and_shrinks_with_the_gap():
    best = [course(0.0, 0.2)] * 4
    gaps = [chances(course(gap, 0.2), best, 0.2, SFT).loss for gap in (0.0, 0.05, 0.1, 0.3)]
    assert gaps == sorted(gaps, reverse=True) and gaps[-1] < 1e-3
    assert chances(course(0.1, 0.2), best, 0.2, Noise(SFT.spread, 0.1)).loss > gaps[2]


def test_one_finished_run_says_less_than_four():
    late = course(0.15, 0.2)
    assert chances(late, [course(0.0, 0.2)], 0.2, SFT).best > chances(late, [course(0.0, 0.2)] * 4, 0.2, SFT).best


def test_a_reward_is_ranked_late_and_an_accuracy_is_less_noisy_than_the_loss_beside_it():
    reward = noise_of(METHODS["grpo"], is_loss=False)
    assert reward == noise_of(METHODS["dpo"], is_loss=True)
    accuracy = noise_of(METHODS["dpo"], is_loss=False)
    assert (accuracy.spread, accuracy.seeds) == (reward.spread, SFT.seeds)
