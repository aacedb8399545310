"""A run's chart as the inspector draws it: the report's panels on the reader's x axis, with a crosshair over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.chart.model import Chart, Panel, Series
from diagnostics.chart.panels import panels
from diagnostics.formatting import number
from diagnostics.model.curves import FloatArray, Run
from tuner.inspector.chart.crosshair import Crosshair, crosshair
from tuner.inspector.chart.series import View, along, on_axis
from tuner.inspector.escape import one_line

MAX_CURVES = 12
MAX_DOTTED_POINTS = 60
MAX_DOTTED_EVALS = 240
USUAL_PERCENTILES = (2.0, 98.0)
MARGIN = 0.25
"""How far the axis reaches beyond the usual values, as a share of their range."""


@dataclass(frozen=True, eq=False)
class ChartData:
    """What is drawn: the chart, and its readings along the x axis."""

    chart: Chart
    crosshair: Crosshair = ()


def chart_data(run: Run, outline: Chart, names: Sequence[str], view: View) -> ChartData:
    """The chart of those curves of a run (at most twelve) as the reader wants to see it."""
    names = names[:MAX_CURVES]
    drawn = panels(run, names, view, lambda steps: along(run, steps, view.x))
    if view.ignore_outliers:
        drawn = [_without_outliers(panel) for panel in drawn]
    chart = replace(on_axis(run, outline, names, view), panels=tuple(drawn))
    return ChartData(chart, crosshair(run, chart))


def has_dots(series: Series) -> bool:
    """Whether each point of a series is drawn as a dot."""
    return series.x.size <= (MAX_DOTTED_EVALS if series.is_eval else MAX_DOTTED_POINTS)


def _without_outliers(panel: Panel) -> Panel:
    limited = replace(panel, limits=usual_limits([series.y for series in panel.series], log=panel.log))
    return limited if limited.beyond else panel


def usual_limits(values: Sequence[FloatArray], *, log: bool = False) -> tuple[float, float] | None:
    """The ends of an axis that shows the usual values; None where all values are the same or there are none."""
    parts = [np.log(part) if log else part for part in values if part.size]
    if not parts:
        return None
    low, high = np.array([np.percentile(part, USUAL_PERCENTILES) for part in parts]).T
    span = float(high.max() - low.min())
    if not (math.isfinite(span) and span > 0):
        return None
    ends = np.array([low.min() - MARGIN * span, high.max() + MARGIN * span])
    if log:
        with np.errstate(over="ignore"):
            ends = np.exp(ends)
    return (float(ends[0]), float(ends[1])) if np.isfinite(ends).all() and (not log or ends[0] > 0) else None


def points_caption(chart: Chart, view: View) -> str:
    """How many points are drawn where not all that are logged are, why, and what an axis cannot show; plain text."""
    hidden = [series for series in chart.series if series.hidden]
    beyond = sum(panel.beyond for panel in chart.panels)
    thinned = chart.drawn < chart.in_view - sum(one.hidden for one in hidden)
    logged = sum(series.logged for series in chart.series)
    parts = []
    if thinned:
        parts.append(
            f"{number(chart.drawn)} of {number(chart.in_view)} points in view are drawn, the lowest and highest of "
            "every pixel, so no spike is lost"
        )
    elif chart.in_view < logged:
        parts.append(f"{number(chart.in_view)} of {number(logged)} points are in view")
    if beyond:
        parts.append(f"{number(beyond)} outliers are drawn at the edge")
    parts += [
        f"{number(one.hidden)} points of {one_line(one.name, 60)} are not above 0, which a log axis cannot show"
        for one in hidden
    ]
    if any(series.is_smoothed for series in chart.series):
        parts.append(f"smoothed by a running mean of weight {view.smoothing:g}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
