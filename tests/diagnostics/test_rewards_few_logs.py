"""Runs that learn from rewards and wrote 6 to 19 logs, as first runs do: what they show, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.verdicts.policies import KINDS, simulated
from diagnostics.detectors.rewards import windows
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.messages import summary
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Diagnosis, Label
from diagnostics.model.settings import Settings

WAVES = np.array([1.0, -1.0, -1.0, 1.0] * 3)
"""Noise without a trend."""
DEAD = {"frac_reward_zero_std": 1.0, "grad_norm": 0.0}


def said(reward: object, *, every: int = 10, steps: int | None = None, **others: object) -> Diagnosis:
    """The verdict on a finished run with these rewards, one each ``every`` steps; a single other value is in each."""
    values = np.asarray(reward, dtype=float)
    at = every * np.arange(1.0, values.size + 1)
    curves = {name: Curve(at, np.broadcast_to(np.asarray(one, dtype=float), at.shape)) for name, one in others.items()}
    settings = Settings(method="grpo", learning_rate=1e-5, max_steps=steps or int(at[-1]))
    return diagnose(Run("few", {"reward": Curve(at, values), **curves}, settings))


@pytest.mark.parametrize("logs", [6, 8, 12, 19])
def test_a_clear_rise_of_few_logs_is_healthy_and_less_sure_than_one_of_many(logs: int):
    found = said(np.linspace(0.2, 0.6, logs))
    assert found.label is Label.HEALTHY
    assert 0.6 < found.confidence < 0.95


def test_a_rise_that_is_small_unordered_or_lost_again_is_none():
    for rewards in (np.linspace(0.2, 0.22, 12), [0.2, 0.5, 0.3, 0.2, 0.6, 0.4, 0.5, 0.3], np.linspace(0.2, 0.6, 5)):
        assert said(rewards).label is Label.UNKNOWN
    fallen = np.r_[np.linspace(0.2, 0.8, 9), 0.4, 0.4, 0.4]
    assert windows.rises_clearly(Curve(np.arange(12.0), fallen)) is False


def test_rewards_at_their_ceiling_all_along_need_no_rise():
    assert said([0.9, 0.95, 0.92, 0.97, 0.95, 0.96]).label is Label.HEALTHY
    assert said([0.9, 0.95, 0.92, 0.97, 0.5, 0.4]).label is Label.UNKNOWN


def test_few_logs_without_noise_show_that_the_reward_is_flat():
    flat = 0.4 + 0.005 * WAVES
    assert said(flat).cause == "reward-does-not-rise"
    assert said(flat, steps=1000).label is Label.UNKNOWN, "the run has hardly begun"
    assert said(flat[:9]).label is Label.UNKNOWN
    assert said(0.4 + 0.05 * WAVES).label is Label.UNKNOWN, "a rise would drown"


@pytest.mark.parametrize(("every", "code"), [(10, "rewards-logged-seldom"), (1, "rewards-of-few-steps")])
def test_unknown_says_what_is_missing_and_how_to_get_it(every: int, code: str):
    found = said(0.4 + 0.05 * WAVES, every=every)
    missing = next(kind for kind in found.unchecked if kind.label is Label.UNDERFIT)
    assert (missing.reason.code, missing.reason.values["have"], missing.reason.values["need"]) == (code, 12, 20)
    assert "12 of 20" in summary(found)


def test_a_finished_run_of_three_logs_without_any_reward_has_no_signal():
    assert said(np.zeros(3), **DEAD).cause == "no-reward-signal"
    assert said(np.zeros(2), **DEAD).label is Label.UNKNOWN
    assert said(np.zeros(4), steps=1000, **DEAD).label is Label.UNKNOWN, "the run goes on"


def test_a_policy_that_moved_had_a_signal():
    rewards, gone = np.r_[0.07, np.zeros(9)], np.r_[0.46, 0.08, np.full(8, 0.01)]
    assert said(rewards, **DEAD).cause == "no-reward-signal"
    assert said(rewards, entropy=gone, **DEAD).cause == "reward-stays-dead"
    assert said(np.full(12, 0.3), entropy=0.4, **DEAD).cause == "groups-always-equal"
    assert said(np.full(12, 0.3), entropy=np.geomspace(0.4, 0.05, 12), **DEAD).cause is None


def test_a_part_that_is_given_up_shows_in_eight_logs():
    style, plain = np.linspace(0.3, 1.9, 8), np.linspace(0.6, 0.0, 8)
    parts = {"rewards/style/mean": style, "rewards/plain/mean": plain}
    assert said(style + plain, **parts).cause == "reward-hacked-by-parts"


def test_simulated_policies_of_few_logs_are_seldom_called_sick_where_their_true_reward_rose():
    runs = [simulated(kind, seed, few=True) for kind in KINDS for seed in range(9000, 9012)]
    found = [diagnose(case.run).label for case in runs]
    well = [label for label, case in zip(found, runs, strict=True) if case.label == "healthy"]
    called = [case.label for label, case in zip(found, runs, strict=True) if label is Label.HEALTHY]
    assert sum(label not in (Label.HEALTHY, Label.UNKNOWN) for label in well) <= 0.05 * len(well)
    assert len(called) >= 10 and np.mean([label == "healthy" for label in called]) >= 0.85


def test_a_note_does_not_hide_why_nothing_is_known():
    parts = {"rewards/a/mean": 0.0, "rewards/b/mean": 0.4 + 0.05 * WAVES}
    found = said(0.4 + 0.05 * WAVES, **parts)
    assert (found.label, found.findings[0].rule) == (Label.UNKNOWN, "reward-part-constant")
    assert "12 of 20" in summary(found)
