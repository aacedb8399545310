"""What is noted beside the verdict on rewards: each just inside and just outside its limits, and what resembles it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diagnostics.detectors.rewards import flat, gradients, hacking, windows
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.settings import Settings
from diagnostics.rules import RULES
from diagnostics.synthetic import make

LIMITS = {rule.name: dict(rule.limits) for rule in RULES}
GRPO = Settings(method="grpo", learning_rate=1e-5, max_steps=300)
SHARE = np.linspace(0.0, 1.0, 60)


def curve(values: object) -> Curve:
    array = np.asarray(values, dtype=np.float64)
    return Curve(5.0 * np.arange(1.0, array.size + 1), array)


def noisy(level: object, sd: float = 0.02, seed: int = 0) -> np.ndarray:
    array = np.asarray(level, dtype=np.float64) * np.ones(60)
    return array + sd * np.random.default_rng(seed).standard_normal(array.size)


def spiked(times: float, count: int) -> Curve:
    norms = np.full(60, 0.3)
    norms[40 : 40 + count] *= times
    return curve(norms)


FALLING = np.where(SHARE < 0.7, 0.8, 0.6)


@pytest.mark.parametrize(
    ("times", "count", "level", "found"),
    [
        (11.0, 3, FALLING, True),
        (9.0, 3, FALLING, False),
        (11.0, 2, FALLING, False),
        (11.0, 3, 0.8, False),
        (11.0, 3, FALLING[::-1], False),
    ],
    ids=["found", "small", "few", "recovers", "rises"],
)
def test_gradients_that_throw_the_policy(times: float, count: int, level: object, found: bool):
    evidence = gradients.falls_after_spikes(
        grad_norm=spiked(times, count), reward=curve(noisy(level)), **LIMITS["reward-falls-after-gradient-spikes"]
    )
    assert (evidence is not None) is found
    if evidence is not None:
        assert evidence.first_step == 205.0
        assert evidence.measured["times"] == pytest.approx(11.0)


def test_gradients_of_0_are_not_the_usual_ones():
    norms = np.where(np.arange(60) % 3 == 0, 0.3, 0.0)
    limits = LIMITS["reward-falls-after-gradient-spikes"]
    assert gradients.falls_after_spikes(grad_norm=curve(norms), reward=curve(noisy(FALLING)), **limits) is None
    with pytest.raises(NotEnoughPoints):
        gradients.falls_after_spikes(grad_norm=curve(0.0 * norms), reward=curve(noisy(FALLING)), **limits)


def amplified(spread: float, level: object = 0.6, equal: float = 0.0, **settings: object) -> object:
    groups = windows.Groups(curve(noisy(level)), curve(np.full(60, equal)), curve(np.full(60, spread)))
    limits = LIMITS["small-rewards-amplified"]
    return flat.small_rewards_amplified(groups=groups, settings=replace(GRPO, **settings), **limits)


def test_rewards_that_hardly_differ_are_noise_at_full_size():
    assert amplified(0.04)
    assert amplified(0.04, scale_rewards="True")
    assert amplified(0.06) is None
    assert amplified(0.04, equal=0.2) is None, "a scale of few values"
    assert amplified(0.04, level=0.3 + 0.4 * SHARE) is None, "the reward rises"
    assert amplified(0.04, scale_rewards="none") is None, "nothing is divided"
    assert amplified(0.04, method="rloo") is None, "nor in RLOO"


def content(**parts: np.ndarray) -> object:
    named = {name: curve(part) for name, part in parts.items()}
    total = curve(sum(parts.values()))
    return hacking.task_part_flat(reward=total, reward_parts=named, settings=GRPO, **LIMITS["task-part-stays-flat"])


def test_a_part_for_content_that_stays_flat_is_told_where_the_noise_would_show_a_rise():
    form, level = noisy(0.2 + 0.7 * SHARE), noisy(0.3, seed=1)
    assert content(format=form, correct=level)
    assert content(format=form, correct=noisy(0.3 + 0.2 * SHARE, seed=1)) is None, "it rises too"
    assert content(format=form, correct=noisy(0.95, seed=1)) is None, "it is at its ceiling"
    assert content(format=noisy(0.5), correct=level) is None, "nothing rises"
    with pytest.raises(NotEnoughPoints, match="reward-too-noisy"):
        content(format=form, correct=noisy(0.5, 0.3, seed=1))
    with pytest.raises(NotEnoughPoints, match="one-reward-function"):
        content(format=form, helpful=level)


@pytest.mark.parametrize(
    "name", ["reward-falls-after-gradient-spikes", "small-rewards-amplified", "task-part-stays-flat"]
)
def test_what_is_noted_names_no_run(name: str):
    found = diagnose(make(name, strength=0.8))
    assert name in {finding.rule for finding in found.findings}
    assert found.cause != name
