"""What is drawn into a panel: curves, the shade of findings, and marks on the axis of steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.chart.label_layout import Bar
from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.model import JOIN, Chart, Level, Panel, Series
from diagnostics.chart.scales import Scale
from diagnostics.formatting import number, setting
from diagnostics.model.records import Label

ROW = 20.0  # the height of a row of finding bars
DOTS = 60  # more eval points than this are drawn as a line alone
FULL = 0.8  # a finding over more of the run than this fills the plot
DENSE = 300  # a line with more points than this is drawn thin
CROSS = 7.0  # pixels a nan cross takes; nearer ones share a cross

HATCHES = {
    Label.BROKEN: "M0,0L8,8M8,0L0,8",
    Label.UNSTABLE: "M0,4L2,1L6,7L8,4",
    Label.OVERFIT: "M0,8L8,0",
    Label.UNDERFIT: "M0,4L8,4",
}
"""A pattern for each label, so that bands differ without color."""


@dataclass(frozen=True)
class Sheet:
    """What every part of one drawing shares: the chart, its axis of steps, its finding bars, a name for references."""

    chart: Chart
    x: Scale
    bars: tuple[Bar, ...]
    ident: str


def patterns(sheet: Sheet) -> Markup:
    """The hatches that this drawing's bands refer to."""
    labels = dict.fromkeys(band.label for band in sheet.chart.bands if band.label in HATCHES)
    drawn = [_pattern(f"{sheet.ident}-{label}", label) for label in labels]
    return element("defs", *drawn)


def _pattern(ident: str, label: Label) -> Markup:
    line = element("path", d=HATCHES[label], fill="none", stroke=f"var(--{label})", stroke_opacity=0.22)
    return element("pattern", line, id=ident, width=8, height=8, patternUnits="userSpaceOnUse")


def finding_bar(bar: Bar, top: float) -> Markup:
    """A finding as a bar with its name, its message as a tooltip."""
    y, width, color = top + bar.row * ROW, bar.right - bar.left, f"var(--{bar.band.label})"
    where = f"{bar.band.label}: steps {number(bar.band.first_step)} to {number(bar.band.last_step)}"
    inside = bar.left <= bar.text_at <= bar.right
    box: dict[str, Child] = {"y": y, "height": ROW - 4, "x": bar.left, "fill": color}
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


def shade(sheet: Sheet, bar: Bar, top: float, height: float, *, hatched: bool) -> Markup:
    """The steps of a finding, shaded; those of the verdict's own finding hatched too.

    A finding that fills the plot is not hatched, and shaded only when it is the verdict's own.
    """
    part = bar.right - bar.left < FULL * (sheet.x.end - sheet.x.start)
    own = bar is sheet.bars[0] and bar.band.label is sheet.chart.label
    if not part and not own:
        return Markup("")
    area: dict[str, Child] = {"x": bar.left, "y": top, "width": bar.right - bar.left, "height": height}
    wash = element("rect", fill=f"var(--{bar.band.label})", fill_opacity=0.07, **area)
    hatched = hatched and part and own and bar.band.label in HATCHES
    hatch = element("rect", fill=f"url(#{sheet.ident}-{bar.band.label})", **area) if hatched else None
    return joined(wash, hatch)


def level(sheet: Sheet, at: Level, scale: Scale) -> Markup:
    """A value worth comparing with, across the panel."""
    y = scale.at(at.value)
    line = element("path", class_="level", d=f"M{sheet.x.start:g},{y:.1f}H{sheet.x.end:g}")
    above = y - 4 if y - scale.end > 28 else y + 13  # the upper edge belongs to the name of the best step
    return joined(line, element("text", at.title, class_="halo", x=sheet.x.end - 4, y=above, text_anchor="end"))


def color(series: Series) -> str:
    """The color of a series, as a CSS variable."""
    return f"var(--{series.name.replace('_', '-')})"


def is_behind(panel: Panel, series: Series) -> bool:
    """Whether a curve stands, thin, behind its own running mean."""
    calm = any(other.kind == "smooth" and other.name == series.name for other in panel.series)
    return calm and series.kind == "raw"


def line_class(panel: Panel, series: Series) -> str:
    """The style of a line: faint behind its running mean, thin where it has many points."""
    if is_behind(panel, series):
        return "curve behind"
    return "curve dense" if series.kind == "raw" and len(series.steps) > DENSE else "curve"


def curve(sheet: Sheet, panel: Panel, series: Series, scale: Scale) -> Markup:
    """A series as a line, with a dot and a tooltip at each point where there are few."""
    places = np.column_stack((sheet.x.all_at(series.steps), scale.all_at(series.values)))
    path = "M" + "L".join(("%.1f,%.1f",) * len(places)) % tuple(places.ravel().tolist())
    line = element("path", class_=line_class(panel, series), d=path, stroke=color(series), data_name=series.title)
    few = len(places) == 1 or (series.kind == "points" and len(places) <= DOTS)
    logged = zip(places.tolist(), series.steps, series.values, strict=True) if few else ()
    dots = [_dot(panel, series, x, y, step, value) for (x, y), step, value in logged]
    return joined(line if len(places) else None, *dots)


