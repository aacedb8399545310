"""What is drawn into a panel: curves, the shade of findings, and marks on the axis of steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.chart.label_layout import Bar
from diagnostics.chart.mark_names import RESUMED, mark_names
from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.model import Chart, Level, Mark, MarkKind, Panel, Series
from diagnostics.chart.scales import Scale
from diagnostics.formatting import number, setting
from diagnostics.model.curves import FloatArray
from diagnostics.model.records import Label

ROW_HEIGHT = 20.0  # of a row of finding bars
MAX_DOTTED_EVALS = 60  # more evaluations are drawn as a line without dots
MAX_HATCHED_SHARE = 0.8  # a finding over more of the run than this fills the plot
MAX_BOLD_POINTS = 300  # a line of more points is drawn thin
CROSS_WIDTH = 7.0  # pixels; steps without a value that are nearer share a cross
EPOCH_WIDTH = 60  # pixels that the name of an epoch takes

HATCHES = {
    Label.BROKEN: "M0,0L8,8M8,0L0,8",
    Label.UNSTABLE: "M0,4L2,1L6,7L8,4",
    Label.OVERFIT: "M0,8L8,0",
    Label.UNDERFIT: "M0,4L8,4",
}
"""A pattern for each label, so that bands differ without color."""


@dataclass(frozen=True)
class Drawing:
    """What every part of one drawing shares: the chart, its axis of steps, its finding bars, a name for references."""

    chart: Chart
    x: Scale
    bars: tuple[Bar, ...]
    ident: str


def patterns(drawing: Drawing) -> Markup:
    """The hatches that this drawing's bands refer to."""
    labels = dict.fromkeys(band.label for band in drawing.chart.bands if band.label in HATCHES)
    drawn = [_pattern(f"{drawing.ident}-{label}", label) for label in labels]
    return element("defs", *drawn)


def _pattern(ident: str, label: Label) -> Markup:
    line = element("path", d=HATCHES[label], fill="none", stroke=f"var(--{label})", stroke_opacity=0.22)
    return element("pattern", line, id=ident, width=8, height=8, patternUnits="userSpaceOnUse")


def finding_bar(bar: Bar, top: float) -> Markup:
    """A finding as a bar with its name, its message as a tooltip."""
    y, width, color = top + bar.row * ROW_HEIGHT, bar.right - bar.left, f"var(--{bar.band.label})"
    where = f"{bar.band.label}: steps {number(bar.band.first)} to {number(bar.band.last)}"
    inside = bar.left <= bar.text_at <= bar.right
    box: dict[str, Child] = {"y": y, "height": ROW_HEIGHT - 4, "x": bar.left, "fill": color}
    return element(
        "g",
        element("title", f"{where}. {bar.band.message}"),
        element("rect", **box, width=width, rx=3, fill_opacity=0.16),
        element("rect", **box, width=min(3.0, width), rx=1.5),
        element(
            "text",
            bar.text,
            class_=None if inside else "halo",
            x=bar.text_at,
            y=y + 12,
            style=f"fill:{color};font-weight:600",
        ),
    )


def shade(drawing: Drawing, bar: Bar, top: float, height: float, *, hatched: bool) -> Markup:
    """The steps of a finding, shaded; those of the verdict's own finding hatched too.

    A finding that fills the plot is not hatched, and shaded only when it is the verdict's own.
    """
    part = bar.right - bar.left < MAX_HATCHED_SHARE * (drawing.x.end - drawing.x.start)
    own = bar is drawing.bars[0] and bar.band.label is drawing.chart.label
    if not part and not own:
        return Markup("")
    area: dict[str, Child] = {"x": bar.left, "y": top, "width": bar.right - bar.left, "height": height}
    wash = element("rect", fill=f"var(--{bar.band.label})", fill_opacity=0.07, **area)
    hatched = hatched and part and own and bar.band.label in HATCHES
    hatch = element("rect", fill=f"url(#{drawing.ident}-{bar.band.label})", **area) if hatched else None
    return joined(wash, hatch)


def level(drawing: Drawing, at: Level, scale: Scale) -> Markup:
    """A value worth comparing with, across the panel."""
    y = scale.at(at.value)
    line = element("path", class_="level", d=f"M{drawing.x.start:g},{y:.1f}H{drawing.x.end:g}")
    above = y - 4 if y - scale.end > 28 else y + 13  # the upper edge belongs to the name of the best step
    return joined(line, element("text", at.title, class_="halo", x=drawing.x.end - 4, y=above, text_anchor="end"))


def color(series: Series) -> str:
    """The color of a series, as a CSS variable."""
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
    logged = zip(places.tolist(), series.x.tolist(), series.y.tolist(), strict=True) if few else ()
    dots = [_dot(panel, series, x, y, step, value) for (x, y), step, value in logged]
    smooth = _places(drawing, scale, series.smooth_x, series.smooth_y)
    return joined(
        _line(series, places, points_class(series), series.title),
        *dots,
        _line(series, smooth, "curve", f"{series.title}, smoothed"),
    )


def _places(drawing: Drawing, scale: Scale, x: FloatArray, y: FloatArray) -> FloatArray:
    return np.column_stack((drawing.x.all_at(x), scale.all_at(y)))


