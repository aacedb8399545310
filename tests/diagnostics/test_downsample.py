import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diagnostics.chart.downsample import downsample_minmax
from diagnostics.model.curves import Curve


@given(
    arrays(np.float64, st.integers(2, 400), elements=st.floats(-1e6, 1e6)),
    st.integers(1, 50),
)
def test_downsampling_keeps_the_extremes_and_the_ends_of_every_pixel(values, pixels):
    curve = Curve.from_points(np.arange(values.size), values)
    short = downsample_minmax(curve, pixels)
    assert len(short) <= max(2 * pixels + 2, 2)
    assert (short.values.min(), short.values.max()) == (values.min(), values.max())
    assert (short.steps[0], short.steps[-1]) == (curve.steps[0], curve.steps[-1])
    assert np.array_equal(curve.at(short.steps), short.values)


def test_a_single_spike_survives_downsampling():
    values = np.ones(100_000)
    values[31_415] = 9.0
    short = downsample_minmax(Curve.from_points(np.arange(values.size), values), 100)
    assert short.steps[short.values == 9.0].tolist() == [31_415]


def test_a_short_curve_is_not_downsampled():
    curve = Curve.from_points([1, 2, 3], [1, 2, 3])
    assert downsample_minmax(curve, 2) is curve


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
