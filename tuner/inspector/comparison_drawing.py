"""The Altair chart of a comparison's means: the mean of several runs with its band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from tuner.inspector.drawing import AXIS_TITLES, HEIGHT, dashes
from tuner.inspector.figure import AXES, View
from tuner.inspector.palette import series_colours
from tuner.inspector.plot import legend_of
from tuner.inspector.seeds import Spread
from tuner.inspector.words import one_line


def spread_chart(spreads: Sequence[Spread], view: View, title: str, *, dark: bool = False) -> alt.LayerChart:
    """The mean of each group as a line over its band; a dash tells groups apart that colour alone does not."""
    names = [spread.name for spread in spreads]
    frame = pd.concat([_frame(spread, view) for spread in spreads])
    x = _x(view)
    y = alt.Y("mean:Q", title=one_line(title, 40), scale=alt.Scale(type="log") if view.log_y else alt.Scale(zero=False))
    legend = alt.Legend(**legend_of(names))
    colour = alt.Color("group:N", scale=alt.Scale(domain=names, range=series_colours(names, dark)), legend=legend)
    dash = alt.StrokeDash("group:N", scale=alt.Scale(domain=names, range=dashes(len(names))), legend=legend)
    tips: list[Any] = [
        alt.Tooltip("group:N"),
        alt.Tooltip(x.shorthand, title=AXIS_TITLES[AXES[view.x]], format="" if view.x == "clock" else ",.6~g"),
        alt.Tooltip("mean:Q", format=".5~g"),
        alt.Tooltip("low:Q", format=".5~g"),
        alt.Tooltip("high:Q", format=".5~g"),
        alt.Tooltip("runs:Q"),
    ]
    chart = alt.Chart(frame)
    shade = chart.mark_area(opacity=0.18).encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q", color=colour)
    line = chart.mark_line(strokeWidth=2.2, point={"size": 60, "opacity": 0})
    lines = line.encode(x=x, y=y, color=colour, strokeDash=dash, tooltip=tips)
    drag = alt.selection_interval(bind="scales", zoom="wheel![event.shiftKey]")
    return alt.layer(shade, lines.add_params(drag)).properties(height=HEIGHT)


def _frame(spread: Spread, view: View) -> pd.DataFrame:
    columns = {"x": spread.x, "mean": spread.mean, "low": spread.low, "high": spread.high}
    frame = pd.DataFrame({**columns, "group": spread.name, "runs": spread.runs})
    if view.log_y:  # a log axis has no place at or below 0
        frame = frame[frame["mean"] > 0]
        frame["low"] = np.where(frame["low"] > 0, frame["low"], frame["mean"])
    return frame


def _x(view: View) -> alt.X:
    title = AXIS_TITLES[AXES[view.x]]
    if view.x == "clock":
        return alt.X("x:T", title=title)
    domain = {"domain": list(view.between)} if view.between is not None and not view.log_x else {}
    scale = alt.Scale(type="log") if view.log_x else alt.Scale(zero=False, nice=False, **domain)
    form = "~s" if view.x in ("num_tokens", "samples") else ",.10~g"
    return alt.X("x:Q", title=title, scale=scale, axis=alt.Axis(format=form, tickCount=10))
