"""The Altair chart of two settings against the metric."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from diagnostics.chart.theme import PAPER, SERIES_COLORS
from diagnostics.formatting import number, setting
from tuner.inspector.escape import one_line
from tuner.inspector.study.axes import Axis
from tuner.inspector.study.landscape import CELLS, Landscape
from tuner.inspector.study.trial_clusters import TrialCluster, trial_clusters
from tuner.study.results import TrialResult
from tuner.study.words import proposer_words

HEIGHT = 350


def landscape_chart(
    land: Landscape, metric: str, best: int | None, direction: str, *, dark: bool = False
) -> alt.LayerChart:
    """Two settings against the metric: the surface between the trials, the trials with their numbers, the best ringed.

    Trials of equal settings share a mark. Without a surface, the marks themselves have the metric's color.
    """
    x, y = _placed(alt.X("x:Q"), land.across), _placed(alt.Y("y:Q"), land.up)
    color = metric_color(metric, direction, land.log, dark, legend=True)
    points = _points(land, best)
    tips = [alt.Tooltip("trial:N"), alt.Tooltip("values:N", title=one_line(metric, 40)), "by:N"]
    tips += [alt.Tooltip("across:N", title=land.across.name), alt.Tooltip("up:N", title=land.up.name)]
    ink, card = PAPER["ink"][dark], PAPER["card"][dark]
    fill = card if len(land.cells) else alt.Undefined
    dots = alt.Chart(points).mark_point(size=260, opacity=1, filled=True, fill=fill, stroke=ink)
    width = alt.StrokeWidth("ring:Q", scale=None)
    stroke = alt.condition("datum.ring > 2", alt.value(SERIES_COLORS["eval_loss"][dark]), alt.value(ink))
    outline = alt.Shape("outline:N", scale=None)
    rings = dots.encode(x=x, y=y, color=color, stroke=stroke, strokeWidth=width, shape=outline, tooltip=tips)
    digits = alt.Chart(points).mark_text(fontSize=10, fontWeight="bold", color=ink, dy=0 if len(land.cells) else -17)
    numbers = digits.encode(x=x, y=y, text="label:N", tooltip=tips)
    return alt.layer(*_surface(land, x, y, color), rings, numbers).properties(height=HEIGHT)


def _surface(land: Landscape, x: alt.X, y: alt.Y, color: alt.Color) -> list[alt.Chart]:
    if not len(land.cells):
        return []
    half = 0.54 / CELLS  # a little more than a cell: seams would show
    across, up = land.cells[:, 0], land.cells[:, 1]
    ends = {"x": across - half, "x2": across + half, "y": up - half, "y2": up + half}
    rects = alt.Chart(pd.DataFrame({**ends, "metric": land.cells[:, 2]})).mark_rect(strokeWidth=0)
    tip = alt.Tooltip("metric:Q", title="between trials, about", format=".3~g")
    return [rects.encode(x=x, x2="x2:Q", y=y, y2="y2:Q", color=color, tooltip=tip)]


def _points(land: Landscape, best: int | None) -> pd.DataFrame:
    a, b = land.across.name, land.up.name
    found = trial_clusters(land)
    return pd.DataFrame(
        {
            "x": [cluster.x for cluster in found],
            "y": [cluster.y for cluster in found],
            "metric": [cluster.metric for cluster in found],
            "label": [cluster.label for cluster in found],
            "outline": [cluster.outline for cluster in found],
            "trial": _each(found, lambda trial: str(trial.number)),
            "values": _each(found, lambda trial: number(trial.value)),
            "by": _each(found, lambda trial: proposer_words(trial.proposer)),
            "across": _each(found, lambda trial: one_line(setting(a, trial.settings.get(a)))),
            "up": _each(found, lambda trial: one_line(setting(b, trial.settings.get(b)))),
            "ring": [4.5 if any(trial.number == best for trial in cluster.trials) else 1.2 for cluster in found],
        }
    )


def _each(found: Sequence[TrialCluster], text_of: Callable[[TrialResult], str]) -> list[str]:
    """The text of each cluster's trials, once where it is the same for several."""
    return [", ".join(dict.fromkeys(text_of(trial) for trial in cluster.trials)) for cluster in found]


def metric_color(metric: str, direction: str, log: bool, dark: bool, *, legend: bool) -> alt.Color:
    """The metric as a color; the better a trial, the more it stands out: dark on light paper, bright on dark paper."""
    reverse = (direction == "minimize") is dark
    scale = alt.Scale(scheme="viridis", reverse=reverse, type="log" if log else "linear")
    bar = alt.Legend(type="gradient", tickCount=3, format=".2~g") if legend else None
    return alt.Color("metric:Q", title=one_line(metric, 40), scale=scale, legend=bar)


def _placed(channel: Any, along: Axis) -> Any:
    """An axis of places from 0 to 1 that reads as the setting's values."""
    ticks = along.ticks()
    # The texts come from a file: as JSON they are always strings to Vega.
    texts = "".join(f"datum.value == {place!r} ? {json.dumps(one_line(text, 24))} : " for place, text in ticks)
    axis = alt.Axis(values=[place for place, _ in ticks], labelExpr=f"{texts}''", labelOverlap=True, grid=False)
    return channel.title(one_line(along.name, 40)).axis(axis).scale(domain=[-0.06, 1.06], nice=False)
