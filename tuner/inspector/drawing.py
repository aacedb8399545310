"""The Altair chart of a prepared figure. Nothing is computed here that a reader could read off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from diagnostics.verdict import Label
from diagnostics.wording import SIGNS, plain_name
from tuner.inspector.figure import Figure, Line, View
from tuner.inspector.palette import label_colour, series_colours, soft_colour
from tuner.inspector.words import one_line

AXIS_TITLES = {
    "steps": "step",
    "epochs": "epoch",
    "minutes": "minutes since the first log",
    "tokens": "tokens seen",
    "samples": "rows seen",
    "clock": "time",
}
HEIGHT = 400
FEW = 60  # a curve of fewer points shows each of them


def curve_chart(
    figure: Figure, view: View, names: Mapping[str, str] | None = None, *, dark: bool = False
) -> alt.LayerChart:
    """The curves over the shaded findings and the named marks; ``names`` renames lines for the legend.

    Dragging moves the chart, Shift and the wheel zoom, a double click goes back.
    """
    named = [((names or {}).get(line.name, line.name), line) for line in figure.lines]
    x = _x(figure, view)
    lines = _lines(named, figure, view, x, dark, dashed=names is not None)
    lines[0] = lines[0].add_params(alt.selection_interval(bind="scales", zoom="wheel![event.shiftKey]"))
    return alt.layer(*_bands(figure, x, view, dark), *lines, *_marks(figure, x, dark)).properties(height=HEIGHT)


def _x(figure: Figure, view: View) -> alt.X:
    scale: dict[str, Any] = {"type": "log"} if view.log_x else {"zero": False, "nice": False}
    if view.between is not None and not view.log_x:
        scale["domain"] = list(view.between)
    if figure.axis == "clock":
        clock = alt.Scale(**({"domain": scale["domain"]} if "domain" in scale else {}))
        return alt.X("x:T", title=AXIS_TITLES[figure.axis], scale=clock)
    ticks = alt.Axis(
        format="~s" if figure.axis in ("tokens", "samples") else ",.10~g",
        tickMinStep=1 if figure.axis == "steps" else 0,
    )
    return alt.X("x:Q", title=AXIS_TITLES[figure.axis], scale=alt.Scale(**scale), axis=ticks)


def _lines(
    named: Sequence[tuple[str, Line]], figure: Figure, view: View, x: alt.X, dark: bool, dashed: bool
) -> list[alt.Chart]:
    """The raw lines and, over them, the smoothed ones; ``dashed`` tells them apart by more than their colour."""
    names = [name for name, _ in named]
    scale = alt.Scale(type="log") if view.log_y else alt.Scale(zero=False)
    encoding = {
        "x": x,
        "y": alt.Y("y:Q", title=one_line(figure.title, 40), scale=scale),
        "color": alt.Color(
            "curve:N", scale=alt.Scale(domain=names, range=series_colours(names, dark)), legend=_legend(names)
        ),
        "tooltip": [
            alt.Tooltip("curve:N"),
            alt.Tooltip("x:Q", title=AXIS_TITLES[figure.axis], format=",.6~g"),
            alt.Tooltip("y:Q", title="value", format=".5~g"),
        ],
    }
    if dashed and len(names) > 1:
        scale = alt.Scale(domain=names, range=dashes(len(names)))
        encoding["strokeDash"] = alt.StrokeDash("curve:N", scale=scale, legend=_legend(names))
    smoothed = any(line.smooth_x.size for _, line in named)
    layers = []
    for name, line in named:
        behind = 0.35 if line.smooth_x.size else 1.0
        dots = {"size": 24, "opacity": behind} if line.x.size <= FEW else {"size": 60, "opacity": 0}  # to point at
        raw = alt.Chart(_frame(name, line.x, line.y))
        layers.append(
            raw.mark_line(opacity=behind, strokeWidth=1.8 if behind == 1 else 1.2, point=dots).encode(**encoding)
        )
    if smoothed:
        frame = pd.concat([_frame(name, line.smooth_x, line.smooth_y) for name, line in named])
        layers.append(alt.Chart(frame).mark_line(strokeWidth=2.2).encode(**encoding))
    return layers


def dashes(count: int) -> list[list[int]]:
    """A pattern of strokes for each of so many lines, the first one whole."""
    patterns = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
    return [patterns[n % len(patterns)] for n in range(count)]


def _frame(name: str, x: Any, y: Any) -> pd.DataFrame:
    return pd.DataFrame({"x": x, "y": y, "curve": np.full(len(x), name, dtype=object)})


def _legend(names: Sequence[str]) -> alt.Legend:
    return alt.Legend(
        title=None,
        orient="top",
        columns=4 if max(map(len, names), default=0) < 16 else 2 if len(names) < 9 else 3,
        labelLimit=280,
        symbolType="stroke",
        symbolSize=250,
        symbolStrokeWidth=3,
        symbolOpacity=1,
    )


def _bands(figure: Figure, x: alt.X, view: View, dark: bool) -> list[alt.Chart]:
    """The findings as shaded stretches, each with its name on a row of its own."""
    low = min((float(line.x[0]) for line in figure.lines if line.x.size), default=figure.extent[0])
    cut = view.between or (low if view.log_x else figure.extent[0], figure.extent[1])
    layers = []
    for place, band in enumerate(figure.bands):
        frame = pd.DataFrame(
            {
                "x": [max(band.first, cut[0])],
                "x2": [min(band.last, cut[1])],
                "finding": [f"{SIGNS[Label(band.label)]} {plain_name(band.rule)}"],
                "says": [one_line(band.message)],
            }
        )
        colour = label_colour(band.label, dark)
        tips = [alt.Tooltip("finding:N"), alt.Tooltip("says:N")]
        late = cut[1] > cut[0] and (max(band.first, cut[0]) - cut[0]) / (cut[1] - cut[0]) > 0.7 and not view.log_x
        chart = alt.Chart(frame)
        shade = chart.mark_rect(opacity=0.09, color=colour, stroke=colour, strokeOpacity=0.5)
        name = chart.mark_text(align="right" if late else "left", dx=-4 if late else 4, fontWeight="bold", color=colour)
        layers.append(shade.encode(x=x, x2="x2:Q", tooltip=tips))
        at = alt.X("x2:Q") if late else x
        layers.append(name.encode(x=at, y=alt.value(10 + 15 * place), text="finding:N", tooltip=tips))
    return layers


def _marks(figure: Figure, x: alt.X, dark: bool) -> list[alt.Chart]:
    """Thin upright lines for the warm-up's end, the epochs' ends, joins, the best step, and broken steps."""
    soft = soft_colour(dark)
    looks: dict[str, dict[str, Any]] = {
        "warmup": {"color": soft, "strokeDash": [5, 3]},
        "epoch": {"color": soft, "strokeDash": [1, 4]},
        "join": {"color": soft, "strokeDash": [8, 3, 2, 3]},
        "best": {"color": label_colour("healthy", dark), "strokeDash": [5, 3], "strokeWidth": 1.5},
        "broken": {"color": label_colour("broken", dark), "opacity": 0.45},
    }
    layers = []
    for kind, look in looks.items():
        marks = [mark for mark in figure.marks if mark.kind == kind]
        if not marks:
            continue
        chart = alt.Chart(pd.DataFrame({"x": [mark.x for mark in marks], "mark": [mark.text for mark in marks]}))
        layers.append(chart.mark_rule(**look).encode(x=x, tooltip=alt.Tooltip("mark:N")))
        if kind in ("best", "join", "warmup"):
            late = (marks[0].x - figure.extent[0]) > 0.8 * (figure.extent[1] - figure.extent[0])
            text = chart.mark_text(
                color=look["color"],
                align="right" if late else "left",
                dx=-4 if late else 4,
                dy={"best": -24, "join": -39, "warmup": -9}[kind],
                fontSize=11,
            )
            layers.append(text.encode(x=x, y=alt.value("height"), text="mark:N"))
    return layers