def _dot(panel: Panel, series: Series, x: float, y: float, step: float, value: float) -> Markup:
    words = f"step {number(step)}: {series.title} {setting(panel.name, value)}"
    return element("circle", element("title", words), cx=round(x, 1), cy=round(y, 1), r=2.8, fill=color(series))


def best(sheet: Sheet, scale: Scale, top: float) -> Markup | None:
    """The best checkpoint: a diamond on the curve and its step beside it."""
    step, value = sheet.chart.best_step, sheet.chart.best_value
    if step is None or not sheet.chart.first_step <= step <= sheet.chart.last_step:
        return None
    x = sheet.x.at(step)
    words = f"best checkpoint, step {number(step)}" + (f": {number(value)}" if value is not None else "")
    late = x > (sheet.x.start + sheet.x.end) / 2
    text = element(
        "text",
        f"best: step {number(step)}",
        class_="name halo",
        x=x + (-7 if late else 7),
        y=top + 12,
        text_anchor="end" if late else None,
    )
    y = scale.at(value) if value is not None else top + 20
    diamond = element(
        "path",
        element("title", words),
        d=f"M{x:.1f},{y - 6:.1f}l6,6l-6,6l-6,-6z",
        fill="var(--card)",
        stroke="var(--ink)",
        stroke_width=1.6,
    )
    return joined(text, diamond)


def verticals(sheet: Sheet, panel: Panel, top: float, height: float) -> Markup:
    """The best step, the end of warm-up and the ends of epochs, as lines through a panel."""
    chart, first = sheet.chart, panel is sheet.chart.panels[0]
    down = f"V{top + height:g}"
    parts = [_epoch(sheet, k, top + height, down, first) for k in _epochs(sheet)]
    parts += [_join(sheet, step, top, height, named=first) for step in chart.discontinuities]
    if chart.warmup_end is not None and chart.first_step < chart.warmup_end < chart.last_step:
        x = sheet.x.at(chart.warmup_end)
        parts.append(element("path", class_="quiet", d=f"M{x:.1f},{top:g}{down}"))
        if panel.name == "learning_rate":
            parts.append(element("text", "warm-up ends", class_="halo", x=x + 6, y=top + height - 6))
    if chart.best_step is not None and chart.first_step <= chart.best_step <= chart.last_step:
        parts.append(element("path", class_="mark", d=f"M{sheet.x.at(chart.best_step):.1f},{top:g}{down}"))
    return joined(*parts)


def _join(sheet: Sheet, step: float, top: float, height: float, *, named: bool) -> Markup:
    x = sheet.x.at(step)
    words = f"{JOIN} at step {number(step)}"
    line = element("path", element("title", words), class_="quiet", d=f"M{x:.1f},{top:g}V{top + height:g}")
    late = x > (sheet.x.start + sheet.x.end) / 2
    at = {"x": round(x + (-5 if late else 5), 1), "y": top + height - 18, "text_anchor": "end" if late else None}
    return joined(
        line, element("text", JOIN, class_="halo", **at) if named and len(sheet.chart.discontinuities) < 4 else None
    )


def _epochs(sheet: Sheet) -> range:
    """The epochs that get a line: all while there is room for them, else every few."""
    count = len(sheet.chart.epoch_ends)
    most = max(1, int((sheet.x.end - sheet.x.start) // 60))
    every = max(1, -(-count // most))
    return range(every, count + 1, every)


def _epoch(sheet: Sheet, epoch: int, bottom: float, down: str, named: bool) -> Markup:
    x = sheet.x.at(sheet.chart.epoch_ends[epoch - 1])
    line = element("path", class_="grid", d=f"M{x:.1f},{bottom - 6 if not named else bottom - 14:g}{down}")
    name = element("text", f"epoch {epoch}", class_="halo", x=x - 4, y=bottom - 4, text_anchor="end")
    return joined(line, name if named else None)


def nans(sheet: Sheet, top: float) -> Markup:
    """A cross at the upper edge for each step that logged nan or inf; neighbors share one."""
    groups: list[list[float]] = []
    for step in sheet.chart.broken:
        if groups and sheet.x.at(step) - sheet.x.at(groups[-1][0]) < CROSS:
            groups[-1].append(step)
        else:
            groups.append([step])
    return joined(*(_cross(sheet.x.at(group[0]), top + 6, group) for group in groups))


def _cross(x: float, y: float, steps: list[float]) -> Markup:
    where = f"step {number(steps[0])}" if len(steps) == 1 else f"{len(steps)} steps from {number(steps[0])}"
    shape = f"M{x - 3:.1f},{y - 3:g}l6,6m0,-6l-6,6"
    return element("path", element("title", f"nan or inf at {where}"), class_="nan", d=shape)
