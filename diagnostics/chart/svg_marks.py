"""The marks of a drawing on its axis of steps: the best checkpoint, warm-up, epochs, resumes, steps without a value."""

from __future__ import annotations

from diagnostics.chart.label_layout import LETTER_WIDTH
from diagnostics.chart.mark_names import RESUMED, mark_names
from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.model import Chart, Mark, MarkKind, Panel
from diagnostics.chart.scales import Scale
from diagnostics.chart.svg_bands import Drawing
from diagnostics.formatting import number

CROSS_WIDTH = 7.0  # pixels; steps without a value that are nearer share a cross
EPOCH_WIDTH = 60  # pixels from one epoch that is drawn to the next
EPOCH_GAP = 4.0  # pixels between the name of an epoch and the lines beside it


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
    parts = [_epoch(drawing, mark, top + height, down, name) for mark, name in _epochs(drawing, named=first)]
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


def _epochs(drawing: Drawing, *, named: bool) -> list[tuple[Mark, str]]:
    """The epochs that get a line with its name: all while there is room for them, else every few.

    An end without room for its name, beside the axis of values or its neighbor, has the line alone.
    """
    ends = drawing.chart.marks_of(MarkKind.EPOCH)
    most = max(1, int((drawing.x.end - drawing.x.start) // EPOCH_WIDTH))
    every = max(1, -(-len(ends) // most))
    chosen, free, epochs = ends[every - 1 :: every], drawing.x.start + EPOCH_GAP, []
    for mark, name in zip(chosen, mark_names(chosen), strict=True):
        x = drawing.x.at(mark.step)
        fits = named and x - EPOCH_GAP - len(name) * LETTER_WIDTH >= free
        free = x if fits else free
        epochs.append((mark, name if fits else ""))
    return epochs


def _epoch(drawing: Drawing, mark: Mark, bottom: float, down: str, name: str) -> Markup:
    x = drawing.x.at(mark.step)
    line = element("path", class_="grid", d=f"M{x:.1f},{bottom - 14 if name else bottom - 6:g}{down}")
    at: dict[str, Child] = {"x": x - EPOCH_GAP, "y": bottom - 4, "text_anchor": "end"}
    return joined(line, element("text", name, class_="halo", **at) if name else None)


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
