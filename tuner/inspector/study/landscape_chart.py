"""Altair charts of a study over several settings: two against the metric, and all of them side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import pandas as pd

from diagnostics.chart.theme import PAPER, SERIES_COLORS
from diagnostics.formatting import number, setting
from tuner.inspector.chart.palette import soft_color
from tuner.inspector.escape import one_line
from tuner.inspector.study.axes import Axis
from tuner.inspector.study.landscape import CELLS, Landscape, ParallelCoordinates, Polyline
from tuner.inspector.study.read import proposer_words
from tuner.inspector.study.trial_clusters import TrialCluster, trial_clusters
from tuner.study.results import TrialResult

HEIGHT = 350
PAGE = ("#ffffff", "#171614")
"""The page that Streamlit draws on, light and dark."""


def landscape_chart(
    land: Landscape, metric: str, best: int | None, direction: str, *, dark: bool = False
) -> alt.LayerChart:
    """Two knobs against the metric: the surface between the trials, the trials with their numbers, the best ringed.

    Trials of equal settings share a mark. Without a surface, the marks themselves have the metric's color.
    """
    x, y = _placed(alt.X("x:Q"), land.across), _placed(alt.Y("y:Q"), land.up)
    color = _color(metric, direction, land.log, dark, legend=True)
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
    numbers = digits.encode(x=x, y=y, text="words:N", tooltip=tips)
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
            "x": [spot.x for spot in found],
            "y": [spot.y for spot in found],
            "metric": [spot.metric for spot in found],
            "words": [spot.words for spot in found],
            "outline": [spot.outline for spot in found],
            "trial": _each(found, lambda trial: str(trial.number)),
            "values": _each(found, lambda trial: number(trial.value)),
            "by": _each(found, lambda trial: proposer_words(trial.proposer)),
            "across": _each(found, lambda trial: one_line(setting(a, trial.settings.get(a)))),
            "up": _each(found, lambda trial: one_line(setting(b, trial.settings.get(b)))),
            "ring": [4.5 if any(trial.number == best for trial in spot.trials) else 1.2 for spot in found],
        }
    )


def _each(found: Sequence[TrialCluster], says: Callable[[TrialResult], str]) -> list[str]:
    """What is said of each spot's trials, once where it is the same of several."""
    return [", ".join(dict.fromkeys(says(trial) for trial in spot.trials)) for spot in found]


def _color(metric: str, direction: str, log: bool, dark: bool, *, legend: bool) -> alt.Color:
    """The metric as a color; the better a trial, the more it stands out: dark on light paper, bright on dark paper."""
    reverse = (direction == "minimize") is dark
    scale = alt.Scale(scheme="viridis", reverse=reverse, type="log" if log else "linear")
    bar = alt.Legend(type="gradient", tickCount=3, format=".2~g") if legend else None
    return alt.Color("metric:Q", title=one_line(metric, 40), scale=scale, legend=bar)


def _placed(channel: Any, along: Axis) -> Any:
    """An axis of places from 0 to 1 that reads as the setting's values."""
    ticks = along.ticks()
    # The texts come from a file: as JSON they are strings to Vega, whatever they hold.
    texts = "".join(f"datum.value == {place!r} ? {json.dumps(one_line(text, 24))} : " for place, text in ticks)
    axis = alt.Axis(values=[place for place, _ in ticks], labelExpr=f"{texts}''", labelOverlap=True, grid=False)
    return channel.title(one_line(along.name, 40)).axis(axis).scale(domain=[-0.06, 1.06], nice=False)


def parallel_coordinates_chart(
    woven: ParallelCoordinates, best: int | None, direction: str, *, log: bool = False, dark: bool = False
) -> alt.LayerChart:
    """Parallel coordinates: a line for each trial over all knobs and the metric; the best one is thick.

    Pointing at a line makes it thick as well.
    """
    names = [one_line(axis, 30) for axis in woven.axes]
    heads = alt.Axis(orient="top", labelAngle=0, labelLimit=130, domain=False, ticks=False, labelFontWeight="bold")
    x = alt.X("axis:N", sort=names, title=None, axis=heads, scale=alt.Scale(padding=0.3))
    y = alt.Y("place:Q", axis=None, scale=alt.Scale(domain=[-0.04, 1.04], nice=False))
    near = alt.selection_point(on="pointerover", fields=["trial"], nearest=True, empty=False)
    frame = pd.DataFrame([row for thread in woven.threads for row in _rows(woven, thread, best)])
    encoding = {"x": x, "y": y, "color": _color(names[-1], direction, log, dark, legend=False), "detail": "trial:N"}
    widths = alt.StrokeWidth("best:N", scale=alt.Scale(domain=[False, True], range=[1.5, 4.0]), legend=None)
    tips = [alt.Tooltip("trial:Q"), "axis:N", "value:N", alt.Tooltip("metric:Q", format=".5~g"), "by:N"]
    lines = alt.Chart(frame).mark_line(point={"size": 40, "filled": True}).add_params(near)
    drawn = lines.encode(
        **encoding, order="order:Q", strokeWidth=alt.condition(near, alt.value(4.5), widths), tooltip=tips
    )
    return alt.layer(*_poles(names, x, dark), drawn, *_ticks(names, woven, x, y, dark)).properties(height=HEIGHT)


def _rows(woven: ParallelCoordinates, thread: Polyline, best: int | None) -> list[dict[str, Any]]:
    """A thread as one row for each axis."""
    trial, last = thread.trial, len(woven.axes) - 1
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
        for order, (axis, place) in enumerate(zip(woven.axes, thread.places, strict=True))
    ]


def _poles(names: list[str], x: alt.X, dark: bool) -> list[alt.Chart]:
    """The upright axes."""
    frame = pd.DataFrame({"axis": names, "low": 0.0, "high": 1.0})
    pole = alt.Chart(frame).mark_rule(color=soft_color(dark), opacity=0.6)
    return [pole.encode(x=x, y=alt.Y("low:Q", axis=None), y2="high:Q")]


def _ticks(names: list[str], woven: ParallelCoordinates, x: alt.X, y: alt.Y, dark: bool) -> list[alt.Chart]:
    """The texts beside the axes, each with a seam of paper around it, for lines run behind them."""
    marks = [(name, *tick) for name, ticks in zip(names, woven.ticks, strict=True) for tick in ticks]
    frame = pd.DataFrame([{"axis": name, "place": place, "text": one_line(text, 16)} for name, place, text in marks])
    seam = {"fill": PAGE[dark], "stroke": PAGE[dark], "strokeWidth": 3, "strokeJoin": "round"}
    return [
        alt.Chart(frame).mark_text(align="right", dx=-8, fontSize=10, **look).encode(x=x, y=y, text="text:N")
        for look in (seam, {"color": soft_color(dark)})
    ]
