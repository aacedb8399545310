import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.chart.downsample import downsample_minmax, ema
from diagnostics.model.curves import Curve


@given(st.lists(st.floats(-1e6, 1e6), max_size=400), st.sampled_from([0.1, 0.5, 0.9, 0.97, 0.999]))
def test_the_running_mean_is_the_recursion_corrected_for_its_start(values: list[float], decay: float):
    mean = weight = 0.0
    for place, smooth in enumerate(ema(np.array(values), decay)):
        mean, weight = decay * mean + (1 - decay) * values[place], decay * weight + (1 - decay)
        assert smooth == pytest.approx(mean / weight, rel=1e-9, abs=1e-6)


def test_the_running_mean_of_huge_values_stays_finite():
    assert ema(np.full(5000, 1.7e308), 0.999) == pytest.approx(np.full(5000, 1.7e308))


@given(st.lists(st.integers(-3, 3), min_size=30, max_size=300), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_each_pixel_keeps_its_lowest_and_highest_point_and_the_ends_stay(heights: list[int], pixels: int, seed: int):
    steps = np.cumsum(np.random.default_rng(seed).integers(1, 9, len(heights))).astype(float)
    curve = Curve(steps, np.array(heights, dtype=float))
    short = downsample_minmax(curve, pixels)
    assert len(short) <= 2 * pixels + 2
    assert (short.steps[0], short.steps[-1]) == (steps[0], steps[-1])

    def by_pixel(some: Curve) -> dict[int, set[float]]:
        share = (some.steps - steps[0]) / (steps[-1] - steps[0])
        places = np.minimum((share * pixels).astype(int), pixels - 1).tolist()
        return {p: {v for q, v in zip(places, some.values.tolist(), strict=True) if q == p} for p in set(places)}

    whole, kept = by_pixel(curve), by_pixel(short)
    assert {p: (min(v), max(v)) for p, v in whole.items()} == {p: (min(v), max(v)) for p, v in kept.items()}
