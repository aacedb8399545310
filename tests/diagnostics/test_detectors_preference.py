"""Rules on preference pairs (DPO)."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired


@pytest.mark.parametrize(
    ("train", "held", "margin", "found"),
    [(0.8, 0.2, -1.0, True), (0.8, 0.34, -1.0, True), (0.8, 0.36, -1.0, False), (0.6, 0.2, -1.0, False)],
)
def test_swapped_held_out_pairs(train: float, held: float, margin: float, found: bool):
    fires = evaluate(
        "held-out-pairs-swapped",
        rewards_accuracies=np.full(20, train),
        eval_rewards_accuracies=[held] * 4,
        eval_rewards_margins=[margin] * 4,
    )
    assert bool(fires) is found


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


def flat(value: float, size: int = 50) -> Curve:
    return curve(np.full(size, value))


@pytest.mark.parametrize(
    ("accuracy", "margin", "loss", "fires"),
    [
        (0.52, 0.006, 0.691, True),
        (0.72, 0.05, 0.690, True),
        (0.60, 0.09, 0.66, False),
        (0.52, 0.4, 0.66, False),
        (0.75, 0.6, 0.55, False),
    ],
)
def test_not_learned_is_chance_or_ln_two_with_a_tiny_margin(accuracy: float, margin: float, loss: float, fires: bool):
    found = evaluate(
        "preferences-not-learned",
        rewards_accuracies=flat(accuracy),
        rewards_margins=flat(margin),
        train_loss=flat(loss),
    )
    assert (found is not None) is fires


def test_the_held_out_pairs_decide_where_they_are_logged():
    held = {"eval_rewards_accuracies": flat(0.51, 8), "eval_rewards_margins": flat(0.01, 8)}
    assert fired(
        "preferences-not-learned",
        rewards_accuracies=flat(0.8),
        rewards_margins=flat(0.5),
        train_loss=flat(0.65),
        **held,
    )
    held = {"eval_rewards_accuracies": flat(0.7, 8), "eval_rewards_margins": flat(0.4, 8)}
    assert not fired(
        "preferences-not-learned",
        rewards_accuracies=flat(0.52),
        rewards_margins=flat(0.05),
        train_loss=flat(0.65),
        **held,
    )


LN2 = float(np.log(2))


def test_four_losses_are_too_few():
    with cannot_evaluate("too-few-points", have=4, need=5, what="training losses"):
        evaluate(
            "preferences-not-learned",
            rewards_accuracies=flat(0.5, 4),
            rewards_margins=flat(0.0, 4),
            train_loss=flat(LN2, 4),
        )


RISING = curve(np.concatenate([np.linspace(0.69, 0.6, 10), np.linspace(0.6, 0.9, 10)]), np.linspace(2, 50, 20))


@pytest.mark.parametrize(("accuracy", "fires"), [(0.94, False), (0.97, True)])
def test_saturated_needs_nearly_all_training_pairs(accuracy: float, fires: bool):
    found = evaluate(
        "preferences-saturate",
        rewards_accuracies=flat(accuracy),
        train_loss=flat(0.1),
        eval_rewards_accuracies=flat(0.66, 20),
        eval_loss=RISING,
    )
    assert (found is not None) is fires


def test_perfect_training_pairs_alone_are_no_fault():
    """Zephyr's training accuracy was perfect after one epoch, and its answers were the better for it."""
    falling = curve(np.linspace(0.69, 0.5, 20), np.linspace(2, 50, 20))
    assert not fired(
        "preferences-saturate",
        rewards_accuracies=flat(0.99),
        train_loss=flat(0.1),
        eval_rewards_accuracies=flat(0.75, 20),
        eval_loss=falling,
    )
    better = curve(np.linspace(0.5, 0.8, 20), np.linspace(2, 50, 20))
    assert not fired(
        "preferences-saturate",
        rewards_accuracies=flat(0.99),
        train_loss=flat(0.1),
        eval_rewards_accuracies=better,
        eval_loss=RISING,
    )


@pytest.mark.parametrize(("loss", "fires"), [(0.01, True), (0.2, False)])
def test_without_held_out_pairs_a_loss_near_zero_decides(loss: float, fires: bool):
    assert fired("preferences-saturate", rewards_accuracies=flat(1.0), train_loss=flat(loss)) is fires


SHARE = np.linspace(0.02, 1, 50)


@pytest.mark.parametrize(("low", "fires"), [(-0.7, False), (-2.0, True)])
def test_a_mild_fall_of_the_chosen_answers_is_how_dpo_works(low: float, fires: bool):
    found = evaluate("chosen-likelihood-falls", rewards_chosen=low * SHARE, rewards_margins=1.5 * SHARE)
    assert (found is not None) is fires


def test_a_low_reward_that_recovers_is_not_falling():
    assert not fired("chosen-likelihood-falls", rewards_chosen=-2.5 + SHARE, rewards_margins=1.5 * SHARE)


@pytest.mark.parametrize(("lost", "fires"), [(0.3, False), (0.7, True)])
def test_both_answers_collapse(lost: float, fires: bool):
    sinking = curve(-180 * (1 + lost * SHARE * 1.1))
    assert fired("likelihood-collapses", logps_chosen=sinking, logps_rejected=sinking) is fires


def test_one_answer_that_sinks_is_no_collapse():
    assert not fired("likelihood-collapses", logps_chosen=-180 - 0 * SHARE, logps_rejected=-180 - 200 * SHARE)


def test_entropy_lowers_the_bar():
    sinking, entropy = curve(-180 * (1 + 0.4 * SHARE)), curve(2.0 - 1.6 * SHARE)
    assert not fired("likelihood-collapses", logps_chosen=sinking, logps_rejected=sinking)
    assert fired("likelihood-collapses", logps_chosen=sinking, logps_rejected=sinking, entropy=entropy)


@pytest.mark.parametrize(("size", "fires"), [(4.0, False), (7.0, True)])
def test_rewards_that_run_away(size: float, fires: bool):
    found = evaluate("margins-run-away", rewards_chosen=0.2 * SHARE, rewards_rejected=-size * SHARE)
    assert (found is not None) is fires


def test_batches_of_long_answers_are_no_collapse_where_the_held_out_pairs_stay():
    falling = curve(np.linspace(-20.0, -70.0, 24))
    still, fallen = curve([-28.8, -28.8, -28.7], [0, 12, 24]), curve([-28.8, -50.0, -80.0], [0, 12, 24])
    assert not fired(
        "likelihood-collapses",
        logps_chosen=falling,
        logps_rejected=falling,
        eval_logps_chosen=still,
        eval_logps_rejected=still,
    )
    assert fired(
        "likelihood-collapses",
        logps_chosen=falling,
        logps_rejected=falling,
        eval_logps_chosen=fallen,
        eval_logps_rejected=fallen,
    )
