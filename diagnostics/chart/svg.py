"""A chart as a hand-written SVG drawing, light and dark."""

from __future__ import annotations

from diagnostics.chart import svg_bands, svg_curves, svg_marks
from diagnostics.chart.label_layout import LETTER_WIDTH, bars
from diagnostics.chart.markup import Markup, element, joined
from diagnostics.chart.model import Chart, Panel, Series
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.chart.svg_bands import ROW_HEIGHT, Drawing
from diagnostics.chart.theme import CHART_SHEET, color_sheet
from diagnostics.formatting import ends, number, setting

LEFT, RIGHT = 56.0, 14.0
FIRST_HEIGHT, HEIGHT = 250.0, 80.0  # of the plots
HEIGHTS = {"rewards": 130.0}
HEAD = 20.0  # a line of title and legend
GAP = 22.0  # between panels
FOOT = 24.0  # the numbers under the last panel


def as_svg(chart: Chart, *, width: int = 860, standalone: bool = True) -> str:
    """The chart as one ``<svg>`` element, ``width`` pixels wide.

    A standalone drawing brings its colors, style and paper; without them it takes those of the page around it.
    """
    x = scale_over((chart.first, chart.last), LEFT, width - RIGHT, margin=0.0)
    drawing = Drawing(chart, x, bars(chart.bands, x))
    parts: list[Markup] = []
    bottom = 6.0
    for panel in chart.panels:
        part, bottom = _panel(drawing, panel, bottom + (GAP if parts else 0))
        parts.append(part)
    if not chart.panels:
        parts, bottom = [element("text", "The log holds no curve to draw.", x=LEFT, y=24)], 30.0
    foot = _steps_axis(x, bottom, few=drawing.is_narrow) if chart.panels else None
    cross = element("line", class_="cross", x1=0, x2=0, y1=6, y2=bottom)
    height = int(bottom + FOOT)
    return _svg(drawing, width, height, joined(_opening(drawing, width, height, standalone), *parts, foot, cross))


def _svg(drawing: Drawing, width: int, height: int, content: Markup) -> str:
    x = drawing.x
    names = {"viewBox": f"0 0 {width} {height}", "aria-label": f"Curves of {drawing.chart.run}"}
    return element(
        "svg",
        content,
        xmlns="http://www.w3.org/2000/svg",
        class_="chart",
        width=width,
        height=height,
        role="img",
        data_steps=f"{x.start:g} {x.end:g} {x.low:.9g} {x.high:.9g}" if drawing.chart.panels else None,
        **names,
    )


def _opening(drawing: Drawing, width: int, height: int, standalone: bool) -> Markup | None:
    if not standalone:
        return None
    style = element("style", Markup(color_sheet("svg.chart") + CHART_SHEET))
    paper = element("rect", width=width, height=height, fill="var(--card)")
    return joined(element("title", f"Curves of {drawing.chart.run}"), style, paper)


def _panel(drawing: Drawing, panel: Panel, y: float) -> tuple[Markup, float]:
    """The panel with its head, and the y where it ends."""
    first = panel is drawing.chart.panels[0]
    head, top = _head(drawing, panel, y)
    lanes = [svg_bands.finding_bar(bar, top) for bar in drawing.bars] if first else []
    if lanes:
        top += ROW_HEIGHT * (1 + max(bar.row for bar in drawing.bars)) + 2
    height = FIRST_HEIGHT if first else HEIGHTS.get(panel.name, HEIGHT)
    scale = _scale(panel, top, height)
    levels = [level for level in panel.levels if scale.low <= level.value <= scale.high]
    parts: list[Markup | None] = [
        *(svg_bands.marked(drawing, bar, top, height) for bar in drawing.bars),
        _values_axis(drawing, panel, scale, 5 if height > 100 else 3),
        svg_marks.verticals(drawing, panel, top, height),
        *(svg_curves.level(drawing, level, scale) for level in levels),
        *(svg_curves.curve(drawing, panel, series, scale) for series in panel.series),
    ]
    if first:
        parts += [svg_marks.best(drawing, scale, top), svg_marks.nans(drawing, top)]
    axis = f"{top:g} {top + height:g} {scale.low:.9g} {scale.high:.9g} {int(scale.log) or ''}"
    return joined(head, *lanes, element("g", *parts, data_values=axis)), top + height


def _scale(panel: Panel, top: float, height: float) -> Scale:
    """The axis of values: all the points, and the levels that are not far from them."""
    values = [value for series in panel.series for y in (series.y, series.smooth_y) for value in y.tolist()]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    near = [level.value for level in panel.levels if low / 2 <= level.value <= high * 2]
    return scale_over([*values, *near], top + height, top, log=panel.log)


def _head(drawing: Drawing, panel: Panel, y: float) -> tuple[Markup, float]:
    """The panel's title with its legend beside it on as many lines as it takes, and the y where it ends."""
    title = panel.title + (" (log scale)" if panel.log else "")
    parts: list[Markup] = [element("text", title, class_="head", x=LEFT, y=y + 12)]
    x = LEFT + len(title) * 6.8 + 20
    longest = int((drawing.x.end - LEFT - 26) / LETTER_WIDTH)
    for full, series, style in _named(panel):
        name = ends(full, longest)
        length = 26 + len(name) * LETTER_WIDTH + 12
        if x + length > drawing.x.end + 12:
            x, y = LEFT, y + HEAD - 3
        parts.append(_legend(name, series, style, x, y + 12))
        x += length
    return joined(*parts), y + HEAD


def _named(panel: Panel) -> list[tuple[str, Series, str]]:
    """The lines that need a name: one a curve, and one to say that thin lines are the values as logged."""
    named = [(one.title, one, "curve" if one.is_smoothed else svg_curves.points_class(one)) for one in panel.series]
    behind = [("as logged", one, svg_curves.points_class(one)) for one in panel.series if one.is_smoothed]
    named += behind[:1]
    return named if len(named) > 1 else []


def _legend(name: str, series: Series, style: str, x: float, y: float) -> Markup:
    color = svg_curves.color(series)
    line = element("path", class_=style, d=f"M{x:g},{y - 4:g}h18", stroke=color)
    dot = element("circle", cx=x + 9, cy=y - 4, r=2.8, fill=color) if series.is_eval else None
    return joined(line, dot, element("text", name, class_="name", x=x + 24, y=y))


def _values_axis(drawing: Drawing, panel: Panel, scale: Scale, count: int) -> Markup:
    parts = []
    for tick in scale.ticks(count):
        y = scale.at(tick)
        parts.append(element("path", class_="grid", d=f"M{drawing.x.start:g},{y:.1f}H{drawing.x.end:g}"))
        words = setting(panel.name, tick)
        parts.append(element("text", words, x=LEFT - 8, y=round(y + 3.5, 1), text_anchor="end"))
    return joined(*parts)


def _steps_axis(x: Scale, y: float, *, few: bool) -> Markup:
    parts = [element("path", class_="axis", d=f"M{x.start:g},{y:g}H{x.end:g}")]
    name = LEFT - 8
    for tick in x.ticks(4 if few else 8):
        at = round(x.at(tick), 1)
        name = min(name, at - LETTER_WIDTH * len(number(tick)) / 2 - 6)  # a log may begin at its first tick
        parts.append(element("path", class_="axis", d=f"M{at:g},{y:g}v4"))
        parts.append(element("text", number(tick), x=at, y=y + 17, text_anchor="middle"))
    return joined(*parts, element("text", "step", x=round(name, 1), y=y + 17, text_anchor="end"))
