"""Signals that are computed once in a diagnosis, and the quick medians they are made of."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diagnostics import signals
from diagnostics.model.curves import Curve
from diagnostics.signals.median import MAX_SAMPLE, medians_of, sampled

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays(np.float64, st.integers(1, 40), elements=FINITE))
def test_the_median_is_numpys(values: np.ndarray):
    with np.errstate(over="ignore"):
        assert signals.median(values) == np.median(values)
        rows = np.stack([values, values[::-1]])
        np.testing.assert_array_equal(medians_of(rows.copy()), np.median(rows, axis=1))


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e9, 1e9)), st.floats(0.0, 1.0))
def test_a_quantile_is_numpys(values: np.ndarray, share: float):
    assert signals.quantile(values, share) == np.quantile(values, share)


@given(st.floats(), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_bounded_number_is_numpys(value: float, low: float, high: float):
    low, high = min(low, high), max(low, high)
    assert signals.bounded(value, low, high) == pytest.approx(float(np.clip(value, low, high)), abs=0.0, nan_ok=True)


def test_the_median_of_nothing_is_nan_and_a_view_is_left_unchanged():
    assert np.isnan(signals.median(np.empty(0)))
    values = np.array([3.0, 1.0, 2.0])
    signals.median(values[::-1])
    assert values.tolist() == [3.0, 1.0, 2.0]


def test_the_noise_of_a_very_long_series_is_that_of_all_its_values():
    values = np.random.default_rng(0).standard_normal(20 * MAX_SAMPLE)
    assert sampled(values).size == MAX_SAMPLE
    assert sampled(values[:MAX_SAMPLE]) is not None
    assert signals.robust_scale(values) == pytest.approx(1.0, abs=0.03)
    assert signals.difference_noise(values) == pytest.approx(1.0, abs=0.03)
    assert signals.difference_noise(values + np.linspace(0, 1e4, values.size)) == pytest.approx(1.0, abs=0.03)


def test_every_spike_of_a_very_long_series_is_seen():
    loss = 1.0 + 0.01 * np.random.default_rng(1).standard_normal(300_000)
    places = (77_777, 150_001, 222_333)
    for place in places:
        loss[place : place + 2] += 2.0
    assert signals.spikes(loss, deviations=6, height=0.15).starts == places


def test_inside_a_diagnosis_a_signal_is_computed_once_and_outside_every_time():
    asked = []

    @signals.memoize
    def size(values: np.ndarray, more: float = 0.0, *, curve: Curve | None = None) -> float:
        asked.append(more)
        return values.size + more

    values, other = np.arange(3.0), np.arange(4.0)
    curve = Curve(values, values)
    with signals.memo_scope():
        answers = [size(values), size(values), size(values, 1.0), size(other), size(values, curve=curve)]
        assert answers == [3, 3, 4, 4, 3]
        assert size(values, curve=curve) == 3
        assert len(asked) == 4
    assert size(values) == size(values) == 3
    assert len(asked) == 6


def test_an_array_that_is_gone_lends_its_place_to_no_other():
    with signals.memo_scope():
        levels = []
        for number in range(200):
            levels.append(signals.head(np.full(50, float(number))))
            gc.collect(0)
    assert levels == [float(number) for number in range(200)]


def test_nothing_is_kept_between_two_diagnoses():
    values = np.ones(50)
    with signals.memo_scope():
        assert signals.head(values) == 1.0
    values[:] = 2.0
    with signals.memo_scope():
        assert signals.head(values) == 2.0
