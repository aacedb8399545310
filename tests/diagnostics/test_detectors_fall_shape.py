"""A loss that only follows the rate spent, or that does not come out of its noise."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics import Settings
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.signals import fall_of_shape
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise

SHARE = np.arange(0, 101) / 100
COSINE = SHARE / 2 + np.sin(np.pi * SHARE) / (2 * np.pi)
LINE = 1.0 - (1.0 - SHARE) ** 2
AT = np.arange(0, 101, 10)


@pytest.mark.parametrize("spent", [2.0 * COSINE, LINE, SHARE], ids=["cosine", "linear", "constant"])
@pytest.mark.parametrize("fall", [0.002, 0.5])
def test_a_fall_in_proportion_to_the_rate_spent(spent: np.ndarray, fall: float):
    slow = 2.0 - fall * spent
    found = evaluate("fall-follows-rate", train_loss=curve(slow, 100 * SHARE), eval_loss=curve(slow[AT], AT))
    assert found.measured["quarter"] <= 0.5
    assert found.measured["fall"] == pytest.approx(fall / 2.0, rel=0.1)


@pytest.mark.parametrize("bent", [np.log1p(60 * SHARE), 1 - (1 + 60 * SHARE) ** -0.8, 1 - np.exp(-6 * SHARE)])
def test_a_loss_that_nears_its_floor_bends(bent: np.ndarray):
    well = 2.0 - 0.5 * bent / bent[-1]
    assert not fired("fall-follows-rate", train_loss=curve(well, 100 * SHARE), eval_loss=curve(well[AT], AT))
    assert not fired("fall-follows-rate", train_loss=curve(well * noise(0.02, 101), 100 * SHARE))


def test_a_training_loss_alone_must_tell_the_shapes_apart():
    slow = 2.0 - 0.8 * COSINE
    assert fired("fall-follows-rate", train_loss=curve(slow * noise(0.02, 101), 100 * SHARE))
    assert not fired("fall-follows-rate", train_loss=curve((2.0 - 0.02 * COSINE) * noise(0.1, 101), 100 * SHARE))


@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_was_thrown_up_and_came_back_was_not_slow(seed: int):
    slow = (2.0 - 0.8 * COSINE) * noise(0.02, 101, seed=seed)
    thrown = slow + np.where((SHARE > 0.15) & (SHARE < 0.5), 0.6, 0.0)
    evals = {"eval_loss": curve((2.0 - 0.8 * COSINE)[AT], AT)}
    assert fired("fall-follows-rate", train_loss=curve(slow, 100 * SHARE), **evals)
    assert not fired("fall-follows-rate", train_loss=curve(thrown, 100 * SHARE), **evals)


def test_under_a_rate_known_to_be_constant_a_bend_is_a_bend():
    bends = 2.0 - 0.5 * (1 - np.exp(-2.0 * SHARE))
    given = {"train_loss": curve(bends, 100 * SHARE), "eval_loss": curve(bends[AT], AT)}
    assert fired("fall-follows-rate", **given)
    assert not fired("fall-follows-rate", **given, settings=Settings(lr_scheduler_type="constant"))


def test_pairs_that_are_told_apart_were_learned():
    for fall, found in ((0.05, True), (0.25, False)):
        loss = np.log(2.0) - fall * 2.0 * COSINE
        given = {"train_loss": curve(loss, 100 * SHARE), "eval_loss": curve(loss[AT], AT)}
        assert fired("fall-follows-rate", **given, settings=Settings(method="dpo")) is found
    assert fired("fall-follows-rate", **given, settings=Settings(method="sft"))


def test_a_fall_that_does_not_come_out_of_its_noise():
    flat = 2.0 * noise(0.1, 60)
    assert fired("fall-not-shown", train_loss=flat)
    assert not fired("fall-not-shown", train_loss=healthy(60) * noise(0.1, 60))
    assert not fired("fall-not-shown", train_loss=flat, eval_loss=curve([2.0, 1.9], [30, 60]))
    assert fired("fall-not-shown", train_loss=flat, eval_loss=curve([2.0, 1.98], [30, 60]))
    with cannot_evaluate("too-few-points", have=7, need=8):
        evaluate("fall-not-shown", train_loss=flat[:7])


def test_a_usual_rate_may_have_learned_before_the_first_log():
    usual = LearningRatePrior(center=1e-4, floor=1e-6, cap=1e-3)
    flat = 2.0 * noise(0.1, 60)
    with cannot_evaluate("loss-too-noisy"):
        evaluate("fall-not-shown", train_loss=flat, settings=Settings(learning_rate=1e-4), rate_prior=usual)
    assert fired("fall-not-shown", train_loss=flat, settings=Settings(learning_rate=1e-6), rate_prior=usual)


def test_shapes_are_compared_in_nats():
    steep = fall_of_shape(curve(healthy(60) * noise(0.01, 60)))
    straight = fall_of_shape(curve((2.0 - SHARE) * noise(0.01, 101), 100 * SHARE))
    level = fall_of_shape(curve(2.0 * noise(0.01, 60)))
    assert steep.follows_rate < -10 < 10 < straight.follows_rate
    assert min(steep.shown, straight.shown) > 100
    assert level.shown < 3
