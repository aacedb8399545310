"""Numbers that stand still although they cannot."""

from __future__ import annotations

import numpy as np

from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise


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


SHARE = np.arange(1, 101) / 100


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
        evaluate("eval-loss-never-moves", eval_loss=curve(np.round([*moving, *[1.047] * 4], 3), at), train_loss=rounded)
    digits = [float(f"{loss:.4g}") for loss in 1.5 - 0.6 * SHARE * noise(0.02, 100)]
    with cannot_evaluate("log-rounded"):  # 0.9837 beside 1.047: four digits, as printed logs have
        evaluate("eval-loss-never-moves", eval_loss=curve([*moving, *[1.047] * 4], at), train_loss=digits)
    late = curve([1.0473217] * 4, at[-4:])
    assert not fired("eval-loss-never-moves", eval_loss=late, train_loss=np.full(100, 1.2))  # nor training
    with cannot_evaluate("too-few-points", have=3, need=4, what="evaluations"):
        evaluate("eval-loss-never-moves", eval_loss=[1.05, 1.0473217, 1.0473217], train_loss=falling)


def test_held_out_losses_that_are_all_alike():
    at = [10, 55, 100]
    for train_loss in (curve(healthy()), curve(np.full(100, 1.2) * noise(0.02, 100))):
        found = evaluate("eval-loss-never-moves", eval_loss=curve([1.0473] * 3, at), train_loss=train_loss)
        assert found.measured["count"] == 3
    with cannot_evaluate("too-few-points", have=3, need=4):
        evaluate("eval-loss-never-moves", eval_loss=curve([1.0473, 1.0473, 1.0472], at), train_loss=healthy())
    with cannot_evaluate("too-few-points", have=3, need=4):  # 1.05 is written to 0.01: other losses look the same
        evaluate("eval-loss-never-moves", eval_loss=curve([1.05] * 3, at), train_loss=healthy())


def test_training_losses_that_are_all_alike_without_a_fall():
    dead = np.append([2.4, 2.31, 2.33, 2.305], [2.3026] * 6)
    assert evaluate("loss-never-moves", train_loss=dead).measured == {"count": 6, "value": 2.3026}
    assert not fired("loss-never-moves", train_loss=dead[:7])  # 3 of 7
    assert not fired("loss-never-moves", train_loss=np.append([3.0, 2.7, 2.5, 2.4], [2.3026] * 6))  # it came down
    assert not fired("loss-never-moves", train_loss=np.append(dead, 2.3027))
    with cannot_evaluate("log-rounded"):
        evaluate("loss-never-moves", train_loss=np.round(dead, 1))
