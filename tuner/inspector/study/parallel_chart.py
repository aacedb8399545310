"""The Altair chart of a study in parallel coordinates."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from diagnostics.formatting import number, setting
from tuner.inspector.chart.palette import PAGE, soft_color
from tuner.inspector.escape import one_line
from tuner.inspector.study.landscape_chart import HEIGHT, metric_color
from tuner.inspector.study.parallel import ParallelCoordinates, Polyline
from tuner.study.words import proposer_words


def parallel_coordinates_chart(
    parallel: ParallelCoordinates, best: int | None, direction: str, *, log: bool = False, dark: bool = False
) -> alt.LayerChart:
    """Parallel coordinates: a line for each trial over all settings and the metric; the best one is thick.

    Pointing at a line makes it thick as well.
    """
    names = [one_line(axis, 30) for axis in parallel.axes]
    heads = alt.Axis(orient="top", labelAngle=0, labelLimit=130, domain=False, ticks=False, labelFontWeight="bold")
    x = alt.X("axis:N", sort=names, title=None, axis=heads, scale=alt.Scale(padding=0.3))
    y = alt.Y("place:Q", axis=None, scale=alt.Scale(domain=[-0.04, 1.04], nice=False))
    near = alt.selection_point(on="pointerover", fields=["trial"], nearest=True, empty=False)
    frame = pd.DataFrame([row for polyline in parallel.polylines for row in _rows(parallel, polyline, best)])
    encoding = {
        "x": x,
        "y": y,
        "color": metric_color(names[-1], direction, log, dark, legend=False),
        "detail": "trial:N",
    }
    widths = alt.StrokeWidth("best:N", scale=alt.Scale(domain=[False, True], range=[1.5, 4.0]), legend=None)
    tips = [alt.Tooltip("trial:Q"), "axis:N", "value:N", alt.Tooltip("metric:Q", format=".5~g"), "by:N"]
    lines = alt.Chart(frame).mark_line(point={"size": 40, "filled": True}).add_params(near)
    drawn = lines.encode(
        **encoding, order="order:Q", strokeWidth=alt.condition(near, alt.value(4.5), widths), tooltip=tips
    )
    return alt.layer(*_poles(names, x, dark), drawn, *_ticks(names, parallel, x, y, dark)).properties(height=HEIGHT)


def _rows(parallel: ParallelCoordinates, polyline: Polyline, best: int | None) -> list[dict[str, Any]]:
    """A polyline as one row for each axis."""
    trial, last = polyline.trial, len(parallel.axes) - 1
    return [
        {
            "axis": one_line(axis, 30),
            "place": place,
            "order": order,
            "trial": trial.number,
            "metric": trial.value,
            "value": number(trial.value) if order == last else one_line(setting(axis, trial.settings.get(axis))),
            "by": proposer_words(trial.proposer),
            "best": trial.number == best,
        }
        for order, (axis, place) in enumerate(zip(parallel.axes, polyline.places, strict=True))
    ]


def _poles(names: list[str], x: alt.X, dark: bool) -> list[alt.Chart]:
    """The upright axes."""
    frame = pd.DataFrame({"axis": names, "low": 0.0, "high": 1.0})
    pole = alt.Chart(frame).mark_rule(color=soft_color(dark), opacity=0.6)
    return [pole.encode(x=x, y=alt.Y("low:Q", axis=None), y2="high:Q")]


def _ticks(names: list[str], parallel: ParallelCoordinates, x: alt.X, y: alt.Y, dark: bool) -> list[alt.Chart]:
    """The texts beside the axes, each with a seam of paper around it, for lines run behind them."""
    marks = [(name, *tick) for name, ticks in zip(names, parallel.ticks, strict=True) for tick in ticks]
    frame = pd.DataFrame([{"axis": name, "place": place, "text": one_line(text, 16)} for name, place, text in marks])
    seam = {"fill": PAGE[dark], "stroke": PAGE[dark], "strokeWidth": 3, "strokeJoin": "round"}
    return [
        alt.Chart(frame).mark_text(align="right", dx=-8, fontSize=10, **look).encode(x=x, y=y, text="text:N")
        for look in (seam, {"color": soft_color(dark)})
    ]
