"""Logs that cannot be right."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise


def test_a_loss_of_zero_to_the_end_is_found_from_its_first_step():
    found = evaluate("loss-is-zero", train_loss=[1.9, 1.4, 1.2, 0, 0, 0, 0, 0])
    assert (found.first_step, found.measured["count"]) == (4, 5)


@pytest.mark.parametrize("values", [[1.9, 1.4, 1.2, 1.1, 0, 1.0, 0, 0.9], [0.7, 0.3, 0.1, 0.01, 0.001, 0.001]])
def test_single_zeros_and_a_small_loss_are_not_found(values: list[float]):
    assert not fired("loss-is-zero", train_loss=values)


def test_zeros_that_a_small_loss_is_rounded_to_are_not_found():
    loss = 2.3 * np.exp(-np.arange(60) / 8)
    assert not fired("loss-is-zero", train_loss=np.round(loss, 1))
    assert fired("loss-is-zero", train_loss=np.where(loss < 0.2, 0.0, loss))


def test_zeros_in_place_of_nan_are_left_to_the_rule_on_nan():
    train, nan = curve([14.2, 10.9, 6.9, 0, 0, 0, 0, 0]), float("nan")
    assert not fired("loss-is-zero", train_loss=train, eval_loss=curve([4.8, 6.5, nan, nan], [0, 2, 4, 8]))
    assert (
        evaluate("loss-not-finite", train_loss=train, eval_loss=curve([4.8, 6.5, nan, nan], [0, 2, 4, 8])).first_step
        == 4
    )
    assert fired("loss-is-zero", train_loss=train, eval_loss=curve([4.8, 6.5, nan, 0.9], [0, 2, 4, 8]))


def test_a_rate_of_zero():
    assert evaluate("rate-is-zero", learning_rate=[0.0] * 10).measured == {"share": 1.0}
    assert not fired("rate-is-zero", learning_rate=[0.0] * 9 + [1e-5])
    with cannot_evaluate("too-few-points", have=2, need=3, what="learning rates"):
        evaluate("rate-is-zero", learning_rate=[0.0, 0.0])


@pytest.mark.parametrize(("first", "fires"), [(11.8, False), (12.1, True), (2.0, False)])
def test_the_start_is_compared_with_an_even_guess(first: float, fires: bool):
    found = evaluate(
        "start-loss-wrong", train_loss=[first, 1.0], settings=Settings(vocab_size=32_000)
    )  # ln 32,000 = 10.37
    assert (found is not None) is fires


@pytest.mark.parametrize(("end", "fires"), [(9.0, True), (8.6, False)])
def test_a_start_that_was_only_a_poor_guess_is_learned_away(end: float, fires: bool):
    loss = [13.0, 12.0, 11.0, 10.0, 9.5, 9.2, end, end]
    known = Settings(vocab_size=32_000)  # ln 32,000 = 10.37, of which 85 % are 8.8
    assert fired("start-loss-wrong", train_loss=loss, settings=known) is fires
    assert fired("start-loss-wrong", train_loss=loss[:7], settings=known)


@pytest.mark.parametrize(("level", "fires"), [(3.2, False), (13.6, True)])
def test_one_high_log_among_logs_of_single_batches_is_no_wrong_start(level: float, fires: bool):
    loss = level * noise(0.1, 50)
    loss[0] = 1.25 * level  # 4.0: above 1.15 times ln 30 = 3.91
    assert fired("start-loss-wrong", train_loss=loss, settings=Settings(vocab_size=30)) is fires


def test_without_the_vocabulary_the_start_cannot_be_evaluated():
    with cannot_evaluate("setting-unknown", settings="vocab_size"):
        evaluate("start-loss-wrong", train_loss=[50.0])


LN2 = float(np.log(2))


@pytest.mark.parametrize(("first", "fires"), [(LN2, False), (0.8, False), (0.9, True), (1.4, True), (0.15, True)])
def test_a_dpo_run_starts_at_ln_two(first: float, fires: bool):
    found = evaluate("dpo-start-loss-wrong", train_loss=[first, 0.6, 0.5, 0.5], settings=Settings(loss_type="sigmoid"))
    assert (found is not None) is fires


@pytest.mark.parametrize(("scatter", "fires"), [(0.0, True), (0.02, True), (0.2, False)])
def test_a_first_log_of_a_noisy_loss_may_be_one_of_unlike_rows(scatter: float, fires: bool):
    train = np.append(1.0, np.linspace(0.69, 0.5, 40) * noise(scatter, 40))
    assert fired("dpo-start-loss-wrong", train_loss=train, settings=Settings(loss_type="sigmoid")) is fires


@pytest.mark.parametrize(("before", "fires"), [(LN2, False), (1.4, True)])
def test_an_evaluation_before_training_shows_where_a_dpo_run_starts(before: float, fires: bool):
    train, held = curve([0.89, 0.6, 0.5, 0.5], [3, 6, 9, 12]), curve([before, 0.6], [0, 12])
    assert (
        fired("dpo-start-loss-wrong", train_loss=train, settings=Settings(loss_type="sigmoid"), eval_loss=held) is fires
    )


@pytest.mark.parametrize(("first", "held", "fires"), [(0.76, 0.89, False), (1.4, 0.7, False), (1.4, 1.3, True)])
def test_an_evaluation_after_some_steps_is_no_start_by_itself(first: float, held: float, fires: bool):
    train, evals = curve([first, 0.6, 0.5, 0.5], [5, 10, 15, 20]), curve([held, 0.6], [3, 20])
    assert (
        fired("dpo-start-loss-wrong", train_loss=train, settings=Settings(loss_type="sigmoid"), eval_loss=evals)
        is fires
    )


def test_other_preference_losses_start_elsewhere():
    loss = curve([1.8, 1.7, 1.6, 1.5])
    assert not fired("dpo-start-loss-wrong", train_loss=loss, settings=Settings(loss_type="ipo"))
    assert not fired(
        "dpo-start-loss-wrong", train_loss=loss, settings=Settings(loss_type="sigmoid", label_smoothing=0.1)
    )
    with cannot_evaluate("setting-unknown", settings="loss_type"):
        evaluate("dpo-start-loss-wrong", train_loss=loss, rewards_margins=[0.05] * 4)


def test_a_margin_that_explains_the_loss_speaks_for_sigmoid():
    assert fired(
        "dpo-start-loss-wrong", train_loss=[1.4, 1.2, 1.0, 0.9], settings=Settings(), rewards_margins=[-1.1] * 4
    )


@pytest.mark.parametrize(("away", "fires"), [(1e-4, True), (1e-3, False)])
def test_a_policy_that_never_moves(away: float, fires: bool):
    assert fired("policy-never-moves", train_loss=[LN2] * 9 + [LN2 - away]) is fires


@pytest.mark.parametrize(("times", "fires"), [(8.0, True), (6.6, True), (6.0, False), (1.0, False)])
def test_a_loss_multiplied_by_the_accumulation(times: float, fires: bool):
    level = healthy()
    held = curve(level[9::10], np.arange(10, 101, 10))
    found = evaluate(
        "loss-scaled-by-accumulation",
        train_loss=level * times,
        eval_loss=held,
        settings=Settings(gradient_accumulation_steps=8),
    )
    assert (found is not None) is fires


def test_held_out_pairs_with_a_lower_loss_are_not_a_scaled_loss():
    train, held = curve([0.69, 0.69, 0.54, 0.61, 0.39, 0.58, 0.35, 0.43]), [0.35, 0.28, 0.29, 0.29]
    two = Settings(gradient_accumulation_steps=2)
    assert not fired(
        "loss-scaled-by-accumulation", train_loss=train, eval_loss=curve([0.69, *held], [0, 2, 4, 6, 8]), settings=two
    )
    assert fired(
        "loss-scaled-by-accumulation", train_loss=train, eval_loss=curve([0.35, *held], [0, 2, 4, 6, 8]), settings=two
    )


def test_dips_at_every_epoch_end():
    values = healthy() * noise(0.01, 100)
    epoch = curve(np.linspace(0.04, 4, 100))
    dipped = values.copy()
    dipped[[24, 49, 74]] *= 0.4
    assert evaluate("epoch-end-log-low", train_loss=dipped, epoch=epoch).measured["ratio"] == pytest.approx(
        0.4, abs=0.05
    )
    dipped[49] = values[49]
    assert not fired("epoch-end-log-low", train_loss=dipped, epoch=epoch)
    with cannot_evaluate("too-few-points", have=0, need=2):
        evaluate("epoch-end-log-low", train_loss=values, epoch=np.linspace(0.01, 1, 100))


@pytest.mark.parametrize(("gap", "fires"), [(0.4, True), (-0.3, True), (0.2, False)])
def test_a_held_out_loss_of_another_kind_at_the_start(gap: float, fires: bool):
    train = curve(np.linspace(1.5, 1.4, 100))
    held = curve([1.5 * (1 + gap), 1.4], [1, 100])
    assert fired("eval-differs-at-start", train_loss=train, eval_loss=held) is fires


def test_a_late_first_evaluation_says_nothing_about_the_start():
    with cannot_evaluate("no-early-eval-between-losses"):
        evaluate("eval-differs-at-start", train_loss=healthy(), eval_loss=curve([2.0, 2.0], [50, 100]))


def test_a_rounded_loss_that_goes_to_zero_has_converged():
    assert not fired("loss-is-zero", train_loss=[1.55, 0.4, 0.05, 0.0001, *[0.0] * 20])
    assert fired("loss-is-zero", train_loss=[1.55, 1.4, 1.3, 1.2, *[0.0] * 20])


def test_zeros_are_true_where_the_held_out_loss_came_down_too():
    margin, solved = [0.5, 0.2, *[0.0] * 20], [0.09, *[0.0] * 21]
    assert not fired("loss-is-zero", train_loss=margin, eval_loss=[0.4, 0.25, 0.25])
    assert fired("loss-is-zero", train_loss=margin, eval_loss=[0.4, 0.26, 0.26])
    assert fired("loss-is-zero", train_loss=margin, eval_loss=[0.4, 0.3, 0.0]), "no token is scored there either"
    assert not fired("loss-is-zero", train_loss=solved, eval_loss=[18.3, 0.0, 0.0])
    assert fired("loss-is-zero", train_loss=solved, eval_loss=[0.0, 0.0, 0.0])


def test_a_policy_that_creeps_has_moved():
    creeping = np.log(2.0) - np.linspace(0.0, 1.5e-4, 40)
    assert not fired("policy-never-moves", train_loss=creeping)
    still = np.full(40, 0.6931)
    assert fired("policy-never-moves", train_loss=still, rewards_margins=np.zeros(40))
    assert not fired("policy-never-moves", train_loss=still, rewards_margins=np.linspace(0.0, 1e-3, 40))


def test_steps_at_epoch_ends_that_stay_down_are_memorized_rows():
    epochs = np.arange(1, 61) / 20.0
    stairs = np.repeat([0.65, 0.3, 0.1], 20)
    dips = np.where(np.arange(1, 61) % 20 == 0, 0.2, 0.65)
    assert fired("epoch-end-log-low", train_loss=dips, epoch=epochs)
    assert not fired("epoch-end-log-low", train_loss=stairs, epoch=epochs)


def test_a_run_thrown_before_its_first_log_has_no_wrong_start():
    known, thrown = Settings(vocab_size=100), [9.0, 6.0, 4.0, 3.0]
    assert fired("start-loss-wrong", train_loss=thrown, settings=known)
    sane, wrong = curve([4.5, 3.9, 3.0], [0, 2, 4]), curve([9.5, 3.9, 3.0], [0, 2, 4])
    assert not fired("start-loss-wrong", train_loss=thrown, settings=known, eval_loss=sane)
    assert fired("start-loss-wrong", train_loss=thrown, settings=known, eval_loss=wrong)


@pytest.mark.parametrize("values", [[0.17, 0.06, 0.004, *[0.0, 0.0, 0.002] * 8], [0.041, 0.0068, 0.0014, *[0.0] * 20]])
def test_a_margin_that_most_rows_keep_is_no_broken_log(values: list[float]):
    assert not fired("loss-is-zero", train_loss=values)
    assert fired("loss-is-zero", train_loss=[max(values[0], 10 * value) for value in values[:3]] + [0.0] * 20)


def test_an_epoch_that_ends_at_zero_has_no_ratio():
    epoch = curve([step / 10 for step in range(10, 41)], range(10, 41))
    zeros = curve([0.3, *[0.0] * 30], range(10, 41))
    assert not fired("epoch-end-log-low", train_loss=zeros, epoch=epoch)
