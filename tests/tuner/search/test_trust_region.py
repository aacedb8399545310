from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.search.rate.sweep import BELOW_DIVERGED, LrSweep
from tuner.search.rate.trust_region import MIN_STEP_DECADES, STEP_DECADES, expected_gain, next_step


def line(*points: tuple[float, float], low: float = -6, high: float = -2, wall: float | None = None) -> LrSweep:
    return LrSweep(points, low, high, wall, noise=0.003)


def test_the_advised_way_is_taken_from_a_single_point():
    up, down = next_step(line((-5, 1.0)), advised=0.5), next_step(line((-5, 1.0)), advised=-0.3)
    assert up is not None
    assert down is not None
    assert (up.position, down.position) == pytest.approx((-4.5, -5.3))


def test_a_step_is_a_decade_at_most():
    step = next_step(line((-6, 1.0)), advised=1.9)
    assert step is not None
    assert step.position == pytest.approx(-5)


def test_without_advice_the_open_end_beyond_the_best_point_is_tried():
    step = next_step(line((-5, 1.012), (-4.5, 1.0)))
    assert step is not None
    assert step.position == pytest.approx(-4)


@pytest.mark.parametrize(("before", "stride"), [(1.01, 0.5), (1.03, 0.62), (1.2, 1.0)])
def test_the_more_a_step_has_gained_the_further_the_next_one_goes(before: float, stride: float):
    step = next_step(line((-5, before), (-4.5, 1.0)))
    assert step is not None
    assert step.position + 4.5 == pytest.approx(stride, abs=0.01)


def test_after_a_failure_in_one_direction_the_other_begins_with_half_a_decade():
    step = next_step(line((-4, 1.0), (-3.5, 1.2)))
    assert step is not None
    assert step.position == pytest.approx(-4.5)


def test_a_failed_step_turns_round():
    step = next_step(line((-4, 1.0), (-3.5, 1.1)))
    assert step is not None
    assert step.position == pytest.approx(-4.5)


def test_three_points_lead_to_the_vertex_of_their_parabola():
    def bowl(x: float) -> float:
        return 1 + 0.05 * (x + 3.75) ** 2 * 4

    step = next_step(line(*((x, bowl(x)) for x in (-4.5, -4.0, -3.5))))
    assert step is not None
    assert step.position == pytest.approx(-3.75, abs=0.01)


def test_a_best_point_at_the_end_of_a_steep_fall_is_followed_further():
    step = next_step(line((-5, 6.3), (-4, 5.0), (-3, 0.10), (-2.5, 0.028), high=-1.2))
    assert step is not None
    assert step.position == pytest.approx(-1.5)


def test_an_open_end_that_a_parabola_bends_before_is_not_followed_for_a_whole_step():
    losses = {-3.5: 3.43, -3.0: 1.63, -2.5: 0.85, -2.0: 0.75}
    step = next_step(line(*losses.items(), high=-1.0))
    assert step is None or step.position < -2.0


def test_a_line_is_settled_when_the_vertex_lies_close_to_a_tried_point():
    assert next_step(line((-4.5, 1.05), (-4.0, 1.0), (-3.5, 1.05))) is None


def test_a_line_is_settled_when_no_gain_beyond_noise_is_in_sight():
    assert next_step(line((-4.5, 1.004), (-4.0, 1.0), (-3.5, 1.003))) is None


def test_a_rate_that_diverged_bounds_the_line_from_above():
    step = next_step(line((-4, 1.1), (-3.5, 1.0), wall=-3.0))
    assert step is not None
    assert step.position == pytest.approx(-3.0 - BELOW_DIVERGED)


def test_advice_to_go_up_stops_below_the_rate_that_diverged():
    step = next_step(line((-4, 1.1), wall=-3.0), advised=1.0)
    assert step is not None
    assert step.position <= -3.0 - BELOW_DIVERGED


