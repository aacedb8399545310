"""Detectors of logs that cannot be right: what fires, what does not, and what is too short to ask."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import NotEnoughPoints
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import ask, curve, healthy, noise

LN2 = float(np.log(2))


def test_a_loss_of_zero_to_the_end_is_found_from_its_first_step():
    found = ask("loss-is-zero", curve([1.9, 1.4, 1.2, 0, 0, 0, 0, 0]))
    assert (found.first_step, found.measured["count"]) == (4, 5)


@pytest.mark.parametrize("values", [[1.9, 1.4, 1.2, 1.1, 0, 1.0, 0, 0.9], [0.7, 0.3, 0.1, 0.01, 0.001, 0.001]])
def test_single_zeros_and_a_small_loss_are_not_found(values: list[float]):
    assert ask("loss-is-zero", curve(values)) is None


def test_zeros_in_place_of_nan_are_left_to_the_rule_on_nan():
    train, nan = curve([14.2, 10.9, 6.9, 0, 0, 0, 0, 0]), float("nan")
    assert ask("loss-is-zero", train, curve([4.8, 6.5, nan, nan], [0, 2, 4, 8])) is None
    assert ask("loss-not-finite", train, curve([4.8, 6.5, nan, nan], [0, 2, 4, 8])).first_step == 4
    assert ask("loss-is-zero", train, curve([4.8, 6.5, nan, 0.9], [0, 2, 4, 8])) is not None


def test_a_rate_of_zero():
    assert ask("rate-is-zero", curve([0.0] * 10)).measured == {"share": 1.0}
    assert ask("rate-is-zero", curve([0.0] * 9 + [1e-5])) is None
    with pytest.raises(NotEnoughPoints, match="only 2 learning rates, 3 needed"):
        ask("rate-is-zero", curve([0.0, 0.0]))


@pytest.mark.parametrize(("first", "fires"), [(11.8, False), (12.1, True), (2.0, False)])
def test_the_start_is_compared_with_an_even_guess(first: float, fires: bool):
    found = ask("start-loss-wrong", curve([first, 1.0]), Settings(vocab_size=32_000))  # ln 32,000 = 10.37
    assert (found is not None) is fires


def test_without_the_vocabulary_the_start_cannot_be_asked():
    with pytest.raises(NotEnoughPoints, match="vocab_size"):
        ask("start-loss-wrong", curve([50.0]), Settings())


@pytest.mark.parametrize(("first", "fires"), [(LN2, False), (0.8, False), (0.9, True), (1.4, True), (0.15, True)])
def test_a_dpo_run_starts_at_ln_two(first: float, fires: bool):
    found = ask("dpo-start-loss-wrong", curve([first, 0.6, 0.5, 0.5]), Settings(loss_type="sigmoid"))
    assert (found is not None) is fires


@pytest.mark.parametrize(("before", "fires"), [(LN2, False), (1.4, True)])
def test_an_evaluation_before_training_tells_where_a_dpo_run_starts(before: float, fires: bool):
    train, held = curve([0.89, 0.6, 0.5, 0.5], [3, 6, 9, 12]), curve([before, 0.6], [0, 12])
    assert (ask("dpo-start-loss-wrong", train, Settings(loss_type="sigmoid"), None, held) is not None) is fires


def test_other_preference_losses_start_elsewhere():
    loss = curve([1.8, 1.7, 1.6, 1.5])
    assert ask("dpo-start-loss-wrong", loss, Settings(loss_type="ipo")) is None
    assert ask("dpo-start-loss-wrong", loss, Settings(loss_type="sigmoid", label_smoothing=0.1)) is None
    with pytest.raises(NotEnoughPoints, match="loss_type"):
        ask("dpo-start-loss-wrong", loss, Settings(), curve([0.05] * 4))


def test_a_margin_that_explains_the_loss_speaks_for_sigmoid():
    assert ask("dpo-start-loss-wrong", curve([1.4, 1.2, 1.0, 0.9]), Settings(), curve([-1.1] * 4)) is not None


@pytest.mark.parametrize(("away", "fires"), [(1e-4, True), (1e-3, False)])
def test_a_policy_that_never_moves(away: float, fires: bool):
    assert (ask("policy-never-moves", curve([LN2] * 9 + [LN2 - away])) is not None) is fires


@pytest.mark.parametrize(("times", "fires"), [(8.0, True), (6.6, True), (6.0, False), (1.0, False)])
def test_a_loss_multiplied_by_the_accumulation(times: float, fires: bool):
    level = healthy()
    held = curve(level[9::10], np.arange(10, 101, 10))
    found = ask("loss-scaled-by-accumulation", curve(level * times), held, Settings(gradient_accumulation_steps=8))
    assert (found is not None) is fires


def test_held_out_pairs_that_are_told_apart_better_than_training_pairs_are_no_scaling():
    train, held = curve([0.69, 0.69, 0.54, 0.61, 0.39, 0.58, 0.35, 0.43]), [0.35, 0.28, 0.29, 0.29]
    two = Settings(gradient_accumulation_steps=2)
    assert ask("loss-scaled-by-accumulation", train, curve([0.69, *held], [0, 2, 4, 6, 8]), two) is None
    assert ask("loss-scaled-by-accumulation", train, curve([0.35, *held], [0, 2, 4, 6, 8]), two) is not None


def test_dips_at_every_epoch_end():
    values = healthy() * noise(0.01, 100)
    epoch = curve(np.linspace(0.04, 4, 100))
    dipped = values.copy()
    dipped[[24, 49, 74]] *= 0.4
    assert ask("epoch-end-log-low", curve(dipped), epoch).measured["ratio"] == pytest.approx(0.4, abs=0.05)
    dipped[49] = values[49]
    assert ask("epoch-end-log-low", curve(dipped), epoch) is None
    with pytest.raises(NotEnoughPoints, match="epoch ends"):
        ask("epoch-end-log-low", curve(values), curve(np.linspace(0.01, 1, 100)))


@pytest.mark.parametrize(("gap", "fires"), [(0.4, True), (-0.3, True), (0.2, False)])
def test_a_held_out_loss_of_another_kind_at_the_start(gap: float, fires: bool):
    train = curve(np.linspace(1.5, 1.4, 100))
    held = curve([1.5 * (1 + gap), 1.4], [1, 100])
    assert (ask("eval-differs-at-start", train, held) is not None) is fires


def test_a_late_first_evaluation_says_nothing_about_the_start():
    with pytest.raises(NotEnoughPoints, match="near the start"):
        ask("eval-differs-at-start", curve(healthy()), curve([2.0, 2.0], [50, 100]))
