"""The loss of a run drawn in characters, with its best step and the onset of its first finding marked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnostics.chart.model import Band, Chart, Panel, Series
from diagnostics.chart.theme import LINE_COLORS, SERIES_COLORS, Color
from diagnostics.formatting import number
from diagnostics.messages import phrase
from diagnostics.model.curves import FloatArray
from diagnostics.model.records import Label

if TYPE_CHECKING:
    from rich.text import Text

ROWS = 7
"""Lines of the drawing itself; its axis and labels need two or three more."""
MAX_WIDTH, MIN_WIDTH = 100, 24
MAX_NAME = 12
"""Characters of a curve's name beside its end."""
DOTS = (2, 4)
"""Dots of a braille character, across and down."""
LABEL_COLORS: Mapping[Label, str] = {
    Label.BROKEN: "red",
    Label.UNSTABLE: "yellow",
    Label.OVERFIT: "magenta",
    Label.UNDERFIT: "blue",
    Label.HEALTHY: "green",
    Label.UNKNOWN: "bright_black",
}
BEST_COLOR = "green"


@dataclass(frozen=True)
class Glyphs:
    """The characters of a drawing."""

    dots: str
    axis: str
    tick: str
    corner: str
    floor: str
    rule: str
    pointer: str


UNICODE = Glyphs("braille", "│", "┤", "└", "─", "┊", "▲")
ASCII = Glyphs("ascii", "|", "+", "+", "-", ":", "^")


@dataclass(frozen=True, eq=False)
class Line:
    """A curve as it is drawn: its name, its color as hex, its points (``y`` logarithmic where the axis is)."""

    name: str
    color: str
    x: FloatArray
    y: FloatArray


@dataclass(frozen=True)
class Pointer:
    """A labeled place of the x axis."""

    x: float
    words: str
    style: str


def curve_lines(
    drawn: Chart, cause: str | None, width: int, *, ascii_only: bool = False, curves: Collection[str] = ()
) -> list[Text]:
    """The lines of the drawing, ``width`` characters wide at most; none where there is nothing to draw or no room.

    Of the panels the first is drawn that has one of ``curves``; without them, or where none has, the first of all.
    """
    panels = [panel for panel in drawn.panels if _lines(panel)]
    wanted = (panel for panel in panels if any(series.name in curves for series in panel.series))
    panel = next(wanted, panels[0] if panels else None)
    width = min(width, MAX_WIDTH)
    if panel is None or width < MIN_WIDTH:
        return []
    lines = _lines(panel)
    frame = _Frame.around(lines, drawn, panel.log, width, ASCII if ascii_only else UNICODE)
    marks = pointers(drawn, cause)
    return [*frame.rows(lines, marks), *frame.axis(marks)]


def pointers(drawn: Chart, cause: str | None) -> list[Pointer]:
    """What is marked: the best step, and where the finding behind the verdict begins unless that is the first step."""
    band = _band(drawn, cause)
    best = drawn.best
    color = LABEL_COLORS[drawn.label]
    if best is not None and band is not None and best.x == band.first:
        words = phrase("mark-best-and-onset", step=number(best.step), rule=band.rule)
        return [Pointer(best.x, words, color)]
    marks = [Pointer(best.x, phrase("mark-best", step=number(best.step)), BEST_COLOR)] if best is not None else []
    if band is not None:
        marks.append(Pointer(band.first, phrase("mark-onset", step=number(band.first), rule=band.rule), color))
    return marks


def _band(drawn: Chart, cause: str | None) -> Band | None:
    """The finding whose onset is marked."""
    others = () if drawn.label in (Label.HEALTHY, Label.UNKNOWN) else drawn.bands
    band = next((one for one in (*(one for one in drawn.bands if one.rule == cause), *others)), None)
    return band if band is not None and drawn.first < band.first < drawn.last else None


def _lines(panel: Panel) -> list[Line]:
    """The curves of a panel, smoothed where the chart smooths them; points that the axis cannot show left out."""
    lines = []
    for place, series in enumerate(panel.series):
        x, y = (series.smooth_x, series.smooth_y) if series.is_smoothed else (series.x, series.y)
        keep = np.isfinite(y) & ((y > 0) | (not panel.log))
        if keep.any():
            y = np.log10(y[keep]) if panel.log else y[keep]
            lines.append(Line(_name(series), _color(series, place), x[keep], y))
    return lines


def _name(series: Series) -> str:
    if series.name in ("train_loss", "eval_loss", "reward", "eval_reward"):
        return phrase("curve-eval" if series.is_eval else "curve-train")
    return series.title if len(series.title) <= MAX_NAME else series.name[:MAX_NAME]


def _color(series: Series, place: int) -> str:
    """The color of a series in reports, half-way between the one for light and the one for dark paper."""
    return _between(SERIES_COLORS.get(series.name, LINE_COLORS[place % len(LINE_COLORS)]))


def _between(pair: Color) -> str:
    light, dark = ([int(color[k : k + 2], 16) for k in (1, 3, 5)] for color in pair)
    return "#" + "".join(f"{(a + b) // 2:02x}" for a, b in zip(light, dark, strict=True))


