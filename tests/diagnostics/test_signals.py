"""Signals on arrays whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics import signals

RNG = np.random.default_rng


def test_robust_scale_is_the_standard_deviation_and_ignores_outliers():
    noise = RNG(0).standard_normal(4000)
    assert signals.robust_scale(noise) == pytest.approx(1.0, abs=0.05)
    noise[::50] = 1e6
    assert signals.robust_scale(noise) == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("trend", [0.0, 5.0, -5.0])
def test_difference_noise_does_not_see_a_trend(trend: float):
    x = np.linspace(0, 1, 2000)
    assert signals.difference_noise(trend * x + 0.1 * RNG(1).standard_normal(2000)) == pytest.approx(0.1, rel=0.08)


def test_difference_noise_of_a_smooth_short_curve_is_small():
    curve = np.array([1.0, 0.6, 0.4, 0.3, 0.25, 0.22])
    assert signals.difference_noise(curve) < 0.5 * signals.robust_scale(np.diff(curve))


@pytest.mark.parametrize(
    ("steps", "late"),
    [
        (np.arange(10, 1010, 10), False),
        (np.arange(0, 40), False),
        (np.arange(10, 1010, 10)[5:], False),
        (np.arange(10, 1010, 10)[6:], True),
        (np.array([1, 2, 4, 8, 16, 32, 64, 128]), False),
        (np.array([500, 1000]), False),
        (np.array([1500, 2000]), True),
        (np.array([700]), False),
        (np.concatenate([np.arange(40, 501, 40), np.arange(510, 1010, 10)]), False),
        (np.concatenate([np.arange(120, 501, 40), np.arange(510, 1010, 10)]), True),
    ],
    ids=[
        *("whole", "from 0", "5 %", "6 %", "ever fewer", "two epochs", "the last two of four", "one log"),
        *("more often later", "more often later, without the first two"),
    ],
)
def test_a_log_begins_late_where_some_of_the_run_lies_before_its_first_interval(steps: np.ndarray, late: bool):
    assert signals.begins_late(steps.astype(float)) is late


@pytest.mark.parametrize(
    ("steps", "planned", "over"),
    [
        (np.arange(10, 81, 10), 89, True),  # the next log would be that of step 90
        (np.arange(10, 81, 10), 90, False),
        (np.array([10, 20, 40, 80]), 95, True),  # written more seldom: the usual interval counts
        (np.array([80]), 89, False),
    ],
)
def test_a_log_ends_where_the_next_one_would_lie_beyond_the_planned_steps(steps: np.ndarray, planned: int, over: bool):
    assert signals.ends_at(steps.astype(float), planned) is over


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.25, 1.125], 1e-3),
        ([0.012, 2.3], 0.1),
        ([2.3, 0.012], 1e-3),
        ([1.047, 0.9837, 1.047], 1e-3),
        ([0.1, 0.0], 0.1),
        ([1.0473217] * 3, 1e-7),
        ([np.pi, np.e], 0.0),
        ([], 0.0),
    ],
    ids=[
        "decimals",
        "digits",
        "digits of the last",
        "four digits",
        "to nothing",
        "of single precision",
        "full",
        "none",
    ],
)
def test_rounding_is_the_step_that_the_last_value_is_written_with(values: list[float], step: float):
    assert signals.rounding(np.array(values)) == pytest.approx(step)


def test_log_level_only_shifts_when_the_loss_is_scaled():
    loss = np.array([2.0, 1.0, 0.5, 0.25])
    np.testing.assert_allclose(np.diff(signals.log_level(loss)), np.diff(signals.log_level(7 * loss)))
    assert np.ptp(signals.log_level(np.zeros(5))) == 0.0


def test_log_level_keeps_the_noise_of_a_loss_near_zero_small():
    loss = np.concatenate([[0.7] * 10, np.tile([1e-3, 1e-5], 45)])
    assert np.ptp(signals.log_level(loss)[10:]) < 0.05


def test_block_means_of_a_line_are_its_middle_values():
    np.testing.assert_allclose(signals.block_means(np.arange(100.0), 10), np.arange(4.5, 100, 10))


def test_mann_kendall_finds_a_line_and_not_a_constant():
    assert signals.mann_kendall(np.arange(10.0))[0] == 1
    assert signals.mann_kendall(-np.arange(10.0))[1] < 0.001
    assert signals.mann_kendall(np.ones(10)) == (0, 1.0)


def test_trend_on_block_means_keeps_its_level_on_autocorrelated_noise():
    """At p < 0.1, white noise in blocks must not be called a trend much more often than in one case of ten."""
    rng = RNG(2)
    found = [signals.trend(rng.standard_normal(100)).p < 0.1 for _ in range(300)]
    assert 0.03 < np.mean(found) < 0.15


def test_theil_sen_survives_a_third_of_outliers():
    values = 2.0 * np.arange(30.0)
    values[::4] += 500
    assert signals.theil_sen(values) == pytest.approx(2.0, abs=0.4)


def test_late_slope_of_a_straight_fall():
    steps = np.arange(101.0)
    slope, p = signals.late_slope(steps, 200.0 - steps)
    assert slope == pytest.approx(-0.1 * 100 / 112.5, rel=0.1)
    assert p < 0.01


def test_plateau_tells_flat_from_falling():
    flat, p = signals.plateau(1.0 + 0.001 * RNG(3).standard_normal(60))
    assert flat < 0.003
    assert p > 0.05
    assert signals.plateau(np.linspace(2, 1, 60))[0] > 0.3


def test_spikes_are_counted_once_each_and_recover():
    loss = 1.0 + 0.01 * RNG(4).standard_normal(200)
    for start in (60, 150):
        loss[start : start + 3] += (1.0, 0.6, 0.3)
    found = signals.spikes(loss, deviations=6, height=0.15)
    assert found.starts == (60, 150)
    assert found.recovered == 1.0
    assert found.score == pytest.approx(0.01)


def test_one_odd_point_is_no_spike_unless_the_gradient_jumps_with_it():
    loss = 1.0 + 0.01 * RNG(5).standard_normal(200)
    loss[80] = 2.0
    norm = 0.5 + 0.05 * RNG(6).standard_normal(200)
    assert signals.spikes(loss, deviations=6, height=0.15).starts == ()
    assert signals.spikes(loss, deviations=6, height=0.15, confirming=norm).starts == ()
    norm[80] = 20.0
    assert signals.spikes(loss, deviations=6, height=0.15, confirming=norm).starts == (80,)


def test_a_spike_that_stays_up_for_long_does_not_recover():
    loss = 1.0 + 0.01 * RNG(7).standard_normal(400)
    loss[100:] += 0.5 * np.exp(-np.arange(300) / 40)
    loss[100:103] += 1.0
    assert signals.spikes(loss, deviations=6, height=0.15).recovered == 0.0


def test_spikes_are_rare_on_skewed_noise():
    """A batch loss is skewed: gamma noise of 20 % must not look like spikes."""
    rng = RNG(8)
    found = [len(signals.spikes(rng.gamma(25, 1 / 25, 300), deviations=6, height=0.15).starts) for _ in range(20)]
    assert sum(found) <= 2


def test_jitter_ratio_and_its_limit():
    noise = RNG(9).standard_normal(200)
    loud = np.where(np.arange(200) < 40, 0.2, 0.02) * noise
    ratio, count = signals.jitter_ratio(np.exp(loud), 0.2)
    assert count == 40
    assert 7 < ratio < 14
    assert signals.ratio_limit(10) == 2.6
    assert signals.ratio_limit(80) == 1.34
    assert signals.ratio_limit(500) == 1.34


def test_elasticity_is_one_where_the_noise_follows_the_rate_and_none_without_decay():
    rate = np.linspace(1.0, 0.02, 600)
    noise = RNG(10).standard_normal(600)
    assert signals.elasticity(np.exp(0.1 * rate * noise), rate) == pytest.approx(1.0, abs=0.35)
    assert signals.elasticity(np.exp(0.1 * noise), rate) == pytest.approx(0.0, abs=0.3)
    assert signals.elasticity(np.exp(0.1 * noise), np.ones(600)) is None


def test_oscillation_of_a_zigzag():
    lag, flips = signals.oscillation(1.0 + 0.1 * (-1.0) ** np.arange(100))
    assert lag < -0.8
    assert flips == 1.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [([10.0] * 3 + [5.0] * 30, 0.5), ([1.0] * 20, 0.0), ([0.0] * 20, 0.0), ([1.0] * 3 + [2.0] * 30, -1.0)],
)
def test_progress(values: list[float], expected: float):
    assert signals.progress(np.asarray(values)) == pytest.approx(expected)


def test_late_share_of_a_line_and_of_a_flattened_curve():
    steps = np.arange(101.0)
    assert signals.late_share(steps, 200.0 - steps) == pytest.approx(1.0, abs=0.25)
    assert signals.late_share(steps, np.exp(-steps / 10)) < 0.01


def test_clipped_share():
    assert signals.clipped_share(np.array([0.5, 1.5, 2.0, 0.9]), 1.0) == 0.5


def test_growth_of_the_gradient_norm():
    norm = np.concatenate([np.ones(50), np.geomspace(1, 8, 50)])
    assert signals.growth(norm) == pytest.approx(8 ** (40 / 49), rel=0.05)
    assert signals.growth(np.ones(100)) == 1.0


def test_staircase_measures_the_drop_at_the_boundary():
    steps = np.arange(90.0)
    values = 1.2 - 0.3 * (steps >= 30) - 0.3 * (steps >= 60) + 0.01 * RNG(11).standard_normal(90)
    found = signals.staircase(steps, values, np.array([29.5, 59.5]))
    assert [round(drop, 1) for _, drop, _ in found] == [0.3, 0.3]
    assert all(z > 20 for *_, z in found)


def test_a_steep_line_is_no_staircase():
    steps = np.arange(90.0)
    values = 2.0 - 0.01 * steps + 0.01 * RNG(12).standard_normal(90)
    assert all(abs(drop) < 0.05 for _, drop, _ in signals.staircase(steps, values, np.array([29.5, 59.5])))


def test_noise_multiple_passes_the_simulated_values():
    assert [signals.noise_multiple(n) for n in (10, 20, 40)] == [3.4, 3.7, 4.0]


def test_noise_multiple_keeps_its_promise_on_flat_curves():
    """The last value of a flat curve stands above its minimum by more than the multiple in about 5 % of cases."""
    rng = RNG(13)
    curves = rng.standard_normal((4000, 20))
    far = (curves[:, -1] - curves.min(axis=1)) > signals.noise_multiple(20)
    assert 0.02 < far.mean() < 0.08


def test_rise_from_minimum_and_onset():
    values = np.concatenate([np.linspace(2, 1, 11), np.linspace(1, 1.5, 11)[1:]])
    found = signals.rise_from_minimum(values)
    assert found.onset == 10
    assert found.relative == pytest.approx(0.43, abs=0.05)
    assert signals.onset(values) in (9, 10, 11)


def test_onset_takes_the_earliest_of_near_equals():
    values = np.array([2.0, 1.5, 1.2, 1.0, 1.0001, 1.0, 1.2, 1.4])
    assert signals.onset(values) == 3


@pytest.mark.parametrize("size", range(7))
def test_signals_of_short_series_do_not_raise(size: int):
    values = np.linspace(1, 0.5, size)
    steps = np.arange(float(size))
    assert signals.robust_scale(values) >= 0
    assert signals.difference_noise(values) >= 0
    assert signals.mann_kendall(values)[1] <= 1.0
    assert signals.spikes(values, deviations=5, height=0.1).starts == ()
    assert signals.log_level(values).size == size
    if size:
        assert signals.progress(values) <= 1.0
        assert signals.late_share(steps, values) >= 0
