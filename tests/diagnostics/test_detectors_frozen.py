"""Rules on numbers that stand still, stand on their head, or grow: gradients, evaluations, pairs, answers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise

SHARE = np.arange(1, 101) / 100


def test_gradients_of_exactly_zero():
    flat = curve(np.full(100, 1.84) * noise(0.02, 100))
    assert evaluate("gradient-is-zero", grad_norm=np.zeros(100), train_loss=flat).measured["share"] == 1.0
    some = np.zeros(100)
    some[:2] = 0.5
    assert not fired("gradient-is-zero", grad_norm=some, train_loss=flat)  # 98 %
    some[1] = 0.0
    assert fired("gradient-is-zero", grad_norm=some, train_loss=flat)  # 99 %
    assert not fired(
        "gradient-is-zero", grad_norm=np.zeros(100), train_loss=healthy()
    )  # the log is at fault, not the run
    with cannot_evaluate("too-few-points"):
        evaluate("gradient-is-zero", grad_norm=[0.0] * 4, train_loss=flat)


def test_a_noisy_loss_is_not_taken_for_a_falling_one():
    loud = curve(np.full(100, 1.84) * noise(0.1, 100, 5))
    assert fired("gradient-is-zero", grad_norm=np.zeros(100), train_loss=loud)


def test_a_held_out_loss_that_never_changes_a_digit():
    falling = curve(healthy())
    at = np.arange(10, 101, 10)
    moving = np.linspace(1.4, 1.2, 6).tolist()
    stuck = evaluate(
        "eval-loss-never-moves",
        eval_loss=curve([*moving, *[1.0473217] * 4], at),
        train_loss=1.5 - 0.6 * SHARE * noise(0.02, 100),
    )
    assert stuck.measured["count"] == 4
    assert stuck.first_step == 70
    three = curve([*moving, 1.19, *[1.0473217] * 3], at)
    assert not fired("eval-loss-never-moves", eval_loss=three, train_loss=falling)
    rounded = np.round(1.5 - 0.6 * SHARE * noise(0.02, 100), 3)
    with cannot_evaluate("log-rounded"):
        evaluate(
            "eval-loss-never-moves",
            eval_loss=curve(np.round([*moving, *[1.047] * 4], 3), at),
            train_loss=rounded,
        )
    assert not fired(
        "eval-loss-never-moves", eval_loss=curve([1.0473217] * 10, at), train_loss=np.full(100, 1.2)
    )  # nor training
    with cannot_evaluate("too-few-points", have=3, need=4, what="evaluations"):
        evaluate("eval-loss-never-moves", eval_loss=[1.0473217] * 3, train_loss=falling)


@pytest.mark.parametrize(
    ("train", "held", "margin", "found"),
    [(0.8, 0.2, -1.0, True), (0.8, 0.34, -1.0, True), (0.8, 0.36, -1.0, False), (0.6, 0.2, -1.0, False)],
)
def test_held_out_pairs_the_wrong_way_round(train: float, held: float, margin: float, found: bool):
    told = evaluate(
        "held-out-pairs-swapped",
        rewards_accuracies=np.full(20, train),
        eval_rewards_accuracies=[held] * 4,
        eval_rewards_margins=[margin] * 4,
    )
    assert bool(told) is found


def test_few_held_out_pairs_by_bad_luck_are_not_swapped():
    right = curve(np.full(20, 0.8))
    assert not fired(
        "held-out-pairs-swapped",
        rewards_accuracies=right,
        eval_rewards_accuracies=[0.2] * 4,
        eval_rewards_margins=[0.1] * 4,
    )  # their margin is positive
    with cannot_evaluate("too-few-points"):
        evaluate("held-out-pairs-swapped", rewards_accuracies=right, eval_rewards_accuracies=[0.2] * 2)


@pytest.mark.parametrize(("times", "found"), [(1.8, True), (1.4, False), (1.0, False), (0.5, False)])
def test_answers_that_grow_long(times: float, found: bool):
    lengths = 180 * (1 + (times - 1) * SHARE) * noise(0.05, 100)
    assert fired("answers-grow-long", completion_length=lengths) is found
    assert fired("answers-grow-long", eval_completion_length=180 * np.linspace(1, times, 6)) is found


def test_answers_that_only_scatter_are_not_growing():
    assert not fired("answers-grow-long", completion_length=180 * noise(0.5, 40, 2))
    with cannot_evaluate("too-few-points", have=11, what="answer lengths"):
        evaluate("answers-grow-long", completion_length=np.arange(11) + 1.0)
    with cannot_evaluate("curve-missing", curves="completion_length"):
        evaluate("answers-grow-long")


def test_a_loss_with_a_beat():
    beat = np.where(np.arange(100) % 2, 1.1, 0.9)
    found = evaluate("loss-zigzags", train_loss=1.5 * beat * noise(0.01, 100))
    assert found.measured["flips"] > 0.95
    assert not fired("loss-zigzags", train_loss=1.5 * (1 + 0.2 * (beat - 1)) * noise(0.005, 100))  # 2 % of the level
    with cannot_evaluate("too-few-points"):
        evaluate("loss-zigzags", train_loss=beat[:59])


def test_noise_has_no_beat():
    runs = [curve(healthy(size) * noise(0.1, size, seed)) for seed in range(40) for size in (60, 100, 400)]
    assert not any(evaluate("loss-zigzags", train_loss=run) for run in runs)


def test_a_loss_that_jumps_with_the_size_of_its_batches_does_not_jump():
    loss = curve(np.where(SHARE > 0.6, 1.9, 1.2) * noise(0.01, 100))
    even, packed = np.cumsum(np.full(100, 2000.0)), np.cumsum(np.where(SHARE > 0.6, 8000.0, 2000.0))
    assert fired("loss-jumps", train_loss=loss, num_tokens=even)
    assert not fired("loss-jumps", train_loss=loss, num_tokens=packed)
    elsewhere = np.cumsum(np.where(SHARE > 0.2, 8000.0, 2000.0))
    assert fired("loss-jumps", train_loss=loss, num_tokens=elsewhere)
