"""Rewards that rise to the end as they did at first: just inside and just outside the limits, and what resembles it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diagnostics.detectors.rewards.pace import PaceLimits, reward_still_rises
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.records import Label
from diagnostics.model.settings import Settings
from diagnostics.rules import RULES
from diagnostics.synthetic import make
from tests.diagnostics.test_detectors_rewards import curve, noisy

GRPO = Settings(method="grpo", learning_rate=1e-5, max_steps=300)
RULE = next(rule for rule in RULES if rule.name == "reward-still-rises")
PACE = PaceLimits(**{name: RULE.limits[name] for name in ("pace", "t", "kept", "kept_pace", "spent")})
SHARE = np.linspace(0.0, 1.0, 60)


def found(reward: object, settings: Settings = GRPO, **curves: Curve) -> Evidence | None:
    drawn = reward if isinstance(reward, Curve) else curve(reward)
    return reward_still_rises(reward=drawn, settings=settings, min_share_done=0.9, min_points=10, limits=PACE, **curves)


def bent(second: float, first: float = 0.2, sd: float = 0.002) -> np.ndarray:
    """Rises by ``first`` over the first half and by that times ``second`` over the other."""
    rise = first * (np.minimum(SHARE, 0.5) + second * np.maximum(SHARE - 0.5, 0.0)) / 0.5
    return noisy(0.2 + rise, sd)


def test_the_second_half_rises_by_half_of_the_first_or_more():
    assert found(bent(0.55)) is not None
    assert found(bent(0.45)) is None


def test_a_rise_that_noise_may_have_made_needs_an_entropy_that_is_kept():
    few, short = 0.2 + 0.4 * np.linspace(0.0, 1.0, 24), replace(GRPO, max_steps=120)
    few += 0.15 * np.where(np.arange(24) % 2, 1.0, -1.0)
    assert found(few, short) is None
    for left, noted in ((0.75, True), (0.65, False)):
        assert (found(few, short, entropy=curve([1.0] + [left] * 23)) is not None) is noted


def test_a_reward_that_bent_is_not_called_slow_though_the_entropy_is_kept():
    kept = curve(np.linspace(1.0, 0.9, 60))
    assert found(bent(0.38), entropy=kept) is not None
    assert found(bent(0.28), entropy=kept) is None


def test_where_the_entropy_is_used_up_a_larger_step_has_nothing_to_move():
    assert found(bent(1.0), entropy=curve(np.linspace(1.0, 0.44, 60))) is not None
    assert found(bent(1.0), entropy=curve(np.linspace(1.0, 0.36, 60))) is None


def test_the_rise_is_measured_over_the_rate_spent():
    decays = curve(1e-5 * (1.0 - SHARE))
    straight = noisy(0.2 + 0.4 * (1.0 - (1.0 - SHARE) ** 2), 0.002)
    assert found(straight) is None  # over the steps it bends
    assert found(straight, learning_rate=decays) is not None


def test_a_reward_at_its_ceiling_and_one_that_does_not_rise_are_left_alone():
    assert found(noisy(0.7 + 0.25 * SHARE, 0.002)) is None
    assert found(noisy(np.full(60, 0.4), 0.02)) is None


def test_a_run_that_is_not_at_its_end_is_not_judged():
    with pytest.raises(NotEnoughPoints):
        found(bent(1.0), replace(GRPO, max_steps=400))


def test_the_rate_is_advised_only_where_the_entropy_is_known():
    slow = make("reward-still-rises", seed=1)
    advice = {one.knob: one for one in diagnose(slow).advice}
    assert advice["learning_rate"].factor == 3.0
    assert all(one.optional for one in advice.values())
    unknown = replace(slow, curves={name: one for name, one in slow.curves.items() if name != "entropy"})
    assert {one.knob for one in diagnose(unknown).advice} == {"max_steps"}


@pytest.mark.parametrize("seed", range(10))
def test_an_unfinished_rise_leaves_the_run_healthy(seed: int):
    assert diagnose(make("reward-still-rises", seed=seed)).label is Label.HEALTHY
