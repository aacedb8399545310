"""Rules on TRL's token accuracy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy


def test_rows_that_are_known_from_the_start():
    falling = curve(healthy())
    assert (
        evaluate("rows-known-from-the-start", train_loss=falling, mean_token_accuracy=np.full(100, 0.99)).measured[
            "accuracy"
        ]
        == 0.99
    )
    assert fired("rows-known-from-the-start", train_loss=falling, mean_token_accuracy=np.full(100, 0.981))
    assert not fired("rows-known-from-the-start", train_loss=falling, mean_token_accuracy=np.full(100, 0.979))
    assert fired("rows-known-from-the-start", train_loss=np.full(20, 0.029))
    assert not fired("rows-known-from-the-start", train_loss=np.full(20, 0.031))
    assert not fired("rows-known-from-the-start", train_loss=np.zeros(20))  # that is loss-is-zero
    with cannot_evaluate("too-few-points", have=4, need=5, what="training losses"):
        evaluate("rows-known-from-the-start", train_loss=[0.01] * 4)


SHARE = np.arange(1, 101) / 100


def test_an_accuracy_that_learned_to_the_top_is_no_leak():
    learned = 0.3 + 0.699 * (1 - np.exp(-8 * SHARE))
    assert not fired("rows-known-from-the-start", train_loss=5 * np.exp(-6 * SHARE), mean_token_accuracy=learned)


def test_a_loss_that_falls_without_its_accuracy():
    loss = curve(0.9 + 1.3 * np.exp(-4 * SHARE))
    still = 0.55 + 0.003 * np.random.default_rng(0).standard_normal(100)
    found = evaluate("accuracy-contradicts-loss", train_loss=loss, mean_token_accuracy=still)
    assert found.measured["fall"] > 0.3
    assert abs(found.measured["gained"]) < 0.005
    assert not fired("accuracy-contradicts-loss", train_loss=loss, mean_token_accuracy=still + 0.006 * (SHARE > 0.5))
    assert not fired("accuracy-contradicts-loss", train_loss=1.0 + 0.3 * np.exp(-4 * SHARE), mean_token_accuracy=still)
    assert not fired(
        "accuracy-contradicts-loss", train_loss=loss, mean_token_accuracy=still + 0.4
    )  # no room left to gain
    with cannot_evaluate("too-few-points"):
        evaluate("accuracy-contradicts-loss", train_loss=loss, mean_token_accuracy=still[:19])


@pytest.mark.parametrize(("drop", "found"), [(0.13, True), (0.09, False), (0.0, False)])
def test_a_token_accuracy_that_falls(drop: float, found: bool):
    right = 0.7 - drop * np.clip(4 * (SHARE - 0.5), 0, 1) + 0.01 * np.random.default_rng(1).standard_normal(100)
    loss = curve(np.where(SHARE > 0.5, 1.5, healthy()))
    assert fired("token-accuracy-falls", mean_token_accuracy=right, train_loss=loss) is found


def test_what_speaks_against_a_falling_accuracy():
    right = curve(0.7 - 0.3 * np.clip(4 * (SHARE - 0.5), 0, 1))
    steady, falling = curve([0.7, 0.7, 0.7, 0.69]), curve([0.7, 0.7, 0.55, 0.45])
    assert fired("token-accuracy-falls", mean_token_accuracy=right, eval_mean_token_accuracy=falling)
    assert not fired(
        "token-accuracy-falls", mean_token_accuracy=right, eval_mean_token_accuracy=steady
    )  # single batches differ
    assert not fired("token-accuracy-falls", mean_token_accuracy=right, train_loss=2.0 - SHARE)  # the loss still falls
    with cannot_evaluate("too-few-points"):
        evaluate("token-accuracy-falls", mean_token_accuracy=[0.7, 0.2] * 9)


def test_memorized_training_tokens():
    train = curve(0.55 + 0.44 * (1 - np.exp(-8 * SHARE)))
    flat, better = [0.55, 0.66, 0.67, 0.67, 0.67, 0.67], [0.55, 0.7, 0.75, 0.78, 0.8, 0.82]
    found = evaluate("train-tokens-memorized", mean_token_accuracy=train, eval_mean_token_accuracy=flat)
    assert found.measured["gap"] == pytest.approx(0.32, abs=0.01)
    assert 0 < found.first_step < 100
    assert not fired(
        "train-tokens-memorized", mean_token_accuracy=train, eval_mean_token_accuracy=better
    )  # the held-out rows still gain
    assert not fired(
        "train-tokens-memorized", mean_token_accuracy=train, eval_mean_token_accuracy=np.full(6, 0.85)
    )  # gap 0.14
    assert fired(
        "train-tokens-memorized", mean_token_accuracy=train, eval_mean_token_accuracy=np.full(6, 0.83)
    )  # gap 0.16
    assert not fired(
        "train-tokens-memorized",
        mean_token_accuracy=0.55 + 0.41 * (1 - np.exp(-8 * SHARE)),
        eval_mean_token_accuracy=flat,
    )  # 96 %
    with cannot_evaluate("too-few-points", have=3, what="held-out token accuracies"):
        evaluate("train-tokens-memorized", mean_token_accuracy=train, eval_mean_token_accuracy=flat[:3])
