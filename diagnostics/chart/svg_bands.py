"""The findings of a drawing: named bars above the first panel, and shades in every panel."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.chart.label_layout import Bar
from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.model import Chart
from diagnostics.chart.scales import Scale
from diagnostics.formatting import number
from diagnostics.model.records import Label

ROW_HEIGHT = 20.0  # of a row of finding bars
MAX_HATCHED_SHARE = 0.8  # a finding over more of the run than this fills the plot
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
