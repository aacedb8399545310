"""The frame of a card: a picture of 1200 x 630 pixels that other sites show beside a link.

A card has colors and sizes of its own in every element, because programs that turn SVG into PNG know no CSS variables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diagnostics.chart.markup import Child, Markup, element, joined, printable
from diagnostics.chart.scales import Scale
from diagnostics.chart.theme import PAPER
from diagnostics.formatting import number
from diagnostics.model.curves import FloatArray

WIDTH, HEIGHT = 1200, 630
LEFT, RIGHT = 72.0, 1128.0
PLOT_TOP, PLOT_BOTTOM = 306.0, 520.0
FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
LETTER = 0.57
"""The usual width of a letter in units of its size, in the widest of the fonts."""
MAX_TICKS = 5
INSTALL = "pip install curvetuner"
INK, SOFT, LINE, CARD, PAGE = (PAPER[name][0] for name in ("ink", "soft", "line", "card", "paper"))


def card(title: str, tone: str, *content: Child) -> str:
    """A whole drawing: paper, an edge in the color ``tone``, the content, and how to install the program."""
    box = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "aria-label": title}
    paper = element("rect", width=WIDTH, height=HEIGHT, fill=PAGE)
    sheet = element("rect", x=28, y=28, width=WIDTH - 56, height=HEIGHT - 56, rx=22, fill=CARD, stroke=LINE)
    edge = element("rect", x=28, y=62, width=9, height=HEIGHT - 124, rx=4.5, fill=tone)
    foot = line_of(INSTALL, LEFT, 574, 21, fill=SOFT, font_family=MONO)
    return element(
        "svg",
        element("title", title),
        *(paper, sheet, edge, *content, foot),
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=HEIGHT,
        role="img",
        font_family=FONT,
        **box,
    )


def line_of(words: str, x: float, y: float, size: float, **look: Child) -> Markup:
    """A line of text."""
    return element("text", printable(words), x=x, y=y, font_size=size, **{"fill": INK, **look})


def lines_of(words: str, y: float, size: float, count: int, **look: Child) -> Markup:
    """Text in at most ``count`` lines over the whole card; what does not fit ends in an ellipsis."""
    parts = wrapped(words, int((RIGHT - LEFT) / (LETTER * size)), count)
    return joined(*(line_of(part, LEFT, y + 1.3 * size * k, size, **look) for k, part in enumerate(parts)))


def wrapped(words: str, letters: int, count: int) -> list[str]:
    """The words in at most ``count`` lines of so many letters; what does not fit ends in an ellipsis."""
    lines: list[str] = []
    rest = " ".join(words.split())
    while rest and len(lines) < count:
        if len(rest) <= letters:
            return [*lines, rest]
        last = len(lines) == count - 1
        cut = rest.rfind(" ", 0, letters + (not last))
        cut = cut if cut > letters // 2 else letters - last
        lines.append(f"{rest[:cut].rstrip()}…" if last else rest[:cut])
        rest = rest[cut:].lstrip()
    return lines


def axes(across: Scale, down: Scale, name: str) -> Markup:
    """A quiet grid of values and the numbers of both axes."""
    parts: list[Markup] = []
    values = down.ticks(3)
    for tick in values[:: -(-len(values) // MAX_TICKS)]:
        y = down.at(tick)
        parts.append(element("path", d=f"M{across.start:g},{y:.1f}H{across.end:g}", stroke=LINE, stroke_width=1.5))
        parts.append(line_of(number(tick), across.start - 10, y + 6, 17, fill=SOFT, text_anchor="end"))
    for tick in across.ticks(5):
        at: dict[str, Child] = {"fill": SOFT, "text_anchor": "middle"}
        parts.append(line_of(number(tick), across.at(tick), down.start + 24, 17, **at))
    return joined(*parts, line_of(name, across.start - 16, down.start + 24, 17, fill=SOFT, text_anchor="end"))


def polyline(across: Scale, down: Scale, x: FloatArray, y: FloatArray, **look: Child) -> Markup | None:
    """A curve; nothing for no point."""
    places = np.column_stack((across.all_at(x), down.all_at(y)))
    if not len(places):
        return None
    path = "M" + "L".join(("%.1f,%.1f",) * len(places)) % tuple(places.ravel().tolist())
    return element("path", d=path, fill="none", stroke_linejoin="round", stroke_linecap="round", **look)


def legend(values: str, entries: Sequence[tuple[str, str]], y: float) -> Markup:
    """What the values are, at the left end of the card, and the names of lines in their colors at the right one."""
    parts, right = [line_of(values, LEFT, y, 18, fill=SOFT)], RIGHT
    for name, color in reversed(entries):
        parts.append(line_of(name, right, y, 18, fill=color, font_weight=600, text_anchor="end"))
        right -= len(name) * LETTER * 18 + 28
    return joined(*parts)
