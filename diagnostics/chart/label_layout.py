"""Findings as named bars above a plot: which bar goes into which row, so that no name covers another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.chart.model import Band
from diagnostics.chart.scales import Scale
from diagnostics.formatting import SIGNS

LETTER_WIDTH = 6.1  # pixels a letter takes at the chart's size of type, about
MIN_WIDTH = 4.0


@dataclass(frozen=True)
class Bar:
    """A band in pixels: its row, its ends, and where its name starts."""

    band: Band
    row: int
    left: float
    right: float
    text_at: float
    text: str


def bars(bands: Sequence[Band], x: Scale) -> tuple[Bar, ...]:
    """A bar for each band, each in the first row where it and its name are free of others."""
    rows: list[list[tuple[float, float]]] = []
    placed = []
    for band in bands:
        left, right = _ends(band, x)
        text = f"{SIGNS[band.label]} {band.title}"
        at = _text_start(left, right, len(text) * LETTER_WIDTH, x)
        taken = (min(left, at) - 6, max(right, at + len(text) * LETTER_WIDTH) + 6)
        row = next((k for k, others in enumerate(rows) if _free(taken, others)), len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(taken)
        placed.append(Bar(band, row, left, right, at, text))
    return tuple(placed)


def _ends(band: Band, x: Scale) -> tuple[float, float]:
    left, right = x.at(band.first), x.at(band.last)
    if right - left < MIN_WIDTH:
        left = min(max((left + right - MIN_WIDTH) / 2, x.start), x.end - MIN_WIDTH)
        right = left + MIN_WIDTH
    return left, right


def _text_start(left: float, right: float, length: float, x: Scale) -> float:
    """Inside the bar when the name fits, else to its right, else to its left."""
    if right - left >= length + 12:
        return left + 7
    if right + 6 + length <= x.end:
        return right + 6
    return max(left - 6 - length, x.start)


def _free(taken: tuple[float, float], others: list[tuple[float, float]]) -> bool:
    return all(taken[1] <= left or taken[0] >= right for left, right in others)
