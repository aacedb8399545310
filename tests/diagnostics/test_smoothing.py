import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.chart.build import chart
from diagnostics.chart.smoothing import default_weight, ema, is_noisy, smoothed
from diagnostics.model.curves import Curve, Run
from tests.diagnostics.diagnosed_runs import healthy

ZIGZAG = Curve.from_points(np.arange(200), np.arange(200) % 2)


def test_the_running_mean_starts_at_the_first_value_and_stays_on_a_level():
    assert ema(np.full(50, 3.0), 0.9) == pytest.approx(3.0)
    assert ema(np.array([2.0, 4.0]), 0.5).tolist() == pytest.approx([2.0, (0.25 * 2 + 0.5 * 4) / 0.75])


@given(st.lists(st.floats(-1e6, 1e6), max_size=400), st.sampled_from([0.1, 0.5, 0.9, 0.97, 0.999]))
def test_the_running_mean_is_the_recursion_corrected_for_its_start(values: list[float], decay: float):
    mean = weight = 0.0
    for place, smooth in enumerate(ema(np.array(values), decay)):
        mean, weight = decay * mean + (1 - decay) * values[place], decay * weight + (1 - decay)
        assert smooth == pytest.approx(mean / weight, rel=1e-9, abs=1e-6)


def test_the_running_mean_of_huge_values_stays_finite():
    assert ema(np.full(5000, 1.7e308), 0.999) == pytest.approx(np.full(5000, 1.7e308))


@pytest.mark.parametrize(("jump", "noisy"), [(0.5, True), (0.001, False)])
def test_only_a_noisy_curve_is_smoothed(jump, noisy):
    k = np.arange(200)
    curve = Curve.from_points(k, 3 - k / 100 + jump * (k % 2))
    assert is_noisy(curve) is noisy
    run = Run("a", {"train_loss": curve})
    assert [series.is_smoothed for series in chart(run, healthy(run)).series] == [noisy]


@pytest.mark.parametrize("name", ["eval_loss", "learning_rate", "num_tokens"])
def test_an_evaluation_and_a_setting_are_never_smoothed(name):
    assert smoothed(name, ZIGZAG, 0.9) is None
    assert smoothed("train_loss", ZIGZAG, 0.9) is not None
    assert smoothed("train_loss", ZIGZAG, 0) is None


@pytest.mark.parametrize(("points", "smoothing"), [(10, 0.0), (59, 0.0), (100, 0.75), (100_000, 0.97)])
def test_a_long_curve_starts_smoothed_and_a_short_one_does_not(points, smoothing):
    assert default_weight(Run("a", {"train_loss": Curve.from_points(range(points), np.ones(points))})) == smoothing
