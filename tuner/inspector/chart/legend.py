"""What tells the lines of a chart apart beside their color: dashes, and a legend that fits its width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PATTERNS = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
SIGN, LETTER = 46, 6.8  # pixels, about: the stroke with its gaps, and a letter
MOST_COLUMNS = 4
LONGEST = 280  # pixels of a name


def dashes(count: int) -> list[list[int]]:
    """A pattern of strokes for each of so many lines, the first one whole."""
    return [PATTERNS[n % len(PATTERNS)] for n in range(count)]


def columns(names: Sequence[str], sign: float = SIGN) -> str:
    """As an expression of Vega, how many columns a legend of these names has at the chart's width."""
    column = sign + min(LONGEST, LETTER * max(map(len, names), default=0))
    return f"clamp(floor(width / {column:.0f}), 1, {MOST_COLUMNS})"


def legend_of(names: Sequence[str]) -> dict[str, Any]:
    """A legend above the chart, in as many columns as its longest name leaves room for at the chart's width."""
    return {
        "title": None,
        "orient": "top",
        "columns": {"expr": columns(names)},
        "labelLimit": LONGEST,
        "symbolType": "stroke",
        "symbolSize": 250,
        "symbolStrokeWidth": 3,
        "symbolOpacity": 1,
    }
