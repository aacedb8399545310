import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.config.search_space import Choice, Range, Span, is_same, span_from_dict
from tuner.search.distributions import distribution_of, span_of

SPANS = [
    Range(1.23456789e-6, 0.0123456789, log=True),
    Range(256, 1024, step=128, integer=True),
    Range(4, 64, log=True, integer=True),
    Range(0.0, 0.2),
    Choice((4, 8, 16)),
    Choice(("a=1,b=2", "1", "")),
    Choice((None, 5.0, True, 1)),
]
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("span", SPANS, ids=str)
def test_a_span_is_read_back_from_json_as_it_was(span: Span):
    again = span_from_dict(json.loads(json.dumps(span.to_dict())))
    assert repr(again) == repr(span)  # 8 and 8.0 differ in it


@given(st.lists(VALUES, min_size=1))
def test_every_choice_is_read_back_from_json_as_it_was(values: list[object]):
    span = Choice(tuple(values))  # type: ignore[arg-type]
    assert repr(span_from_dict(json.loads(json.dumps(span.to_dict())))) == repr(span)


@pytest.mark.parametrize("span", [*SPANS[:5], Choice(("linear", "cosine"))], ids=str)
def test_optuna_s_distribution_is_read_back_as_the_span(span: Span):
    assert span_of(distribution_of(span)) == span


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"low": 1, "high": 0},
        {"low": "1", "high": 2},
        {"low": 0, "high": 1, "log": True},
        {"low": True, "high": 2},
        {"low": 0, "high": float("inf")},
        {"low": 0, "high": 1, "step": "x"},
        {"values": []},
        {"values": 3},
        {"values": [[1]]},
    ],
)
def test_other_data_is_not_a_span(raw: dict[str, object]):
    with pytest.raises(ValueError, match="not a"):
        span_from_dict(raw)


@pytest.mark.parametrize(
    ("span", "value", "wider"),
    [
        (Range(1, 8, step=2, integer=True), 16, Range(1, 16, step=2, integer=True)),
        (Range(1, 8), 4, Range(1, 8)),
        (Range(1, 8), "cosine", Range(1, 8)),
        (Range(1e-4, 1e-2, log=True), 0, Range(1e-4, 1e-2, log=True)),
        (Choice((16, 8)), 8.0, Choice((16, 8))),
        (Choice((16, 8)), 4, Choice((4, 8, 16))),
        (Choice(("b",)), "a", Choice(("b", "a"))),
    ],
)
def test_a_span_widens_to_hold_a_value(span: Span, value: object, wider: Span):
    assert span.including(value) == wider


def test_a_span_is_written_as_a_study_file_has_it():
    assert Range(4, 32).block() == {"low": 4, "high": 32}
    assert repr(Range(0.0, 1.0).block()) == "{'low': 0, 'high': 1}"
    assert Range(1e-6, 0.1, log=True).block() == {"low": 1e-6, "high": 0.1, "log": True}
    assert Range(256, 1024, step=128, integer=True).block() == {"low": 256, "high": 1024, "step": 128}
    assert Choice((4, 8)).block() == [4, 8]


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (Range(1e-6, 1e-2, log=True), "1e-6 to 0.01, log"),
        (Range(256, 1024, step=128, integer=True), "256 to 1024, step 128"),
        (Choice((4, 1e-5, "cosine", None)), "4, 1e-5, cosine, None"),
    ],
)
def test_a_span_in_words(span: Span, text: str):
    assert str(span) == text


def test_equal_numbers_are_the_same_setting_and_truth_is_not_a_number():
    assert is_same(8, 8.0)
    assert not is_same(1, True)
