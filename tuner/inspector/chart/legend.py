"""What tells the lines of a chart apart beside their color: dashes, and a legend that fits its width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diagnostics.formatting import ends
from tuner.inspector.escape import one_line
from tuner.inspector.runs.folder import Opened

PATTERNS = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
SIGN_WIDTH, LETTER_WIDTH = 46, 6.8  # pixels, about: the stroke with its gaps, and a letter
MAX_COLUMNS = 4
MAX_NAME_WIDTH = 280  # pixels
MAX_RUN_NAME = 28  # letters


def dashes(count: int) -> list[list[int]]:
    """A pattern of strokes for each of so many lines, the first one whole."""
    return [PATTERNS[n % len(PATTERNS)] for n in range(count)]


def columns(names: Sequence[str], sign: float = SIGN_WIDTH) -> str:
    """As an expression of Vega, how many columns a legend of these names has at the chart's width."""
    column = sign + min(MAX_NAME_WIDTH, LETTER_WIDTH * max(map(len, names), default=0))
    return f"clamp(floor(width / {column:.0f}), 1, {MAX_COLUMNS})"


def legend_of(names: Sequence[str]) -> dict[str, Any]:
    """A legend above the chart, in as many columns as its longest name leaves room for at the chart's width."""
    return {
        "title": None,
        "orient": "top",
        "columns": {"expr": columns(names)},
        "labelLimit": MAX_NAME_WIDTH,
        "symbolType": "stroke",
        "symbolSize": 250,
        "symbolStrokeWidth": 3,
        "symbolOpacity": 1,
    }


def legend_names(runs: Sequence[Opened]) -> list[str]:
    """What the line of each run is called: the run's name, its middle cut out where it is long, no name twice."""
    names = [ends(one_line(opened.name), MAX_RUN_NAME) for opened in runs]
    return [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]
