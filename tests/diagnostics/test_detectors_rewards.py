"""Rules on rewards: each just inside and just outside its limits, and on what resembles its fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diagnostics.detectors.rewards import answers, collapse, divergence, entropy, flat, hacking, signal, windows
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Curve, NotEnoughPoints, Run
from diagnostics.model.rate_prior import rate_prior_of
from diagnostics.model.records import Label
from diagnostics.model.settings import Settings
from diagnostics.rules import RULES
from diagnostics.rules.rewards.remedies import REWARDS
from diagnostics.synthetic import make

LIMITS = {rule.name: dict(rule.limits) for rule in RULES}
GRPO = Settings(method="grpo", learning_rate=1e-5, max_steps=300)


def curve(values: object, step: float = 5.0) -> Curve:
    array = np.asarray(values, dtype=np.float64)
    return Curve(step * np.arange(1.0, array.size + 1), array)


def noisy(level: object, sd: float = 0.03, seed: int = 0) -> np.ndarray:
    array = np.asarray(level, dtype=np.float64)
    return np.clip(array + sd * np.random.default_rng(seed).standard_normal(array.size), 0.0, 1.0)


def verdict(**curves: object) -> object:
    return diagnose(Run("made", {name: curve(values) for name, values in curves.items()}, GRPO))


def test_the_reward_has_collapsed_below_half_of_its_best():
    level = np.linspace(0.3, 0.8, 60)
    for left, found in ((0.36, True), (0.5, False)):
        late = np.where(np.arange(60) > 45, left * 0.8, level)
        evidence = collapse.reward_collapses(reward=curve(noisy(late)), left=0.5, t=3.5, confirm=3, min_points=10)
        assert (evidence is not None) is found


def test_a_collapse_of_two_logs_is_not_confirmed():
    values = noisy(np.full(30, 0.8))
    values[-2:] = 0.0
    assert collapse.reward_collapses(reward=curve(values), left=0.5, t=3.5, confirm=3, min_points=10) is None


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_collapse(seed: int):
    reward = np.random.default_rng(seed).binomial(8, 0.3, 60) / 8
    assert collapse.reward_collapses(reward=curve(reward), left=0.5, t=3.5, confirm=3, min_points=10) is None


def dead(reward: object, equal: object) -> object:
    groups = windows.Groups(curve(reward), curve(equal))
    limits = collapse.DeadLimits(**{key: LIMITS["reward-stays-dead"][key] for key in LIMITS["reward-stays-dead"]})
    return collapse.reward_stays_dead(groups=groups, dead=limits)


def test_equal_groups_at_the_lowest_reward_after_a_higher_one_are_dead():
    assert dead([0.4, 0.3, 0.0, 0.0], [0.2, 0.3, 1.0, 1.0])
    assert dead([0.4, 0.3, 0.3, 0.0], [0.2, 0.3, 0.2, 1.0]) is None, "one log"
    assert dead([0.4, 0.6, 1.0, 1.0], [0.2, 0.3, 1.0, 1.0]) is None, "solved"
    assert dead([0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]) is None, "never had a reward"
    assert dead([0.4, 0.3, 0.0, 0.0], [0.2, 0.3, 0.8, 0.8]) is None, "some groups differ"


def test_without_a_share_of_equal_groups_the_spread_or_the_gradient_tells():
    reward = curve([0.4, 0.3, 0.0, 0.0])
    for groups in (
        windows.Groups(reward, curve(np.zeros(4)), reward_std=curve([0.4, 0.4, 0.0, 0.0])),
        windows.Groups(reward, grad_norm=curve([0.4, 0.4, 0.0, 0.0])),
    ):
        limits = collapse.DeadLimits(**LIMITS["reward-stays-dead"])
        assert collapse.reward_stays_dead(groups=groups, dead=limits)


def test_a_run_near_its_ceiling_is_solved_and_no_fault():
    equal = np.linspace(0.2, 0.9, 60)
    reward = noisy(1.0 - 0.7 * np.exp(-np.arange(60) / 8), 0.01)
    found = verdict(reward=reward, frac_reward_zero_std=equal, grad_norm=1.0 - equal)
    assert found.label is Label.HEALTHY
    assert "prompts-solved" in {finding.rule for finding in found.findings}


def test_equal_groups_that_are_all_wrong_are_no_signal_and_others_are_alike():
    zeros, ones = np.zeros(30), np.ones(30)
    assert verdict(reward=zeros, frac_reward_zero_std=ones).cause == "no-reward-signal"
    assert verdict(reward=-1.0 + zeros, frac_reward_zero_std=ones).cause == "no-reward-signal"
    some = np.random.default_rng(0).binomial(4, 0.3, 30) / 4
    assert verdict(reward=some, frac_reward_zero_std=ones).cause == "groups-always-equal"
    late = np.concatenate([zeros, np.linspace(0, 0.6, 30)])
    equal = np.concatenate([ones, np.linspace(1.0, 0.2, 30)])
    assert verdict(reward=late, frac_reward_zero_std=equal).label is Label.HEALTHY, "it learned in the end"


def test_a_flat_reward_is_judged_only_where_the_noise_would_show_a_rise():
    flat_reward, limits = np.full(60, 0.4), LIMITS["reward-does-not-rise"]
    quiet = windows.Groups(curve(noisy(flat_reward, 0.05)))
    assert flat.reward_does_not_rise(groups=quiet, settings=GRPO, **limits)
    loud = windows.Groups(curve(noisy(flat_reward, 0.25, seed=1)))
    with pytest.raises(NotEnoughPoints) as why:
        flat.reward_does_not_rise(groups=loud, settings=GRPO, **limits)
    assert why.value.reason.code == "reward-too-noisy"
    assert why.value.reason.values["rise"] > 0.1


def test_a_run_that_is_too_noisy_gets_no_verdict_and_the_rise_that_would_show():
    found = verdict(reward=noisy(np.full(60, 0.4), 0.25, seed=1), kl=np.linspace(0, 0.1, 60), train_loss=np.zeros(60))
    assert found.label is Label.UNKNOWN
    assert {kind.reason.code for kind in found.unchecked} >= {"reward-too-noisy"}
    assert "loss-is-no-signal" in {note.code for note in found.notes}


def differs(kl: object, step: float, rate: float = 1e-5) -> object:
    settings = replace(GRPO, learning_rate=rate)
    prior = rate_prior_of(settings, None)
    limits = LIMITS["reference-differs"]
    return divergence.reference_differs(kl_divergence=curve(kl, step), settings=settings, rate_prior=prior, **limits)


@pytest.mark.parametrize("step", [1.0, 10.0])
def test_the_first_divergence_shows_another_reference(step: float):
    assert differs(0.3 + np.linspace(0.0, 0.05, 40), step)
    assert differs(0.003 + np.linspace(0.0, 0.05, 40), step) is None


def test_a_divergence_that_the_first_updates_make_is_no_other_reference():
    assert differs([0.001, 0.1, 0.4, 1.0], 1.0) is None
    assert differs([0.1, 0.2, 0.4, 1.0], 10.0) is None
    assert differs([0.5, 0.5, 0.5, 0.5], 10.0, rate=1e-2) is None


def test_one_spike_of_the_divergence_is_no_run_away():
    kl = np.full(40, 0.02)
    kl[-2] = 17.8
    limits, level = LIMITS["kl-runs-away"], curve(noisy(np.full(40, 0.5)))
    away, rising = curve(np.geomspace(0.02, 6, 40)), curve(noisy(np.linspace(0.2, 0.8, 40)))
    assert divergence.kl_runs_away(kl_divergence=curve(kl), reward=level, **limits) is None
    assert divergence.kl_runs_away(kl_divergence=away, reward=level, **limits)
    assert divergence.kl_runs_away(kl_divergence=away, reward=rising, **limits) is None, "the reward pays for it"


def test_a_reward_that_rises_within_its_first_logs_has_risen():
    quick = noisy(np.where(np.arange(60) < 3, 0.2, 0.7))
    assert windows.rises(quick)
    groups = windows.Groups(curve(quick))
    assert flat.reward_does_not_rise(groups=groups, settings=GRPO, **LIMITS["reward-does-not-rise"]) is None


def test_groups_that_became_equal_were_not_so_from_the_start():
    equal = np.where(np.arange(60) < 4, 0.3, 1.0)
    some = np.random.default_rng(0).binomial(8, 0.4, 60) / 8
    groups = windows.Groups(curve(some), curve(equal))
    assert signal.groups_always_equal(groups=groups, **LIMITS["groups-always-equal"]) is None


def test_groups_that_are_nearly_always_equal_may_be_enough_to_learn_from():
    groups = windows.Groups(curve(noisy(np.linspace(0.2, 0.6, 60))), curve(np.full(60, 0.97)))
    assert signal.groups_always_equal(groups=groups, **LIMITS["groups-always-equal"]) is None
    level = windows.Groups(curve(noisy(np.full(60, 0.4))), curve(np.full(60, 0.97)))
    assert signal.groups_always_equal(groups=level, **LIMITS["groups-always-equal"])


def test_answers_cut_off_short_of_the_ceiling():
    limits, cut = LIMITS["answers-cut-off"], curve(np.full(30, 0.97))
    assert answers.answers_cut_off(clipped_ratio=cut, reward=curve(noisy(np.full(30, 0.1))), **limits)
    assert answers.answers_cut_off(clipped_ratio=cut, reward=curve(np.full(30, 0.95)), **limits) is None
    rare = curve(np.full(30, 0.7))
    assert answers.answers_cut_off(clipped_ratio=rare, reward=curve(np.full(30, 0.1)), **limits) is None


def test_a_share_cut_off_that_falls_to_0_is_no_fault():
    falling = curve(np.linspace(0.88, 0.04, 40))
    assert answers.answers_run_into_limit(clipped_ratio=falling, **LIMITS["answers-run-into-limit"]) is None
    slow = curve(np.linspace(0.97, 0.84, 40))
    assert answers.answers_run_into_limit(clipped_ratio=slow, **LIMITS["answers-run-into-limit"])


def test_a_growing_length_is_earned_by_a_reward_that_rises_in_step():
    length, limits = curve(np.linspace(100, 200, 60)), LIMITS["answers-lengthen-for-nothing"]
    level = curve(noisy(np.full(60, 0.5)))
    assert answers.answers_lengthen_for_nothing(completion_length=length, reward=level, **limits)
    rising = curve(noisy(np.linspace(0.4, 0.8, 60)))
    assert answers.answers_lengthen_for_nothing(completion_length=length, reward=rising, **limits) is None


def test_rising_entropy_counts_beside_a_falling_reward_or_a_sampler_that_left():
    high, limits = curve(np.linspace(0.2, 2.0, 60)), LIMITS["policy-entropy-explodes"]
    rising, falling = curve(noisy(np.linspace(0.3, 0.8, 60))), curve(noisy(np.linspace(0.8, 0.3, 60)))
    assert entropy.entropy_explodes(entropy=high, reward=rising, **limits) is None
    assert entropy.entropy_explodes(entropy=high, reward=falling, **limits)
    assert entropy.entropy_explodes(entropy=high, reward=rising, sampler_gap=curve(np.full(60, 0.03)), **limits)


def test_falling_entropy_is_convergence_while_the_reward_rises():
    gone, limits = curve(np.geomspace(0.4, 0.004, 60)), LIMITS["exploration-gone"]
    equal = curve(np.linspace(0.1, 0.8, 60))
    rising = windows.Groups(curve(noisy(np.linspace(0.2, 0.6, 60))), equal)
    level = windows.Groups(curve(noisy(np.full(60, 0.4))), equal)
    assert entropy.exploration_gone(entropy=gone, groups=rising, **limits) is None
    assert entropy.exploration_gone(entropy=gone, groups=level, **limits)


def test_a_part_that_falls_for_a_cheaper_one_is_hacking_and_a_penalty_that_grows_is_none():
    up, down = noisy(np.linspace(0.1, 0.9, 60)), noisy(np.linspace(0.5, 0.02, 60))
    limits = LIMITS["reward-hacked-by-parts"]
    total = curve(2.0 * up + down)

    def found(**parts: np.ndarray) -> object:
        named = {name: curve(part) for name, part in parts.items()}
        return hacking.hacked_by_parts(reward=total, reward_parts=named, settings=GRPO, **limits)

    assert found(style=up, plain=down)
    assert found(correct=up, format=down) is None
    assert found(correct=up, other=down) is None, "what is meant rises"
    with pytest.raises(NotEnoughPoints):
        found(style=up)


def test_the_parts_of_older_logs_are_parts_too():
    up, down = noisy(np.linspace(0.1, 0.9, 60)), noisy(np.linspace(0.5, 0.02, 60))
    found = verdict(**{"reward": 2 * up + down, "rewards/style": up, "train/rewards/plain": down})
    assert found.cause == "reward-hacked-by-parts"


def test_constant_parts_are_named_where_there_are_several():
    values = {"reward": noisy(np.linspace(0.2, 0.8, 30)), "rewards/a/mean": np.zeros(30)}
    values["rewards/b/mean"] = values["reward"]
    assert [f.rule for f in verdict(**values).findings] == ["reward-part-constant"]


def test_wasted_groups_are_noted_and_not_where_rewards_are_scaled_over_the_batch():
    groups = windows.Groups(curve(noisy(np.full(40, 0.5))), curve(np.full(40, 0.7)))
    limits = {"wasted": signal.WastedLimits(0.5, 0.1), "min_points": 10}
    assert signal.groups_wasted(groups=groups, settings=GRPO, **limits)
    with pytest.raises(NotEnoughPoints):
        signal.groups_wasted(groups=groups, settings=replace(GRPO, scale_rewards="batch"), **limits)


@pytest.mark.parametrize("method", REWARDS)
def test_the_loss_is_never_a_reason_where_rewards_are_learned_from(method: str):
    rng = np.random.default_rng(0)
    rising = make("healthy-rewards", seed=1)
    wild = {"train_loss": curve(np.cumsum(rng.standard_normal(100)) ** 2), "eval_loss": curve(np.arange(100.0))}
    found = diagnose(Run("wild", {**rising.curves, **wild}, replace(rising.settings, method=method)))
    assert found.label is Label.HEALTHY
    assert found.best_step == rising.curves["eval_reward"].steps[np.argmax(rising.curves["eval_reward"].values)]


@pytest.mark.parametrize("name", ["reward-stays-dead", "reward-collapses", "no-reward-signal", "answers-cut-off"])
def test_the_faults_from_which_no_run_recovers_may_stop_it_live(name: str):
    rule = next(rule for rule in RULES if rule.name == name)
    assert rule.stops
    assert rule.immediate


def test_only_those_faults_stop_a_run():
    stops = {rule.name for rule in RULES if rule.stops}
    assert stops == {"reward-stays-dead", "reward-collapses", "no-reward-signal", "answers-cut-off"}
