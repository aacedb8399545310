"""The curves of a panel as lines, dots and running means, and the values they are compared with."""

from __future__ import annotations

import numpy as np

from diagnostics.chart.markup import Markup, element, joined
from diagnostics.chart.model import Level, Panel, Series
from diagnostics.chart.scales import Scale
from diagnostics.chart.svg_bands import Drawing
from diagnostics.chart.theme import LINE_COLORS, SERIES_COLORS
from diagnostics.formatting import number, setting
from diagnostics.model.curves import FloatArray

MAX_DOTTED_EVALS = 60  # more evaluations are drawn as a line without dots
MAX_BOLD_POINTS = 300  # a line of more points is drawn thin


def level(drawing: Drawing, at: Level, scale: Scale) -> Markup:
    """A value worth comparing with, across the panel."""
    y = scale.at(at.value)
    line = element("path", class_="level", d=f"M{drawing.x.start:g},{y:.1f}H{drawing.x.end:g}")
    above = y - 4 if y - scale.end > 28 else y + 13  # the upper edge belongs to the name of the best step
    return joined(line, element("text", at.title, class_="halo", x=drawing.x.end - 4, y=above, text_anchor="end"))


def color(series: Series) -> str:
    """The color of a series, as a CSS variable."""
    if series.name not in SERIES_COLORS:
        return f"var(--line-{series.place % len(LINE_COLORS)})"
    return f"var(--{series.name.replace('_', '-')})"


def points_class(series: Series) -> str:
    """The style of a series's points: faint behind their running mean, thin where they are many."""
    if series.is_smoothed:
        return "curve behind"
    return "curve dense" if not series.is_eval and series.x.size > MAX_BOLD_POINTS else "curve"


def curve(drawing: Drawing, panel: Panel, series: Series, scale: Scale) -> Markup:
    """A series as a line, with a dot and a tooltip at each point where there are few, and its running mean."""
    places = _places(drawing, scale, series.x, series.y)
    few = len(places) == 1 or (series.is_eval and len(places) <= MAX_DOTTED_EVALS)
    dots = _dots(drawing, panel, series, places) if few else None
    smooth = _places(drawing, scale, series.smooth_x, series.smooth_y)
    return joined(
        _line(series, places, points_class(series), series.title),
        dots,
        _line(series, smooth, "curve", f"{series.title}, smoothed"),
    )


def _places(drawing: Drawing, scale: Scale, x: FloatArray, y: FloatArray) -> FloatArray:
    return np.column_stack((drawing.x.all_at(x), scale.all_at(y)))


def _line(series: Series, places: FloatArray, style: str, name: str) -> Markup | None:
    if not len(places):
        return None
    path = "M" + "L".join(("%.1f,%.1f",) * len(places)) % tuple(places.ravel().tolist())
    return element("path", class_=style, d=path, stroke=color(series), data_name=name)


def _dots(drawing: Drawing, panel: Panel, series: Series, places: FloatArray) -> Markup:
    """A dot at each point; on a phone, which has no tooltips, all of them as one path."""
    if drawing.is_narrow:
        path = "".join(("M%.1f,%.1fh0",) * len(places)) % tuple(places.ravel().tolist())
        return element("path", class_="dots", d=path, stroke=color(series))
    logged = zip(places.tolist(), series.x.tolist(), series.y.tolist(), strict=True)
    return joined(*(_dot(panel, series, x, y, step, value) for (x, y), step, value in logged))


def _dot(panel: Panel, series: Series, x: float, y: float, step: float, value: float) -> Markup:
    words = f"step {number(step)}: {series.title} {setting(panel.name, value)}"
    return element("circle", element("title", words), cx=round(x, 1), cy=round(y, 1), r=2.8, fill=color(series))
