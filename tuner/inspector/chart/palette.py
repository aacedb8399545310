"""Which color of the theme each line, verdict and mark of a page gets, on light and on dark paper."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from diagnostics.chart.theme import LABEL_COLORS, LINE_COLORS, MANY_LINE_COLORS, PAPER, SERIES_COLORS, Color
from diagnostics.model.records import Label

PAGE: Color = ("#ffffff", "#171614")
"""The page that Streamlit draws on."""


def label_color(label: str, dark: bool) -> str:
    """The color of a verdict; gray for a run without one."""
    return LABEL_COLORS[Label(label) if label in set(Label) else Label.UNKNOWN][dark]


def soft_color(dark: bool) -> str:
    """The color of what is in the background."""
    return PAPER["soft"][dark]


def series_colors(names: Sequence[str], dark: bool) -> list[str]:
    """A color for each line: a curve's own where it has one, else one that no other line has, as long as they last."""
    if len(names) > len(LINE_COLORS):
        return [color for _, color in zip(names, cycle(MANY_LINE_COLORS), strict=False)]
    own = {name: SERIES_COLORS[name] for name in names if name in SERIES_COLORS}
    taken: dict[Color, str] = {}
    for name, pair in own.items():
        taken.setdefault(pair, name)
    free = iter([pair for pair in LINE_COLORS if pair not in taken] * 2)
    return [(own[name] if taken.get(own.get(name, ("", ""))) == name else next(free))[dark] for name in names]
