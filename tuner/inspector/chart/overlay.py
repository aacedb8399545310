"""One curve of several runs in one panel: each run's, the means over seeds, or the differences from a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from diagnostics.chart.model import Chart, Panel, Series
from diagnostics.chart.series import series_of
from tuner.inspector.chart.crosshair import readings
from tuner.inspector.chart.difference import difference_of
from tuner.inspector.chart.legend import legend_names
from tuner.inspector.chart.panels import ChartData
from tuner.inspector.chart.seed_groups import BANDS, Spread, groups, spread
from tuner.inspector.chart.series import View, along, extent
from tuner.inspector.runs.folder import Opened

MIN_POINTS_PER_RUN = 200


def overlay(runs: Sequence[Opened], name: str, view: View) -> ChartData:
    """The curve ``name`` of each run that logged it, as a line with the run's name.

    The points of a chart are shared out, so twenty runs draw hardly more than one.
    """
    share = replace(view, points=max(MIN_POINTS_PER_RUN, 2 * view.points // max(1, len(runs))))
    lines: list[Series] = []
    logged: list[Series] = []
    for legend, opened in zip(legend_names(runs), runs, strict=True):
        curve = opened.run.curve(name)
        if curve is not None and len(curve):
            x = along(opened.run, curve.steps, view.x)
            lines.append(replace(series_of(name, curve, x, share), name=legend))
            logged.append(Series(legend, legend, x, curve.values))
    return ChartData(one_panel(runs, name, view, lines), readings(logged, view.x))


def difference(runs: Sequence[Opened], baseline: int, name: str, view: View) -> ChartData:
    """The curve of each other run minus the baseline's, where both were logged, as a line with the run's name."""
    lines = [
        Series(legend, legend, *apart, logged=apart[0].size, in_view=apart[0].size)
        for place, legend in enumerate(legend_names(runs))
        if place != baseline and (apart := difference_of(runs[place], runs[baseline], name, view)) is not None
    ]
    low = min((float(line.x[0]) for line in lines), default=0.0)
    high = max((float(line.x[-1]) for line in lines), default=1.0)
    chart = replace(one_panel(runs, name, view, lines), first=low, last=high)
    return ChartData(chart, readings(lines, view.x))


def averaged(runs: Sequence[Opened], name: str, view: View, band: str = BANDS[0]) -> ChartData:
    """A line of means for each group of runs that differ only in the seed, with the ribbon around it.

    A log axis cannot show values at or below 0: means there are left out, and a ribbon that would reach there begins
    at its line.
    """
    found = [spread(group.name, [runs[place] for place in group.places], name, view, band) for group in groups(runs)]
    lines = [_mean_line(one, log_y=view.log_y) for one in found if one is not None]
    chart = one_panel(runs, name, view, lines)
    panel = replace(chart.panels[0], ribbons=True)
    return ChartData(replace(chart, panels=(panel,)), readings(lines, view.x))


def _mean_line(found: Spread, *, log_y: bool) -> Series:
    keep = found.mean > 0 if log_y else np.full(found.x.size, True)
    x, mean, low, high = (part[keep] for part in (found.x, found.mean, found.low, found.high))
    points = found.x.size
    line = Series(found.name, found.name, x, mean, logged=points, in_view=points, hidden=points - x.size)
    low = np.where(low > 0, low, mean) if log_y else low
    return replace(line, low=low, high=high) if found.runs > 1 else line


def one_panel(runs: Sequence[Opened], name: str, view: View, lines: Sequence[Series]) -> Chart:
    """A chart of several runs: one panel, whose x axis reaches as far as the curve does in any of them."""
    first, last = reach(runs, name, view.x)
    return Chart(first=first, last=last, panels=(Panel(name, name, tuple(lines), view.log_y),), axis=view.x)


def reach(runs: Sequence[Opened], name: str, axis: str) -> tuple[float, float]:
    """The first and the last place on the x axis that the curve reaches in any of the runs."""
    ends = [extent(opened.run, axis, [name]) for opened in runs if name in opened.run.curves]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0.0, 1.0)