def test_a_long_jump_that_overshot_is_halved():
    step = next_step(line((-5, 1.0), (-4, 1.2)), advised=0.5)
    assert step is not None
    assert step.position == pytest.approx(-4.5)


def test_a_point_that_is_being_tried_is_not_tried_again():
    busy = LrSweep([(-5, 1.2), (-4.5, 1.1)], -6, -2, None, 0.003, pending=[-4.0])
    step = next_step(busy)
    assert step is None or abs(step.position + 4.0) >= MIN_STEP_DECADES


@given(
    best=st.floats(-5.5, -2.5),
    start=st.floats(-6, -2),
    curvature=st.floats(0.02, 2.0),
    ratio=st.floats(1.0, 3.0),
)
def test_a_bowl_is_resolved_to_a_factor_of_two_within_a_dozen_steps(
    best: float, start: float, curvature: float, ratio: float
):
    def loss(x: float) -> float:
        return 1 + curvature * (x - best) ** 2 * (ratio if x > best else 1.0)

    points = [(start, loss(start))]
    for _ in range(12):
        step = next_step(LrSweep(points, -6, -2, None, 0.0))
        if step is None:
            break
        assert -6 - 1e-9 <= step.position <= -2 + 1e-9
        assert min(abs(step.position - x) for x, _ in points) >= MIN_STEP_DECADES - 1e-6
        points.append((step.position, loss(step.position)))
    else:
        raise AssertionError("the search did not end")
    nearest = min(points, key=lambda point: point[1])[0]
    assert abs(nearest - best) <= STEP_DECADES / 2 + math.log10(1.4)


@pytest.mark.parametrize(
    ("points", "promises"),
    [
        (((-3.5, 3.4), (-3.0, 1.63), (-2.5, 0.85), (-1.5, 1.53)), True),  # it fell into the gap: the best is inside
        (((-3.5, 3.9), (-3.0, 3.46), (-2.0, 3.03), (-1.5, 4.07)), False),  # it had begun to level before the gap
        (((-4.0, 1.04), (-3.0, 1.03), (-2.5, 1.09)), True),  # the same from the other side
        (((-4.0, 1.04), (-3.5, 1.03), (-3.0, 1.09)), False),  # no gap
    ],
)
def test_a_gap_promises_what_lies_between_its_chord_and_the_lines_beside_it(points, promises: bool):
    found = LrSweep(points, -6, -1, None, 0.003)
    assert (expected_gain(found) > 0.01) is promises
    if promises:
        step = next_step(found)
        assert step is not None
        inside = sorted(points)
        assert any(b - a > 0.9 and a < step.position < b for (a, _), (b, _) in pairwise(inside))


def test_a_gap_of_negative_losses_is_judged_as_well():
    assert expected_gain(LrSweep(((-4.0, -0.80), (-3.0, -0.9), (-2.5, -0.7)), -6, -1)) > 0.01


def test_between_two_rates_a_decade_apart_that_did_equally_well_lies_the_best_one():
    step = next_step(LrSweep([(-6.0, 1.25), (-5.0, 1.25)], -6, -2))
    assert step is not None
    assert step.position == pytest.approx(-5.5)


def test_the_very_first_step_is_a_decade_up_and_half_a_decade_down():
    up, down = next_step(LrSweep([(-5.0, 1.0)], -6, -2)), next_step(LrSweep([(-3.0, 1.0)], -6, -2))
    assert up is not None and up.position == pytest.approx(-4.0)
    assert down is not None and down.position == pytest.approx(-3.5)


def test_a_gap_above_the_best_rate_promises_more_than_one_below():
    above = LrSweep([(-4.5, 1.06), (-4.0, 1.0), (-3.0, 1.05)], -6, -2)
    below = LrSweep([(-5.0, 1.05), (-4.0, 1.0), (-3.5, 1.06)], -6, -2)
    assert expected_gain(above) > 1.5 * expected_gain(below) > 0
