"""The names of a panel's lines above it: in as many rows as a narrow chart needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from diagnostics.chart.model import Panel
from diagnostics.formatting import ends
from diagnostics.model.curves import part_of
from tuner.inspector.chart.panels import has_dots
from tuner.inspector.chart.vega_layers import Spec
from tuner.inspector.escape import one_line

NARROW = 300.0
"""The width in pixels of a chart on a phone."""
LETTER_WIDTH = 6.0  # pixels, about
TITLE_HEIGHT, TITLE_GAP = 15, 18  # pixels of a row of names, and between two of them
MAX_LETTERS = 40
DASH_SIGNS, DOT_SIGN = ("━", "╍", "┉"), "●━"
THIN_SPACE = "\u2009"  # these signs fill their whole width


class Title(NamedTuple):
    """The words for a line, the row they stand in from above, and their pixels from the left."""

    words: str
    row: int
    left: float


def rows_of(panel: Panel) -> int:
    """How many rows of names a panel has."""
    return 1 + max((title.row for title in _placed(panel)), default=0)


def titles(panels: Sequence[Panel], tops: Sequence[int], colors: Mapping[str, str]) -> list[Spec]:
    """Above each panel the names of its lines, each in the line's color and behind a sign of how it is drawn."""
    layers = []
    for panel, top in zip(panels, tops, strict=True):
        last = rows_of(panel) - 1
        for line, (words, row, left) in zip(panel.series, _placed(panel), strict=True):
            mark = {"type": "text", "align": "left", "fontSize": 12, "fontWeight": "bold", "color": colors[line.name]}
            at = {"x": {"value": left}, "y": {"value": top - 11 - TITLE_HEIGHT * (last - row)}}
            layers.append({"data": {"values": [{}]}, "mark": mark, "encoding": at | {"text": {"value": words}}})
    return layers


def _placed(panel: Panel) -> list[Title]:
    """The titles of a panel's lines, as many in a row as fit a narrow chart; a reward function by its own name."""
    row, left, placed = 0, 0.0, []
    for place, line in enumerate(panel.series):
        sign = DOT_SIGN if has_dots(line) else DASH_SIGNS[place % len(DASH_SIGNS)]
        name = ends(one_line(line.title), MAX_LETTERS) if part_of(line.name) else one_line(line.name, MAX_LETTERS)
        words = f"{sign}{THIN_SPACE} {name}"
        wide = LETTER_WIDTH * len(words)
        if left and left + wide > NARROW:
            row, left = row + 1, 0.0
        placed.append(Title(words, row, left))
        left += wide + TITLE_GAP
    return placed
