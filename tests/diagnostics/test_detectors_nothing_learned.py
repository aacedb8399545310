"""Runs that end no better than they began: just inside and just outside each limit."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics import Curve, Run, Settings, diagnose
from diagnostics.model.records import Label
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise

FLAT = 2.0 * noise(0.01, 100)
SHARE = np.arange(1, 101) / 100


@pytest.mark.parametrize(("end", "found"), [(2.03, True), (2.015, False)])
def test_a_held_out_loss_that_ends_above_the_untrained_models(end: float, found: bool):
    held = curve([2.0, 1.99, 2.01, end], [1, 30, 60, 100])
    assert fired("worse-than-untrained", train_loss=FLAT, eval_loss=held) is found


def test_a_held_out_loss_that_climbs_further_than_it_comes_down():
    thrown = evaluate("worse-than-untrained", train_loss=FLAT, eval_loss=curve([2.0, 2.2, 2.0, 1.9], [1, 30, 60, 100]))
    assert (thrown.measured["highest"], thrown.measured["end"]) == (2.2, 1.9)
    assert not fired("worse-than-untrained", train_loss=FLAT, eval_loss=curve([2.0, 2.2, 2.0, 1.7], [1, 30, 60, 100]))


def test_one_of_many_evaluations_must_stand_out_twice_as_far():
    held = np.array([2.0, 1.99, 2.01, 1.99, 2.0, 1.98, 2.0, 1.98, 1.99, 1.99])
    steps = np.linspace(1, 100, held.size)

    def thrown(*values: float) -> bool:
        high = held.copy()
        high[3 : 3 + len(values)] = values
        return fired("worse-than-untrained", train_loss=FLAT, eval_loss=curve(high, steps))

    assert [thrown(2.1), thrown(2.1, 2.1), thrown(2.3)] == [False, True, True]


def test_early_losses_of_single_rows_scatter_as_far_as_they_are_high():
    scatter = np.exp(0.7 * np.random.default_rng(3).standard_normal(100))
    falls = (1.1 + 2.0 * np.exp(-8.0 * SHARE)) * scatter
    falls[:5] = 1.35, 0.85, 7.82, 4.86, 0.29
    assert not fired("worse-than-untrained", train_loss=falls)
    assert fired("worse-than-untrained", train_loss=np.r_[1.5, np.full(7, 7.0), 1.1 * noise(0.05, 92)])


def test_rows_that_are_memorized_raise_the_held_out_loss_and_no_one_threw_it():
    rising = curve([2.0, 2.1, 2.4, 2.9], [1, 30, 60, 100])
    assert not fired("worse-than-untrained", train_loss=2.0 - 1.5 * SHARE, eval_loss=rising)
    thrown = curve([2.0, 80.0, 12.0, 1.8], [1, 30, 60, 100])
    assert fired("worse-than-untrained", train_loss=40.0 - 38.0 * SHARE, eval_loss=thrown)


def test_a_loss_that_ends_below_0_may_wander_near_0_first():
    falls = 1.2 - 2.5 * SHARE
    wanders = [0.065, 0.35, -0.1, -0.5, -0.8, -1.1]
    assert not fired("worse-than-untrained", train_loss=falls, eval_loss=curve(wanders, [5, 20, 40, 60, 80, 100]))
    thrown = curve([0.065, 2.6, -0.1, -0.5, -0.8, -1.1], [5, 20, 40, 60, 80, 100])
    assert fired("worse-than-untrained", train_loss=falls, eval_loss=thrown)
    memorized = np.r_[np.full(5, 0.5), np.minimum(falls, 0.06)[5:]]
    assert not fired("worse-than-untrained", train_loss=memorized, eval_loss=thrown)


def test_what_was_learned_before_the_first_evaluation_counts_as_a_gain():
    held = curve([0.08, 0.18, 0.05, 0.01], [4, 30, 60, 100])
    falls = np.geomspace(10.0, 0.01, 100)
    assert not fired("worse-than-untrained", train_loss=falls, eval_loss=held)
    assert fired("worse-than-untrained", train_loss=np.minimum(falls, 0.1), eval_loss=held)


def test_a_training_loss_alone_must_end_clearly_above_its_start():
    assert fired("worse-than-untrained", train_loss=FLAT * (1.0 + 0.06 * SHARE))
    assert not fired("worse-than-untrained", train_loss=FLAT * (1.0 + 0.01 * SHARE))
    with cannot_evaluate("too-few-points"):
        evaluate("worse-than-untrained", train_loss=FLAT[:11])


@pytest.mark.parametrize(("gain", "found"), [(0.002, True), (0.004, False)])
def test_a_held_out_loss_that_ends_where_it_was_before_training(gain: float, found: bool):
    held = curve([2.0, 2.0 - gain, 2.0 * (1.0 - gain)], [0, 50, 100])
    assert fired("no-better-than-untrained", train_loss=FLAT, eval_loss=held) is found
    assert not fired("no-better-than-untrained", train_loss=healthy(), eval_loss=held)
    with cannot_evaluate("no-early-eval-between-losses"):
        evaluate("no-better-than-untrained", train_loss=FLAT, eval_loss=curve([2.0, 2.0], [50, 100]))


LN10 = float(np.log(10.0))


@pytest.mark.parametrize(("off", "found"), [(0.001, True), (0.01, False)])
def test_a_loss_that_settles_at_that_of_a_guess(off: float, found: bool):
    stuck = LN10 * (1.0 + off) + 2.0 * np.exp(-60.0 * SHARE)
    assert fired("no-better-than-chance", train_loss=stuck) is found
    assert fired("no-better-than-chance", train_loss=stuck * noise(0.03, 100), eval_loss=stuck[9::10]) is found


def test_a_loss_that_only_passes_a_guess_is_not_stuck_there():
    assert not fired("no-better-than-chance", train_loss=LN10 + 0.5 * (0.75 - SHARE))
    fallen = np.append([3.0, 2.6], np.full(98, LN10))
    assert fired("no-better-than-chance", train_loss=np.round(fallen, 3))
    assert not fired("no-better-than-chance", train_loss=np.round(fallen, 2))  # 2.3 is what much else is rounded to


@pytest.mark.parametrize(("end", "found"), [(10.3, True), (10.1, False)])
def test_the_vocabulary_gives_the_loss_of_a_guess(end: float, found: bool):
    known = Settings(vocab_size=32000)  # ln 32000 = 10.37, of which 2 % are 0.21
    stuck = np.append([12.0, 11.0], np.full(40, end) * noise(0.001, 40))
    assert fired("no-better-than-chance", train_loss=stuck, settings=known) is found
    assert not fired("no-better-than-chance", train_loss=stuck[2:], settings=known)  # it may just be slow


@pytest.mark.parametrize("late", [1e-3, 0.1])
def test_a_gradient_that_dies_after_a_jump(late: float):
    norms = np.append(np.ones(30), np.full(70, late))
    jumped = np.append(2.3 * np.ones(30), 2.9 * np.ones(70))
    assert fired("gradient-dies", grad_norm=norms, train_loss=jumped) is (late < 0.01)
    assert fired("gradient-dies", grad_norm=norms, train_loss=2.3 * np.ones(100)) is (late < 0.01)
    assert not fired("gradient-dies", grad_norm=norms, train_loss=2.3 * np.exp(-10.0 * SHARE))  # it learned its rows


@pytest.mark.parametrize(("held", "found"), [(0.36, True), (0.33, False)])
def test_pairs_that_are_told_apart_leave_no_gradient_and_a_loss_that_jumps(held: float, found: bool):
    norms = np.append(np.full(30, 10.0), np.full(70, 0.03))
    batches = 0.69 * np.where(np.arange(100) % 4, 1.0 - 0.6 * SHARE, 1.0)  # one batch in four has a pair told wrong
    given = {"grad_norm": norms, "train_loss": batches, "eval_loss": np.linspace(0.69, held, 10)}
    assert fired("gradient-dies", **given, settings=Settings(method="dpo")) is found
    assert fired("gradient-dies", **given, settings=Settings(method="sft"))


@pytest.mark.parametrize(("reward", "loss", "found"), [(-15, 0.69, True), (-2.9, 0.69, False), (-15, 0.5, False)])
def test_rewards_that_run_away_while_the_loss_is_neutral(reward: float, loss: float, found: bool):
    given = {"rewards_chosen": reward * SHARE, "rewards_rejected": 1.01 * reward * SHARE}
    assert fired("rewards-fall-together", **given, train_loss=np.full(100, loss)) is (found and reward < -3.5)


def dpo_run(reward: float) -> Run:
    """A DPO run whose rewards go to a level while its loss stays at ln 2."""
    steps = np.arange(1.0, 41)
    rewards = reward * np.minimum(1.0, steps / 10)
    values = {
        "train_loss": 0.6931 * noise(0.01, 40),
        "rewards_chosen": rewards,
        "rewards_rejected": rewards * 1.002,
        "rewards_margins": -0.002 * rewards,
        "rewards_accuracies": 0.5 * noise(0.05, 40),
    }
    return Run("dpo", {name: Curve.from_points(steps, v) for name, v in values.items()}, Settings(method="dpo"))


def test_a_policy_that_ran_away_is_never_told_to_learn_faster():
    away, still = diagnose(dpo_run(-15.0)), diagnose(dpo_run(-0.01))
    assert (away.label, away.cause) == (Label.UNSTABLE, "rewards-fall-together")
    assert all(one.factor is None or one.factor < 1.0 for one in away.advice if one.knob == "learning_rate")
    assert (still.label, still.cause) == (Label.UNDERFIT, "preferences-not-learned")


def test_a_lucky_first_batch_beside_a_held_out_loss_that_only_falls_threw_nothing():
    steps = 20.0 * np.arange(22)
    losses = np.r_[1.66, 2.06, 2.42, 2.22, 1.86, 1.93, 1.78, 2.04, 2.07, 1.66, 1.85, 1.64, 1.7 * noise(0.05, 10)]
    held = curve(1.9 + 0.5 * np.exp(-np.arange(22) / 6.0), steps)
    assert fired("worse-than-untrained", train_loss=curve(losses, steps))
    assert not fired("worse-than-untrained", train_loss=curve(losses, steps), eval_loss=held)
    thrown = curve(np.r_[1.66, 6.0, 7.0, 6.0, 5.0, np.full(17, 2.0)], steps)
    assert fired("worse-than-untrained", train_loss=thrown, eval_loss=held)
