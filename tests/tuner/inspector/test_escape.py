import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuner.inspector.material import HOSTILE
from tuner.inspector.escape import CONTROL, age, chip, file_name, one_line, plain


def unescaped(markdown: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown).replace("\u2060", "")


@given(st.text(max_size=80))
def test_plain_escapes_every_sign_of_markdown_and_loses_no_letter(text: str) -> None:
    shown = plain(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]*_`#$:!|~&]", re.sub(r"\\.", "", shown))
    assert unescaped(shown) == one_line(text, 600)


@pytest.mark.parametrize("word", [":material/home:", ":smile:", "https://example.com", "www.example.com", "a@b.com"])
def test_what_markdown_looks_for_again_after_the_escapes_is_kept_apart(word: str) -> None:
    seen = re.sub(r"\\(.)", r"\1", plain(word))
    assert not re.search(r":\w|www\.|\w@", seen)


@given(st.text(max_size=80))
def test_a_chip_is_one_code_span_whatever_backticks_it_holds(text: str) -> None:
    shown = chip(text)
    fence = re.match("`+", shown)
    assert fence is not None
    inside = shown[len(fence.group()) : -len(fence.group())]
    assert fence.group() not in re.findall("`+", inside)
    assert shown.endswith(fence.group())
    assert "\n" not in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_a_line_has_no_control_signs(name: str) -> None:
    assert not CONTROL.search(one_line(name))


def test_a_long_name_is_cut() -> None:
    assert one_line("x" * 300, 20) == "x" * 19 + "…"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (90000, "25 h"), (200000, "2 days"), (-3, "0 s")],
)
def test_age(seconds: float, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("run_id", "name"),
    [("a/b c", "a-b-c.csv"), ("../../etc/passwd", "etc-passwd.csv"), ("", "run.csv"), ("名前", "run.csv")],
)
def test_a_file_name_holds_nothing_that_a_file_system_trips_over(run_id: str, name: str) -> None:
    assert file_name(run_id, ".csv") == name
