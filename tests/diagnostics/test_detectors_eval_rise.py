"""A rise of the held-out loss that counts: against noise, what was learned, and the training loss."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve
from diagnostics.model.outlook import Outlook
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, noise

FALLING = curve(np.linspace(1.5, 0.5, 100))


def turning(by: float, evals: int = 20, scale: float = 0.0) -> Curve:
    half = evals // 2
    values = np.concatenate([np.linspace(1.5, 1.3, half), np.linspace(1.3, 1.3 * (1 + by), evals - half)])
    return curve(values * noise(scale, evals, 2), np.linspace(5, 100, evals))


@pytest.mark.parametrize(("by", "fires"), [(0.0, False), (0.015, False), (0.03, True), (0.5, True)])
def test_a_rise_counts_from_two_percent_on(by: float, fires: bool):
    found = evaluate("eval-loss-rises", eval_loss=turning(by), train_loss=FALLING)
    assert (found is not None) is fires
    if found:
        assert found.first_step == pytest.approx(50, abs=6)
        assert found.measured["rise"] == pytest.approx(by, rel=0.3)


@pytest.mark.parametrize(("scale", "fires"), [(0.002, True), (0.05, False)])
def test_a_rise_must_stand_out_of_the_noise(scale: float, fires: bool):
    assert fired("eval-loss-rises", eval_loss=turning(0.06, scale=scale), train_loss=FALLING) is fires


def test_the_training_loss_must_go_on_falling():
    assert not fired("eval-loss-rises", eval_loss=turning(0.2), train_loss=np.linspace(1.0, 1.2, 100))
    assert not fired(
        "eval-loss-rises", eval_loss=turning(0.2), train_loss=np.concatenate([np.linspace(2, 1, 50), np.ones(50)])
    )


def test_without_a_training_loss_the_rise_is_found_with_less_certainty():
    alone, both = (
        evaluate("eval-loss-rises", eval_loss=turning(0.2)),
        evaluate("eval-loss-rises", eval_loss=turning(0.2), train_loss=FALLING),
    )
    assert alone.strength < both.strength


def test_flat_noisy_evaluations_are_seldom_called_a_rise():
    found = [
        fired(
            "eval-loss-rises", eval_loss=curve(1.3 * noise(0.01, 15, seed), np.linspace(5, 100, 15)), train_loss=FALLING
        )
        for seed in range(200)
    ]
    assert np.mean(found) <= 0.05


def test_five_epochs_are_enough_for_a_clear_rise():
    train, held = curve([0.52, 0.35, 0.25, 0.19, 0.14]), curve([0.54, 0.50, 0.58, 0.77, 0.81])
    assert fired("eval-loss-rises", eval_loss=held, train_loss=train)


def test_three_evaluations_are_not():
    with cannot_evaluate("too-few-points", have=3, need=4, what="evaluations"):
        evaluate("eval-loss-rises", eval_loss=[1.0, 1.1, 1.2], train_loss=FALLING)


THIRDS = (33, 66, 99)


@pytest.mark.parametrize(
    ("held", "steps", "fires"),
    [
        ([1.0, 1.06], (50, 100), True),
        ([1.0, 1.04], (50, 100), False),
        ([1.1, 1.0, 1.06], THIRDS, True),
        ([1.1, 1.0, 1.04], THIRDS, False),
        ([1.0, 1.2, 1.0], THIRDS, False),
        ([1.0, 1.06], (0, 100), False),
    ],
    ids=["two", "a small rise of two", "three", "a small rise of three", "came down again", "before training"],
)
def test_two_or_three_evaluations_show_a_large_rise(held: list[float], steps: tuple[int, ...], fires: bool):
    given = {"eval_loss": curve(held, steps), "train_loss": FALLING}
    if fires:
        found = evaluate("eval-loss-rises", **given)
        assert (found.first_step, found.last_step) == (steps[len(steps) - 2], steps[-1])
        assert found.measured["rise"] == pytest.approx(0.06)
        return
    with cannot_evaluate("too-few-points", have=len(held), need=4, what="evaluations"):
        evaluate("eval-loss-rises", **given)


@pytest.mark.parametrize(("end", "fires"), [(0.88, True), (0.92, False)])
def test_in_the_meantime_the_training_loss_must_have_fallen(end: float, fires: bool):
    train = curve(np.concatenate([np.linspace(2.0, 1.0, 50), np.linspace(1.0, end, 50)]))
    given = {"eval_loss": curve([1.0, 1.06], (50, 100)), "train_loss": train}
    if fires:
        assert fired("eval-loss-rises", **given)
        return
    with cannot_evaluate("too-few-points", have=2, need=4, what="evaluations"):
        evaluate("eval-loss-rises", **given)


@pytest.mark.parametrize(("planned", "fires"), [(None, True), (105, True), (120, False)])
def test_before_the_end_of_a_run_more_evaluations_are_to_come(planned: int | None, fires: bool):
    given = {"eval_loss": curve([1.0, 1.06], (50, 100)), "train_loss": FALLING, "settings": Settings(max_steps=planned)}
    if fires:
        assert fired("eval-loss-rises", **given)
        return
    with cannot_evaluate("too-few-points", have=2, need=4, what="evaluations"):
        evaluate("eval-loss-rises", **given)


def test_a_rise_of_two_evaluations_that_is_next_to_nothing_of_what_was_lost_is_none():
    given = {"eval_loss": curve([0.01, 0.011], (50, 100)), "train_loss": curve(np.geomspace(2.0, 0.001, 100))}
    assert fired("eval-loss-rises", **given)
    with cannot_evaluate("too-few-points", have=2, need=4, what="evaluations"):
        evaluate("eval-loss-rises", **given, outlook=Outlook(0.9, 0.05, 0.03, 0.02, points=100))


SHARE = np.arange(1, 41) / 40
FALLING_FAR = curve(2.0 * np.exp(-3 * SHARE))


def level_then(rise: float, start: float) -> Curve:
    """Down from ``start`` to 1 in the first third, then up by ``rise``."""
    third = 13
    return curve(np.concatenate([np.linspace(start, 1.0, third), np.linspace(1.0, 1.0 + rise, 40 - third)]))


@pytest.mark.parametrize(
    ("rise", "start", "fires"),
    [(0.04, 1.2, True), (0.04, 1.5, False), (0.09, 1.5, True), (0.09, 4.0, True), (0.015, 1.05, False)],
)
def test_a_small_rise_counts_beside_a_small_descent_only(rise: float, start: float, fires: bool):
    assert fired("eval-loss-rises", eval_loss=level_then(rise, start), train_loss=FALLING_FAR) is fires


def jagged(tilt: float, seed: int, scale: float = 0.2) -> Curve:
    wiggle = np.exp(scale * np.random.default_rng(seed).standard_normal(40))
    return curve((0.5 + 1.5 * np.exp(-20 * SHARE) + tilt * SHARE) * wiggle)


def share_found(tilt: float) -> float:
    return float(
        np.mean([fired("eval-loss-rises", eval_loss=jagged(tilt, seed), train_loss=FALLING_FAR) for seed in range(100)])
    )


def test_wild_but_level_evaluations_are_seldom_overfit_however_far_training_falls():
    assert share_found(0.0) <= 0.2


def test_wild_evaluations_that_go_up_are():
    assert share_found(0.8) >= 0.9


def test_a_rise_within_wild_noise_is_less_sure():
    plain = evaluate("eval-loss-rises", eval_loss=level_then(0.3, 1.5), train_loss=FALLING_FAR)
    wild = next(
        found
        for seed in range(50)
        if (found := evaluate("eval-loss-rises", eval_loss=jagged(0.25, seed), train_loss=FALLING_FAR))
    )
    assert wild.strength <= plain.strength


@pytest.mark.parametrize(
    ("since", "left", "first", "fires"),
    [
        ([0.87, 0.91, 0.94, 0.74, 0.79, 0.77, 0.78], 0.09, 0, True),
        ([0.87, 0.91, 0.94, 0.70, 0.79, 0.77, 0.78], 0.09, 0, False),
        ([0.87, 0.91, 0.94, 0.74, 0.79, 0.77, 0.78], 0.60, 0, False),
        ([0.87, 0.91, 0.94, 0.74, 0.79, 0.77, 0.78], 0.09, 5, False),
    ],
    ids=["never better", "better once", "training falls little", "not seen before training"],
)
def test_a_held_out_loss_that_is_never_again_as_low_as_before_training(
    since: list[float], left: float, first: float, fires: bool
):
    held = curve([0.693, *since], first + 10.0 * np.arange(8))
    train = curve(np.geomspace(0.69, left, 70))
    assert fired("eval-loss-rises", eval_loss=held, train_loss=train) is fires


def test_a_rise_of_next_to_nothing_does_not_count_where_most_was_learned_before_the_first_evaluation():
    held = curve([0.0019, 0.00026, 0.00024, *[0.00043] * 17], range(20, 420, 20))
    train = curve([0.117, *np.geomspace(0.02, 1e-5, 40)], range(1, 411, 10))
    assert not fired("eval-loss-rises", eval_loss=held, train_loss=train)
    assert fired("eval-loss-rises", eval_loss=held, train_loss=curve(train.values / 100, train.steps))


@pytest.mark.parametrize(
    ("of_descent", "well", "fires"),
    [(0.058, 0.51, False), (0.062, 0.51, True), (0.058, 0.49, True), (0.058, None, True)],
)
def test_next_to_nothing_of_a_long_descent_is_no_rise_where_the_run_looks_well(
    of_descent: float, well: float | None, fires: bool
):
    held = np.concatenate([np.geomspace(1.1, 0.1, 8), np.full(4, 0.1), np.full(8, 0.1 + of_descent)])
    look = None if well is None else Outlook(well, 0.0, 0.0, 1.0 - well)
    seen = {"eval_loss": curve(held, np.linspace(5, 100, 20)), "train_loss": curve(np.geomspace(1.0, 0.01, 100))}
    assert fired("eval-loss-rises", **seen, outlook=look) is fires
