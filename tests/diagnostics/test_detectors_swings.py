"""Swings and zigzags of the training loss: those of small batches are not instability."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import FloatArray
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise


def test_a_loss_that_zigzags():
    beat = np.where(np.arange(100) % 2, 1.1, 0.9)
    found = evaluate("loss-zigzags", train_loss=1.5 * beat * noise(0.01, 100))
    assert found.measured["flips"] > 0.95
    assert not fired("loss-zigzags", train_loss=1.5 * (1 + 0.2 * (beat - 1)) * noise(0.005, 100))  # 2 % of the level
    with cannot_evaluate("too-few-points"):
        evaluate("loss-zigzags", train_loss=beat[:59])


def test_noise_does_not_zigzag():
    runs = [curve(healthy(size) * noise(0.1, size, seed)) for seed in range(40) for size in (60, 100, 400)]
    assert not any(evaluate("loss-zigzags", train_loss=run) for run in runs)


@pytest.mark.parametrize(("scale", "fires"), [(0.1, False), (0.35, True)])
def test_swings_of_a_loss_that_does_not_fall(scale: float, fires: bool):
    assert (
        fired("loss-swings", train_loss=1.5 * noise(scale, 100), settings=Settings(), rate_prior=LearningRatePrior())
        is fires
    )


def test_swings_smaller_than_what_was_learned_are_no_fault():
    values = np.geomspace(3.0, 0.3, 100) * noise(0.3, 100)
    assert not fired("loss-swings", train_loss=values)


def test_batches_that_differ_are_no_swing_where_the_held_out_loss_is_calm():
    swinging, at = curve(1.5 * noise(0.35, 100)), [1, 25, 50, 75, 100]
    calm, swung = curve([1.5, 1.499, 1.498, 1.497, 1.496], at), curve([1.5, 1.9, 1.2, 2.1, 1.4], at)
    assert not fired("loss-swings", train_loss=swinging, eval_loss=calm)
    assert fired("loss-swings", train_loss=swinging, eval_loss=swung)


@pytest.mark.parametrize(("rate", "fires"), [(5e-5, False), (2e-4, True)])
def test_a_rate_far_below_the_usual_one_is_not_blamed_for_swings(rate: float, fires: bool):
    found = evaluate(
        "loss-swings",
        train_loss=1.5 * noise(0.35, 100),
        settings=Settings(learning_rate=rate),
        rate_prior=LearningRatePrior(center=2.5e-4),
    )
    assert (found is not None) is fires


COUNT = 120
FLAT = 1.5 * np.ones(COUNT)


def swings(values: FloatArray, rate: FloatArray | None = None, **known: float) -> bool:
    decays = {} if rate is None else {"learning_rate": curve(rate)}
    settings = Settings.from_mapping(known)
    found = evaluate("loss-swings", train_loss=values, settings=settings, **decays)
    return found is not None


def test_wild_swings_count_where_batch_and_rate_are_unknown():
    assert swings(FLAT * noise(0.35, COUNT))


SHARE = np.arange(1, COUNT + 1) / COUNT
DECAY = 2e-4 * (1.01 - SHARE)


def test_a_scatter_that_stays_while_the_rate_decays_is_of_the_batches():
    assert not swings(FLAT * noise(0.35, COUNT), DECAY)


def test_a_scatter_that_shrinks_with_the_rate_is_of_the_step_size():
    shrinking = FLAT * np.exp(0.9 * DECAY / DECAY[0] * np.random.default_rng(0).standard_normal(COUNT))
    assert swings(shrinking, DECAY)


@pytest.mark.parametrize(("rows", "fires"), [(1, False), (64, True)])
def test_single_rows_scatter_by_themselves(rows: int, fires: bool):
    assert swings(FLAT * noise(0.35, COUNT), batch_size=rows, logging_steps=1) is fires


@pytest.mark.parametrize(("rows", "fires"), [(1, False), (4, False), (8, True)])
def test_at_a_constant_rate_a_few_short_rows_may_swing_widely(rows: int, fires: bool):
    constant = 2e-4 * np.ones(COUNT)
    assert swings(FLAT * noise(0.9, COUNT), constant, batch_size=rows, logging_steps=1) is fires


def test_a_few_rows_whose_scatter_shrinks_with_the_rate_swing():
    shrinking = FLAT * np.exp(1.5 * DECAY / DECAY[0] * np.random.default_rng(0).standard_normal(COUNT))
    assert swings(shrinking, DECAY, batch_size=2, logging_steps=1)


def test_a_held_out_loss_that_ends_a_little_higher_is_calm_beside_single_rows():
    held = curve(1.5 * np.array([1.0, 0.99, 1.01, 1.0, 1.03]), np.linspace(1, COUNT, 5))
    rough = curve(FLAT * noise(0.5, COUNT))
    assert not fired("loss-swings", train_loss=rough, eval_loss=held)
    risen = curve(1.5 * np.array([1.0, 1.2, 1.1, 1.4, 1.5]), np.linspace(1, COUNT, 5))
    assert fired("loss-swings", train_loss=rough, eval_loss=risen)


def test_a_loss_that_comes_down_beneath_its_swings_learns():
    assert not swings((1.8 - 0.9 * SHARE) * noise(0.4, COUNT))
