"""Swings of the training loss alone: those of small batches are no instability."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import FloatArray
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import curve, evaluate, fired, noise

COUNT = 120
SHARE = np.arange(1, COUNT + 1) / COUNT
DECAY = 2e-4 * (1.01 - SHARE)
FLAT = 1.5 * np.ones(COUNT)


def swings(values: FloatArray, rate: FloatArray | None = None, **known: float) -> bool:
    decays = {} if rate is None else {"learning_rate": curve(rate)}
    settings = Settings.from_mapping(known)
    found = evaluate("loss-swings", train_loss=values, settings=settings, **decays)
    return found is not None


def test_without_a_word_on_batches_or_rate_wild_swings_count():
    assert swings(FLAT * noise(0.35, COUNT))


def test_a_scatter_that_stays_while_the_rate_decays_is_of_the_batches():
    assert not swings(FLAT * noise(0.35, COUNT), DECAY)


def test_a_scatter_that_shrinks_with_the_rate_is_of_the_step_size():
    shrinking = FLAT * np.exp(0.9 * DECAY / DECAY[0] * np.random.default_rng(0).standard_normal(COUNT))
    assert swings(shrinking, DECAY)


@pytest.mark.parametrize(("rows", "fires"), [(1, False), (64, True)])
def test_single_rows_scatter_by_themselves(rows: int, fires: bool):
    assert swings(FLAT * noise(0.35, COUNT), batch_size=rows, logging_steps=1) is fires


@pytest.mark.parametrize(("rows", "fires"), [(1, False), (4, False), (8, True)])
def test_at_a_constant_rate_a_few_short_rows_may_swing_ever_so_much(rows: int, fires: bool):
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
