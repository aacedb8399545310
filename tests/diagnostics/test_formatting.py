from __future__ import annotations

import math

import pytest

from diagnostics.chart.markup import Markup, element, joined
from diagnostics.chart.theme import LABEL_COLORS, LINE_COLORS, PAPER, SERIES_COLORS
from diagnostics.formatting import duration, number, percent, setting, times
from diagnostics.messages import (
    confidence_words,
)


def test_markup_escapes_all_but_markup():
    inside = element("b", "<i>", title='"')
    assert inside == '<b title="&quot;">&lt;i&gt;</b>'
    assert joined(inside, "<", None, 3) == f"{inside}&lt;3"
    assert isinstance(joined(), Markup)
    assert element("td") == "<td></td>"
    assert element("path", d="M0,0", stroke_width=1.5) == '<path d="M0,0" stroke-width="1.5"/>'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3.2e-05, "3.2e-5"),
        (1e-4, "1e-4"),
        (0.18304, "0.183"),
        (3.0, "3"),
        (12000, "12,000"),
        (2.5e9, "2.5e9"),
        (0, "0"),
        (True, "yes"),
        (None, "–"),
        ("cosine", "cosine"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers_are_written_for_people(value, words):
    assert number(value) == words


def test_settings_shares_and_times_are_written_for_people():
    assert setting("learning_rate", 0.001) == "1e-3"
    assert setting("warmup_ratio", 0.0819238) == "0.0819"
    assert (percent(0.123), percent(math.nan)) == ("12 %", "–")
    assert [duration(seconds) for seconds in (45.2, 600, 11100, math.nan)] == ["45 s", "10 min", "3 h 5 min", "–"]
    assert len({confidence_words(share) for share in (0.9, 0.7, 0.5, 0.1)}) == 4
    assert confidence_words(0.85) == confidence_words(0.9)


def luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
def test_every_color_that_carries_text_reads_well_on_its_paper(shade):
    pairs = (*LABEL_COLORS.values(), *SERIES_COLORS.values(), *LINE_COLORS, PAPER["ink"], PAPER["soft"])
    texts = [pair[shade] for pair in pairs]
    for paper in (PAPER["card"][shade], PAPER["paper"][shade]):
        for text in texts:
            high, low = sorted((luminance(text), luminance(paper)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, paper)


@pytest.mark.parametrize(("factor", "text"), [(120.0, "×120"), (1 / 3, "×0.33"), (3.0, "×3"), (None, "")])
def test_a_factor_is_written_as_a_person_would(factor, text):
    assert times(factor) == text
