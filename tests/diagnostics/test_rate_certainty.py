"""How sure a model is beside how wrong: what is left of the excess over its entropy, and whether its margins lag."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics import Curve, Settings
from diagnostics.rate.certainty import LEAST_EXCESS, certainty

STEPS = np.arange(10.0, 201.0, 10.0)
DPO = Settings(method="dpo")


def curves(**values: np.ndarray | float) -> dict[str, Curve]:
    return {name: Curve.from_points(STEPS, np.broadcast_to(value, STEPS.size)) for name, value in values.items()}


def closing(left: float) -> dict[str, Curve]:
    """A loss of 2 whose entropy comes up from 1, until so much of the excess is left."""
    return curves(train_loss=2.0, entropy=np.append(np.linspace(1.0, 2.0 - left, 16), np.full(4, 2.0 - left)))


@pytest.mark.parametrize("left", [0.0, 0.3, 1.0])
def test_the_excess_is_what_is_left_of_the_loss_above_the_entropy(left: float):
    assert certainty(closing(left), Settings())["excess"] == pytest.approx(left, abs=1e-9)


def test_held_out_rows_say_more_of_it_than_training_rows():
    held = curves(eval_loss=2.0, eval_entropy=np.linspace(1.0, 1.5, STEPS.size))
    assert certainty(closing(0.0) | held, Settings())["excess"] > 0.5


@pytest.mark.parametrize(("began", "known"), [(LEAST_EXCESS + 0.01, True), (LEAST_EXCESS - 0.01, False)])
def test_an_excess_must_have_been_there_to_be_made_up_for(began: float, known: bool):
    assert bool(certainty(curves(train_loss=1.0, entropy=1.0 - began), Settings())) is known


def test_a_model_that_grew_surer_than_it_began_says_nothing_of_its_rate():
    assert not certainty(curves(train_loss=2.0, entropy=np.linspace(1.4, 0.5, STEPS.size)), Settings())


@pytest.mark.parametrize(("loss", "sign"), [(0.5, 1), (0.1, -1)])
def test_margins_lag_where_the_loss_is_above_that_of_the_pairs_told_apart(loss: float, sign: int):
    told = curves(train_loss=loss, rewards_accuracies=0.95, eval_loss=loss, eval_rewards_accuracies=0.95)
    found = certainty(told, DPO)
    assert set(found) == {"train_unsure", "eval_unsure"}
    assert all(np.sign(value) == sign for value in found.values())
    assert not certainty(told, Settings(method="sft"))