def _line(series: Series, places: FloatArray, style: str, name: str) -> Markup | None:
    if not len(places):
        return None
    path = "M" + "L".join(("%.1f,%.1f",) * len(places)) % tuple(places.ravel().tolist())
    return element("path", class_=style, d=path, stroke=color(series), data_name=name)


def _dot(panel: Panel, series: Series, x: float, y: float, step: float, value: float) -> Markup:
    words = f"step {number(step)}: {series.title} {setting(panel.name, value)}"
    return element("circle", element("title", words), cx=round(x, 1), cy=round(y, 1), r=2.8, fill=color(series))


def best(drawing: Drawing, scale: Scale, top: float) -> Markup | None:
    """The best checkpoint: a diamond on the curve and its step beside it."""
    mark = _within(drawing.chart, drawing.chart.best)
    if mark is None:
        return None
    x = drawing.x.at(mark.step)
    words = f"best checkpoint, step {number(mark.step)}" + (f": {number(mark.value)}" if mark.value is not None else "")
    late = x > (drawing.x.start + drawing.x.end) / 2
    at: dict[str, Child] = {"x": x + (-7 if late else 7), "y": top + 12, "text_anchor": "end" if late else None}
    text = element("text", *mark_names([mark]), class_="name halo", **at)
    y = scale.at(mark.value) if mark.value is not None else top + 20
    shape = f"M{x:.1f},{y - 6:.1f}l6,6l-6,6l-6,-6z"
    look: dict[str, Child] = {"fill": "var(--card)", "stroke": "var(--ink)", "stroke_width": 1.6}
    return joined(text, element("path", element("title", words), d=shape, **look))


def _within(chart: Chart, mark: Mark | None) -> Mark | None:
    return mark if mark is not None and chart.first <= mark.step <= chart.last else None


def verticals(drawing: Drawing, panel: Panel, top: float, height: float) -> Markup:
    """The best step, the end of warm-up, resumes and the ends of epochs, as lines through a panel."""
    chart, first = drawing.chart, panel is drawing.chart.panels[0]
    breaks = chart.marks_of(MarkKind.DISCONTINUITY)
    down = f"V{top + height:g}"
    parts = [_epoch(drawing, mark, top + height, down, first) for mark in _epochs(drawing)]
    parts += [
        _break(drawing, mark, name if first else "", top, height)
        for mark, name in zip(breaks, mark_names(breaks), strict=True)
    ]
    for mark in chart.marks_of(MarkKind.WARMUP):
        if chart.first < mark.step < chart.last:
            x = drawing.x.at(mark.step)
            parts.append(element("path", class_="quiet", d=f"M{x:.1f},{top:g}{down}"))
            if panel.name == "learning_rate":
                parts.append(element("text", *mark_names([mark]), class_="halo", x=x + 6, y=top + height - 6))
    if (best_mark := _within(chart, chart.best)) is not None:
        parts.append(element("path", class_="mark", d=f"M{drawing.x.at(best_mark.step):.1f},{top:g}{down}"))
    return joined(*parts)


def _break(drawing: Drawing, mark: Mark, name: str, top: float, height: float) -> Markup:
    x = drawing.x.at(mark.step)
    words = f"{RESUMED} at step {number(mark.step)}"
    line = element("path", element("title", words), class_="quiet", d=f"M{x:.1f},{top:g}V{top + height:g}")
    late = x > (drawing.x.start + drawing.x.end) / 2
    at = {"x": round(x + (-5 if late else 5), 1), "y": top + height - 18, "text_anchor": "end" if late else None}
    return joined(line, element("text", name, class_="halo", **at) if name else None)


def _epochs(drawing: Drawing) -> tuple[Mark, ...]:
    """The epochs that get a line: all while there is room for them, else every few."""
    ends = drawing.chart.marks_of(MarkKind.EPOCH)
    most = max(1, int((drawing.x.end - drawing.x.start) // EPOCH_WIDTH))
    every = max(1, -(-len(ends) // most))
    return ends[every - 1 :: every]


def _epoch(drawing: Drawing, mark: Mark, bottom: float, down: str, named: bool) -> Markup:
    x = drawing.x.at(mark.step)
    line = element("path", class_="grid", d=f"M{x:.1f},{bottom - 6 if not named else bottom - 14:g}{down}")
    name = element("text", *mark_names([mark]), class_="halo", x=x - 4, y=bottom - 4, text_anchor="end")
    return joined(line, name if named else None)


def nans(drawing: Drawing, top: float) -> Markup:
    """A cross at the upper edge for each step that logged nan or inf; neighbors share one."""
    groups: list[list[float]] = []
    for mark in drawing.chart.marks_of(MarkKind.BROKEN):
        if groups and drawing.x.at(mark.step) - drawing.x.at(groups[-1][0]) < CROSS_WIDTH:
            groups[-1].append(mark.step)
        else:
            groups.append([mark.step])
    return joined(*(_cross(drawing.x.at(group[0]), top + 6, group) for group in groups))


def _cross(x: float, y: float, steps: list[float]) -> Markup:
    where = f"step {number(steps[0])}" if len(steps) == 1 else f"{len(steps)} steps from {number(steps[0])}"
    shape = f"M{x - 3:.1f},{y - 3:g}l6,6m0,-6l-6,6"
    return element("path", element("title", f"nan or inf at {where}"), class_="nan", d=shape)