@dataclass(frozen=True, eq=False)
class _Frame:
    """The area that is drawn on: its ends in values, its size in characters, and what stands left and right of it."""

    first: float
    last: float
    low: float
    high: float
    log: bool
    columns: int
    left: int
    glyphs: Glyphs

    @classmethod
    def around(cls, lines: Sequence[Line], drawn: Chart, log: bool, width: int, glyphs: Glyphs) -> _Frame:
        """The frame that holds all lines."""
        low, high = min(float(line.y.min()) for line in lines), max(float(line.y.max()) for line in lines)
        if high <= low:
            pad = abs(low) * 0.1 or 0.5
            low, high = low - pad, high + pad
        last = drawn.last if drawn.last > drawn.first else drawn.first + 1.0
        left = max(len(_value(value, log)) for value in (low, (low + high) / 2, high)) + 1
        right = max(len(line.name) for line in lines) + 1
        return cls(drawn.first, last, low, high, log, max(8, width - left - 1 - right), left, glyphs)

    def rows(self, lines: Sequence[Line], marks: Sequence[Pointer]) -> Iterator[Text]:
        """The drawn rows from top to bottom, the values at the left and the names of the curves at the right."""
        from rich.text import Text

        values = {0: self.high, ROWS // 2: (self.low + self.high) / 2, ROWS - 1: self.low}
        names = self._names(lines)
        for place, row in enumerate(self._plotted(lines)):
            value = _value(values[place], self.log) if place in values else ""
            axis = self.glyphs.tick if place in values else self.glyphs.axis
            made = Text(f"{value:>{self.left - 1}} {axis}", style="bright_black", no_wrap=True, end="")
            made.append_text(self._with_marks(row, marks))
            if place in names:
                made.append(f" {names[place].name}", style=names[place].color)
            made.end = "\n"
            yield made

    def _plotted(self, lines: Sequence[Line]) -> list[Text]:
        """The lines as uniplot draws them, without its own frame."""
        from rich.text import Text
        from uniplot import plot_to_string

        picture = plot_to_string(
            xs=[line.x for line in lines],
            ys=[line.y for line in lines],
            lines=[True] * len(lines),
            color=[line.color for line in lines],
            character_set=self.glyphs.dots,
            width=self.columns,
            height=ROWS,
            x_min=self.first,
            x_max=self.last,
            y_min=self.low,
            y_max=self.high,
            x_gridlines=[],
            y_gridlines=[],
            x_labels=False,
            y_labels=False,
        )
        return [Text.from_ansi(row)[1 : self.columns + 1] for row in picture.splitlines()[1 : ROWS + 1]]

    def _with_marks(self, row: Text, marks: Sequence[Pointer]) -> Text:
        """The row with a dotted line wherever a marked step has nothing drawn over it."""
        from rich.text import Text

        for mark in marks:
            at = self._column(mark.x)
            if row.plain[at : at + 1] in (" ", "\u2800"):
                row = row[:at] + Text(self.glyphs.rule, style=mark.style) + row[at + 1 :]
        return row

    def _names(self, lines: Sequence[Line]) -> dict[int, Line]:
        """The row at which each curve is named: where it ends, or near it where two end in one row."""
        ranked = sorted(lines, key=lambda line: -float(line.y[-1]))[:ROWS]
        rows: list[int] = []
        for line in ranked:
            rows.append(max(self._row(float(line.y[-1])), rows[-1] + 1 if rows else 0))
        lowest = ROWS - 1
        for place in reversed(range(len(rows))):
            rows[place] = lowest = min(rows[place], lowest)
            lowest -= 1
        return dict(zip(rows, ranked, strict=True))

    def _row(self, value: float) -> int:
        dots = ROWS * DOTS[1]
        return round((1 - (value - self.low) / (self.high - self.low)) * (dots - 1)) // DOTS[1]

    def _column(self, x: float) -> int:
        dots = self.columns * DOTS[0]
        return round((x - self.first) / (self.last - self.first) * (dots - 1)) // DOTS[0]

    def axis(self, marks: Sequence[Pointer]) -> Iterator[Text]:
        """The axis of steps, and below it its ends and the marks, in as many lines as they need."""
        from rich.text import Text

        floor = self.glyphs.corner + self.glyphs.floor * self.columns
        yield Text(" " * self.left + floor, style="bright_black", no_wrap=True)
        last = number(self.last)
        placed = [(0, number(self.first), "bright_black"), (self.columns - len(last), last, "bright_black")]
        placed += [(*self._pointed(mark), mark.style) for mark in marks]
        for line in _in_lines(placed):
            made = Text(" " * (self.left + 1), no_wrap=True)
            for at, words, style in line:
                made.append(" " * (self.left + 1 + at - len(made)))
                made.append(words, style=style)
            yield made

    def _pointed(self, mark: Pointer) -> tuple[int, str]:
        """Where the words of a mark begin, and the words with the pointer on the side of its column."""
        at = self._column(mark.x)
        words = f"{self.glyphs.pointer} {mark.words}"
        if at + len(words) <= self.columns + 6:
            return at, words
        words = f"{mark.words} {self.glyphs.pointer}"
        return max(0, at + 1 - len(words)), words


def _in_lines(placed: Sequence[tuple[int, str, str]]) -> list[list[tuple[int, str, str]]]:
    """Words at places, each in the first line where it has room, and each line from left to right."""
    lines: list[list[tuple[int, str, str]]] = []
    for at, words, style in placed:
        line = next((line for line in lines if all(_apart(at, words, one) for one in line)), None)
        if line is None:
            lines.append(line := [])
        line.append((at, words, style))
    return [sorted(line) for line in lines]


def _apart(at: int, words: str, other: tuple[int, str, str]) -> bool:
    return at + len(words) < other[0] or other[0] + len(other[1]) < at


def _value(value: float, log: bool) -> str:
    return number(float(f"{10**value if log else value:.3g}"))
