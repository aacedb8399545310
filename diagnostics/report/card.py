"""The card of a run: its name, its verdict in a sentence, and its loss with the place where the fault shows."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.chart.build import Chart, Panel, chart
from diagnostics.chart.mark_names import mark_names
from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.chart.theme import LABEL_COLORS, SERIES_COLORS
from diagnostics.formatting import SIGNS, number
from diagnostics.messages import phrase
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.report import card_frame as frame
from diagnostics.report.card_frame import INK, LEFT, PLOT_BOTTOM, PLOT_TOP, RIGHT, SOFT
from diagnostics.report.sections import sections

POINTS = 500  # pixels that the curves are downsampled to


def as_card(run: Run, diagnosis: Diagnosis) -> str:
    """The card as SVG, light on every screen."""
    shown, color = sections(run, diagnosis), LABEL_COLORS[diagnosis.label][0]
    drawn = chart(run, diagnosis, pixels=POINTS)
    return frame.card(
        f"{shown.name}: {shown.headline}",
        color,
        frame.lines_of(shown.name, 88, 24, 1, fill=SOFT),
        frame.lines_of(f"{SIGNS[diagnosis.label]} {shown.headline}", 150, 46, 1, fill=color, font_weight=700),
        frame.lines_of(shown.summary, 202, 26, 2),
        _curves(drawn, color) if drawn.panels else None,
        _foot(diagnosis),
    )


def _foot(diagnosis: Diagnosis) -> Markup:
    """How sure the verdict is, and the best checkpoint."""
    shown = dict(sections(Run("", {}), diagnosis).facts)
    facts = [
        f"{name}: {shown[name]}"
        for name in (phrase("fact-confidence"), phrase("fact-best-checkpoint"))
        if name in shown
    ]
    return frame.line_of(" · ".join(facts), RIGHT, 574, 21, fill=SOFT, text_anchor="end")


def _curves(drawn: Chart, color: str) -> Markup:
    """The first panel of the chart: the part where the verdict's finding shows, and the curves."""
    panel = drawn.panels[0]
    across = scale_over((drawn.first, drawn.last), LEFT + 56, RIGHT, margin=0.0)
    values = [value for series in panel.series for y in (series.y, series.smooth_y) for value in y.tolist()]
    down = scale_over(values, PLOT_BOTTOM, PLOT_TOP, log=panel.log)
    names = [(series.title, _color(series.name)) for series in panel.series]
    return joined(
        frame.axes(across, down, phrase("step-axis")),
        _onset(drawn, across, color),
        _lines(panel, across, down),
        _best(drawn, across, down),
        frame.legend(panel.title, names, PLOT_TOP - 14),
    )


def _lines(panel: Panel, across: Scale, down: Scale) -> Markup:
    parts: list[Markup | None] = []
    for series in panel.series:
        color = _color(series.name)
        behind = series.is_smoothed
        parts.append(
            frame.polyline(
                across,
                down,
                series.x,
                series.y,
                stroke=color,
                stroke_width=1.5 if behind else 3.5,
                stroke_opacity=0.35 if behind else 1,
            )
        )
        parts.append(frame.polyline(across, down, series.smooth_x, series.smooth_y, stroke=color, stroke_width=3.5))
    return joined(*parts)


def _color(series: str) -> str:
    return SERIES_COLORS[series][0] if series in SERIES_COLORS else INK


def _onset(drawn: Chart, across: Scale, color: str) -> Markup | None:
    """Where the verdict's own finding begins, and the part of the run it covers; nothing for the whole run."""
    own = next((band for band in drawn.bands if band.label is drawn.label), None)
    if own is None or own.first <= drawn.first:
        return None
    left, right = across.at(own.first), max(across.at(own.last), across.at(own.first) + 3)
    late = left > (across.start + across.end) / 2
    size: dict[str, Child] = {"x": left, "y": PLOT_TOP, "width": right - left, "height": PLOT_BOTTOM - PLOT_TOP}
    look: dict[str, Child] = {"fill": color, "font_weight": 600, "text_anchor": "end" if late else "start"}
    words = phrase("from-step", step=number(own.first))
    edge = f"M{left:.1f},{PLOT_TOP:g}V{PLOT_BOTTOM:g}"
    if own.steps:
        return element("path", d=_ticks(own.steps, across), stroke=color, stroke_width=3.5, stroke_linecap="round")
    return joined(
        element("rect", fill=color, fill_opacity=0.09, **size),
        element("path", d=edge, stroke=color, stroke_width=2.5, stroke_dasharray="7 6"),
        frame.line_of(words, left + (-10 if late else 10), PLOT_TOP + 22, 19, **look),
    )


def _ticks(steps: Sequence[float], across: Scale) -> str:
    """A tick at the upper edge for each step that the finding counted."""
    return "".join(f"M{across.at(step):.1f},{PLOT_TOP:g}v14" for step in steps)


def _best(drawn: Chart, across: Scale, down: Scale) -> Markup | None:
    """The best checkpoint as a diamond on the curve."""
    best = drawn.best
    if best is None or best.value is None or not drawn.first <= best.step <= drawn.last:
        return None
    x, y = across.at(best.step), down.at(best.value)
    title = element("title", *mark_names([best]))
    return element(
        "path", title, d=f"M{x:.1f},{y - 10:.1f}l10,10l-10,10l-10,-10z", fill=frame.CARD, stroke=INK, stroke_width=2.6
    )
