"""The findings of a drawing: named bars above the first panel, and what marks their steps in every panel."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.chart.label_layout import Bar
from diagnostics.chart.markup import Child, Markup, element
from diagnostics.chart.model import Chart
from diagnostics.chart.scales import Scale
from diagnostics.formatting import number

ROW_HEIGHT = 20.0  # of a row of finding bars
MAX_SHADED_SHARE = 0.8  # a finding over more of the run than this needs no shade: its bar says so
NARROW = 490.0  # pixels of the plot below which a drawing is one for a phone
TICK = 9.0  # pixels of a tick at a step that was counted


@dataclass(frozen=True)
class Drawing:
    """What every part of one drawing shares: the chart, its axis of steps and its finding bars."""

    chart: Chart
    x: Scale
    bars: tuple[Bar, ...]

    @property
    def is_narrow(self) -> bool:
        """Whether the drawing is for a phone."""
        return self.x.end - self.x.start < NARROW


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


def marked(drawing: Drawing, bar: Bar, top: float, height: float) -> Markup | None:
    """The steps of a finding: a tick at each one that it counted, else a shade over the part of the run it covers.

    A finding over nearly the whole run has no shade: it would only dim the curves.
    """
    color = f"var(--{bar.band.label})"
    if bar.band.steps:
        ticks = "".join(f"M{drawing.x.at(step):.1f},{top:g}v{TICK:g}" for step in bar.band.steps)
        return element("path", class_="tick", d=ticks, stroke=color)
    if bar.right - bar.left >= MAX_SHADED_SHARE * (drawing.x.end - drawing.x.start):
        return None
    area: dict[str, Child] = {"x": bar.left, "y": top, "width": bar.right - bar.left, "height": height}
    return element("rect", class_="shade", fill=color, **area)
