"""Rules on TRL's token accuracy, entropy and token count: fire, do not, just inside and outside, too short."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import NotEnoughPoints
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import ask, curve, healthy, noise

SFT, DPO = Settings(method="sft"), Settings(method="dpo")
SHARE = np.arange(1, 101) / 100


def test_rows_that_are_known_from_the_start():
    falling = curve(healthy())
    assert ask("rows-known-from-the-start", falling, curve(np.full(100, 0.99))).measured["accuracy"] == 0.99
    assert ask("rows-known-from-the-start", falling, curve(np.full(100, 0.981)))
    assert ask("rows-known-from-the-start", falling, curve(np.full(100, 0.979))) is None
    assert ask("rows-known-from-the-start", curve(np.full(20, 0.029)), None)
    assert ask("rows-known-from-the-start", curve(np.full(20, 0.031)), None) is None
    assert ask("rows-known-from-the-start", curve(np.zeros(20)), None) is None  # that is loss-is-zero
    with pytest.raises(NotEnoughPoints, match="only 4 training losses, 5 needed"):
        ask("rows-known-from-the-start", curve([0.01] * 4), None)


def test_an_accuracy_that_learned_to_the_top_is_no_leak():
    learned = 0.3 + 0.699 * (1 - np.exp(-8 * SHARE))
    assert ask("rows-known-from-the-start", curve(5 * np.exp(-6 * SHARE)), curve(learned)) is None


def test_a_loss_that_falls_without_its_accuracy():
    loss = curve(0.9 + 1.3 * np.exp(-4 * SHARE))
    still = 0.55 + 0.003 * np.random.default_rng(0).standard_normal(100)
    found = ask("accuracy-contradicts-loss", loss, curve(still))
    assert found.measured["fall"] > 0.3
    assert abs(found.measured["gained"]) < 0.005
    assert ask("accuracy-contradicts-loss", loss, curve(still + 0.006 * (SHARE > 0.5))) is None
    assert ask("accuracy-contradicts-loss", curve(1.0 + 0.3 * np.exp(-4 * SHARE)), curve(still)) is None
    assert ask("accuracy-contradicts-loss", loss, curve(still + 0.4)) is None  # no room left to gain
    with pytest.raises(NotEnoughPoints):
        ask("accuracy-contradicts-loss", loss, curve(still[:19]))


@pytest.mark.parametrize(("drop", "found"), [(0.13, True), (0.09, False), (0.0, False)])
def test_a_token_accuracy_that_falls(drop: float, found: bool):
    right = 0.7 - drop * np.clip(4 * (SHARE - 0.5), 0, 1) + 0.01 * np.random.default_rng(1).standard_normal(100)
    loss = curve(np.where(SHARE > 0.5, 1.5, healthy()))
    assert bool(ask("token-accuracy-falls", curve(right), None, loss)) is found


def test_what_speaks_against_a_falling_accuracy():
    right = curve(0.7 - 0.3 * np.clip(4 * (SHARE - 0.5), 0, 1))
    steady, falling = curve([0.7, 0.7, 0.7, 0.69]), curve([0.7, 0.7, 0.55, 0.45])
    assert ask("token-accuracy-falls", right, falling, None)
    assert ask("token-accuracy-falls", right, steady, None) is None  # single batches differ
    assert ask("token-accuracy-falls", right, None, curve(2.0 - SHARE)) is None  # the loss still falls
    with pytest.raises(NotEnoughPoints):
        ask("token-accuracy-falls", curve([0.7, 0.2] * 9), None, None)


def test_rows_learned_by_heart():
    train = curve(0.55 + 0.44 * (1 - np.exp(-8 * SHARE)))
    flat, better = [0.55, 0.66, 0.67, 0.67, 0.67, 0.67], [0.55, 0.7, 0.75, 0.78, 0.8, 0.82]
    found = ask("train-tokens-memorized", train, curve(flat))
    assert found.measured["gap"] == pytest.approx(0.32, abs=0.01)
    assert 0 < found.first_step < 100
    assert ask("train-tokens-memorized", train, curve(better)) is None  # the held-out rows still gain
    assert ask("train-tokens-memorized", train, curve(np.full(6, 0.85))) is None  # gap 0.14
    assert ask("train-tokens-memorized", train, curve(np.full(6, 0.83)))  # gap 0.16
    assert ask("train-tokens-memorized", curve(0.55 + 0.41 * (1 - np.exp(-8 * SHARE))), curve(flat)) is None  # 96 %
    with pytest.raises(NotEnoughPoints, match="only 3 held-out token accuracies"):
        ask("train-tokens-memorized", train, curve(flat[:3]))


@pytest.mark.parametrize(("left", "found"), [(0.42, True), (0.52, False), (1.0, False)])
def test_an_entropy_that_goes_without_the_loss(left: float, found: bool):
    entropy = 1.6 * (1 - (1 - left) * (1 - np.exp(-8 * SHARE))) * noise(0.02, 100)
    loss = curve(np.full(100, 1.7) * noise(0.02, 100, 1))
    assert bool(ask("entropy-collapses", curve(entropy), SFT, loss)) is found


def test_an_entropy_that_falls_with_the_loss_is_no_collapse():
    loss = 6.0 * np.exp(-7 * SHARE) + 0.01
    assert ask("entropy-collapses", curve(0.9 * loss), SFT, curve(loss)) is None
    wrong_at_first = np.interp(SHARE, [0, 0.3, 1], [0.85, 1.2, 0.03])  # a base model that is surely wrong
    assert ask("entropy-collapses", curve(wrong_at_first), SFT, curve(loss)) is None


def test_an_entropy_of_pairs_is_judged_by_itself():
    fallen = curve(1.6 * (1 - 0.6 * SHARE) * noise(0.02, 100))
    loss = curve(0.69 - 0.2 * SHARE)
    assert ask("entropy-collapses", fallen, DPO, loss, None)
    assert ask("entropy-collapses", fallen, DPO, loss, curve([1.6, 1.1]))
    assert ask("entropy-collapses", fallen, DPO, loss, curve([1.6, 1.5])) is None
    with pytest.raises(NotEnoughPoints, match="only 11 entropies"):
        ask("entropy-collapses", curve([1.0] * 11), DPO)
    with pytest.raises(NotEnoughPoints, match="too few training losses"):
        ask("entropy-collapses", fallen, SFT, curve([1.0] * 5))


@pytest.mark.parametrize(("end", "found"), [(0.5, True), (0.62, False)])
def test_a_model_that_is_overconfident(end: float, found: bool):
    entropy, loss = np.append(np.linspace(1.3, end * 1.4, 9), end * 1.4), np.full(10, 1.4)
    assert bool(ask("overconfident", curve(entropy), curve(loss))) is found
    assert ask("overconfident", curve(np.full(10, 0.6)), curve(np.full(10, 1.4))) is None  # sure from the start
    with pytest.raises(NotEnoughPoints):
        ask("overconfident", curve([1.0] * 3), curve([1.0] * 10))


@pytest.mark.parametrize(("factor", "found"), [(1.6, True), (0.6, True), (1.4, False), (1.0, False)])
def test_batches_that_change_their_size(factor: float, found: bool):
    each = 2000 * noise(0.05, 60) * np.where(np.arange(60) < 30, 1.0, factor)
    said = ask("batches-change-size", curve(np.cumsum(each)))
    assert bool(said) is found
    if said:
        assert said.first_step == pytest.approx(31, abs=1)
        assert said.measured["after"] / said.measured["before"] == pytest.approx(factor, rel=0.1)


def test_batches_of_unlike_length_do_not_change():
    """group_by_length and single rows scatter far more than their mean moves."""
    each = 500 * noise(0.6, 60, 3)
    assert ask("batches-change-size", curve(np.cumsum(each))) is None
    assert ask("batches-change-size", curve(np.concatenate([np.cumsum(np.full(30, 9.0))] * 2))) is None  # a resume
    with pytest.raises(NotEnoughPoints):
        ask("batches-change-size", curve(np.arange(16) * 100.0))


@pytest.mark.parametrize(("tokens", "rate", "found"), [(9e4, 2.5e-4, True), (1.1e5, 2.5e-4, False), (9e4, 2e-5, False)])
def test_few_tokens_explain_a_slow_run_unless_the_rate_does(tokens: float, rate: float, found: bool):
    slow, family = 1.9 * (1 - 0.15 * SHARE), LearningRatePrior(2.5e-4, 1e-3, 2.5e-4)
    settings = Settings(method="sft", learning_rate=rate)
    assert bool(ask("too-few-tokens", curve(slow), curve(tokens * SHARE), settings, family)) is found
    assert ask("too-few-tokens", curve(healthy()), curve(tokens * SHARE), settings, family) is None
