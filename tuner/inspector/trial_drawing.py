"""Altair charts of a study: the best so far, and a setting against the metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from tuner.inspector.palette import label_colour, series_colours
from tuner.inspector.trials import Step
from tuner.inspector.words import one_line

HEIGHT = 280


def progress_chart(steps: Sequence[Step], metric: str, *, dark: bool = False) -> alt.LayerChart:
    """The metric of each trial as a point and the best so far as a staircase."""
    frame = pd.DataFrame(
        {
            "trial": [step.trial for step in steps],
            "metric": [step.value for step in steps],
            "best": [step.best for step in steps],
        }
    ).astype({"metric": float, "best": float})
    ends = [min(frame["trial"], default=0) - 0.5, max(frame["trial"], default=0) + 0.5]
    whole = alt.Axis(tickMinStep=1, format="d")
    x = alt.X("trial:Q", title="trial", axis=whole, scale=alt.Scale(domain=ends, nice=False))
    y = alt.Scale(zero=False, padding=12)
    tips = [alt.Tooltip("trial:Q"), alt.Tooltip("metric:Q", title="value", format=".5~g")]
    stairs = alt.Chart(frame).mark_line(interpolate="step-after", strokeWidth=2.2, color=label_colour("healthy", dark))
    points = alt.Chart(frame).mark_circle(size=70, opacity=0.85, color=series_colours(["train_loss"], dark)[0])
    return alt.layer(
        stairs.encode(x=x, y=alt.Y("best:Q", title=one_line(metric, 40), scale=y)),
        points.encode(x=x, y=alt.Y("metric:Q", title=one_line(metric, 40), scale=y), tooltip=tips),
    ).properties(height=HEIGHT)


def against_chart(points: Sequence[Mapping[str, Any]], knob: str, metric: str, *, dark: bool = False) -> alt.Chart:
    """The trials' values of one setting against the metric, coloured by who proposed them."""
    frame = pd.DataFrame(list(points), columns=["trial", "setting", "metric", "by", "verdict", "state"])
    values = frame["setting"]
    log = bool(len(values)) and values.min() > 0 and values.max() / values.min() > 8
    scale = alt.Scale(type="log", padding=14, nice=False) if log else alt.Scale(zero=False, padding=14)
    ticks = alt.Axis(format=".1~e" if log and values.min() < 1e-3 else "~g", tickCount=5, labelOverlap=True)
    movers = sorted(set(frame["by"]))
    colours = alt.Scale(domain=movers, range=series_colours(movers, dark))
    return (
        alt.Chart(frame)
        .mark_point(filled=True, size=100, opacity=0.9)
        .encode(
            x=alt.X("setting:Q", title=one_line(knob, 40), scale=scale, axis=ticks),
            y=alt.Y("metric:Q", title=one_line(metric, 40), scale=alt.Scale(zero=False, padding=14)),
            color=alt.Color("by:N", scale=colours, legend=alt.Legend(title=None, orient="top")),
            shape=alt.Shape("by:N", scale=alt.Scale(domain=movers), legend=None),
            tooltip=["trial:Q", "setting:Q", "metric:Q", "by:N", "verdict:N", "state:N"],
        )
        .properties(height=HEIGHT)
    )
