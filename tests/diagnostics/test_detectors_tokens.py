"""Rules on TRL's token accuracy, entropy and token count: fire, do not, just inside and outside, too short."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise

SFT, DPO = Settings(method="sft"), Settings(method="dpo")
SHARE = np.arange(1, 101) / 100


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
    assert not fired(
        "accuracy-contradicts-loss",
        train_loss=1.0 + 0.3 * np.exp(-4 * SHARE),
        mean_token_accuracy=still,
    )
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


def test_rows_learned_by_heart():
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


@pytest.mark.parametrize(("left", "found"), [(0.42, True), (0.52, False), (1.0, False)])
def test_an_entropy_that_goes_without_the_loss(left: float, found: bool):
    entropy = 1.6 * (1 - (1 - left) * (1 - np.exp(-8 * SHARE))) * noise(0.02, 100)
    loss = curve(np.full(100, 1.7) * noise(0.02, 100, 1))
    assert fired("entropy-collapses", entropy=entropy, settings=SFT, train_loss=loss) is found


def test_an_entropy_that_falls_with_the_loss_is_no_collapse():
    loss = 6.0 * np.exp(-7 * SHARE) + 0.01
    assert not fired("entropy-collapses", entropy=0.9 * loss, settings=SFT, train_loss=loss)
    wrong_at_first = np.interp(SHARE, [0, 0.3, 1], [0.85, 1.2, 0.03])  # a base model that is surely wrong
    assert not fired("entropy-collapses", entropy=wrong_at_first, settings=SFT, train_loss=loss)


def test_an_entropy_of_pairs_is_judged_by_itself():
    fallen = curve(1.6 * (1 - 0.6 * SHARE) * noise(0.02, 100))
    loss = curve(0.69 - 0.2 * SHARE)
    assert fired("entropy-collapses", entropy=fallen, settings=DPO, train_loss=loss)
    assert fired("entropy-collapses", entropy=fallen, settings=DPO, train_loss=loss, eval_entropy=[1.6, 1.1])
    assert not fired("entropy-collapses", entropy=fallen, settings=DPO, train_loss=loss, eval_entropy=[1.6, 1.5])
    with cannot_evaluate("too-few-points", have=11, what="entropies"):
        evaluate("entropy-collapses", entropy=[1.0] * 11, settings=DPO)
    with cannot_evaluate("entropy-without-losses"):
        evaluate("entropy-collapses", entropy=fallen, settings=SFT, train_loss=[1.0] * 5)


@pytest.mark.parametrize(("end", "found"), [(0.5, True), (0.62, False)])
def test_a_model_that_is_overconfident(end: float, found: bool):
    entropy, loss = np.append(np.linspace(1.3, end * 1.4, 9), end * 1.4), np.full(10, 1.4)
    assert fired("overconfident", eval_entropy=entropy, eval_loss=loss) is found
    assert not fired("overconfident", eval_entropy=np.full(10, 0.6), eval_loss=np.full(10, 1.4))  # sure from the start
    with cannot_evaluate("too-few-points"):
        evaluate("overconfident", eval_entropy=[1.0] * 3, eval_loss=[1.0] * 10)


@pytest.mark.parametrize(("factor", "found"), [(1.6, True), (0.6, True), (1.4, False), (1.0, False)])
def test_batches_that_change_their_size(factor: float, found: bool):
    each = 2000 * noise(0.05, 60) * np.where(np.arange(60) < 30, 1.0, factor)
    said = evaluate("batches-change-size", num_tokens=np.cumsum(each))
    assert bool(said) is found
    if said:
        assert said.first_step == pytest.approx(31, abs=1)
        assert said.measured["after"] / said.measured["before"] == pytest.approx(factor, rel=0.1)


def test_batches_of_unlike_length_do_not_change():
    """group_by_length and single rows scatter far more than their mean moves."""
    each = 500 * noise(0.6, 60, 3)
    assert not fired("batches-change-size", num_tokens=np.cumsum(each))
    assert not fired("batches-change-size", num_tokens=np.concatenate([np.cumsum(np.full(30, 9.0))] * 2))  # a resume
    with cannot_evaluate("too-few-points"):
        evaluate("batches-change-size", num_tokens=np.arange(16) * 100.0)


@pytest.mark.parametrize(("tokens", "rate", "found"), [(9e4, 2.5e-4, True), (1.1e5, 2.5e-4, False), (9e4, 2e-5, False)])
def test_few_tokens_explain_a_slow_run_unless_the_rate_does(tokens: float, rate: float, found: bool):
    slow, family = 1.9 * (1 - 0.15 * SHARE), LearningRatePrior(2.5e-4, 1e-3, 2.5e-4)
    settings = Settings(method="sft", learning_rate=rate)
    assert (
        fired(
            "too-few-tokens",
            train_loss=slow,
            num_tokens=tokens * SHARE,
            settings=settings,
            rate_prior=family,
        )
        is found
    )
    assert not fired(
        "too-few-tokens",
        train_loss=healthy(),
        num_tokens=tokens * SHARE,
        settings=settings,
        rate_prior=family,
    )
