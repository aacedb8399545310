import pytest

from tuner.config.search_space import Choice, Range, Span
from tuner.study.stored_space import stored_space


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("1e-6 to 0.1, log", Range(1e-6, 0.1, log=True)),
        ("0 to 0.2", Range(0.0, 0.2)),
        ("4, 8, 16", Choice((4, 8, 16))),
        ("cosine, linear", Choice(("cosine", "linear"))),
        ("True, False, None", Choice((True, False, None))),
        ("all", Choice(("all",))),
    ],
)
def test_the_words_of_an_earlier_version_are_read(words: str, span: Span):
    assert stored_space({"k": words}) == {"k": span}


def test_data_is_read():
    span = Range(256, 1024, step=128, integer=True)
    assert stored_space({"k": span.to_dict(), "l": {"values": ["1", "a, b"]}}) == {
        "k": span,
        "l": Choice(("1", "a, b")),
    }


@pytest.mark.parametrize("raw", ["1 to 0", "a to b", "0 to 1, log", "-1 to 1, log", "inf to nan", "", None, 3, [], {}])
def test_what_is_not_a_span_is_left_out(raw: object):
    assert stored_space({"k": raw}) == {}
