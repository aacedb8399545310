"""Altair charts of a study: the best so far, a setting against the metric, and what mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from diagnostics.chart.theme import BLUE, ORANGE, PAPER, VIOLET
from diagnostics.formatting import number, setting
from tuner.config.direction import Direction
from tuner.inspector.chart.legend import columns
from tuner.inspector.chart.palette import label_color, soft_color
from tuner.inspector.escape import one_line
from tuner.inspector.study.read import Step
from tuner.messages.en import PRICE, SOURCES
from tuner.study.price import Price
from tuner.study.report.path_gain import PathStep
from tuner.study.results import StudyResult
from tuner.study.words import source

HEIGHT = 280
HEXAGON = "M-1,0L-0.5,-0.87L0.5,-0.87L1,0L0.5,0.87L-0.5,0.87Z"
PROPOSERS = {
    "your file": ("diamond", PAPER["ink"]),
    "advice": ("square", BLUE),
    "sampler": ("circle", ORANGE),
    SOURCES["another-seed"]: (HEXAGON, PAPER["soft"]),
}
"""The shape and the color of a trial by who proposed it: those of the report."""
OVER = {"trials": "trial", "training steps": "training steps, all trials together"}


def progress_chart(
    steps: Sequence[Step], metric: str, over: str = "trials", *, log: bool = False, dark: bool = False
) -> alt.LayerChart:
    """The metric of each trial as a point and the best so far as a staircase, over trials or training steps."""
    frame = pd.DataFrame(
        {
            "x": [step.trial if over == "trials" else step.spent for step in steps],
            "trial": [step.trial for step in steps],
            "metric": [step.value for step in steps],
            "best": [step.best for step in steps],
            "by": [step.by for step in steps],
        }
    ).astype({"x": float, "metric": float, "best": float})
    x = _progress_axis(frame, over)
    y = _metric(frame["metric"], metric, log)
    stairs = alt.Chart(frame).mark_line(interpolate="step-after", strokeWidth=2.2, color=label_color("healthy", dark))
    points = alt.Chart(frame).mark_point(filled=True, size=90, opacity=0.9)
    tips = [alt.Tooltip("trial:Q"), alt.Tooltip("metric:Q", title="value", format=".5~g"), alt.Tooltip("by:N")]
    return alt.layer(
        stairs.encode(x=x, y=alt.Y("best:Q", **y)),
        points.encode(x=x, y=alt.Y("metric:Q", **y), tooltip=tips, **_by(set(frame["by"]), dark)),
    ).properties(height=HEIGHT)


def _progress_axis(frame: pd.DataFrame, over: str) -> alt.X:
    if over == "trials":
        ends = [min(frame["x"], default=0) - 0.5, max(frame["x"], default=0) + 0.5]
        axis = alt.Axis(tickMinStep=1, format="d")
        return alt.X("x:Q", title=OVER[over], axis=axis, scale=alt.Scale(domain=ends, nice=False))
    whole = [0, 1.04 * max(frame["x"], default=1)]
    return alt.X("x:Q", title=OVER[over], axis=alt.Axis(tickCount=6), scale=alt.Scale(domain=whole, nice=False))


def _metric(values: pd.Series[float], name: str, log: bool) -> dict[str, Any]:
    """The metric's axis; on a log one only the powers of ten have ticks, since ten in each would hide the points."""
    title = one_line(name, 40)
    if not log:
        return {"title": title, "scale": alt.Scale(zero=False, padding=12), "axis": alt.Axis(tickCount=5)}
    low, high = float(values.min()), float(values.max())
    powers = _powers(low, high)
    scale = alt.Scale(type="log", domain=[low / 1.4, high * 1.4], nice=False)
    return {"title": title, "scale": scale, "axis": alt.Axis(values=powers, format="~g")}


def _powers(low: float, high: float) -> list[float]:
    """The powers of ten around and between two numbers above 0."""
    return [10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def _by(present: set[str], dark: bool, *, named: bool = True) -> dict[str, Any]:
    """Color and shape by who proposed a trial: always the same ones, ``named`` in a legend."""
    names = [name for name in PROPOSERS if name in present] + sorted(present - set(PROPOSERS))
    looks = [PROPOSERS.get(name, ("triangle-up", VIOLET)) for name in names]
    scale = alt.Scale(domain=names, range=[color[dark] for _, color in looks])
    forms = alt.Scale(domain=names, range=[shape for shape, _ in looks])
    fit = alt.ExprRef(columns(names, sign=26))
    legend = alt.Legend(title=None, orient="top", symbolOpacity=1, columns=fit) if named else None
    return {
        "color": alt.Color("by:N", scale=scale, legend=legend),
        "shape": alt.Shape("by:N", scale=forms, legend=legend),
    }


def against_chart(
    points: Sequence[Mapping[str, Any]],
    knob: str,
    metric: str,
    *,
    log: bool = False,
    dark: bool = False,
    height: int = HEIGHT,
) -> alt.Chart:
    """The trials' values of one setting against the metric, in the colors and shapes of ``progress_chart``."""
    frame = pd.DataFrame(list(points), columns=["trial", "setting", "metric", "by", "verdict", "state"])
    values = frame["setting"]
    wide = bool(len(values)) and values.min() > 0 and values.max() / values.min() > 8
    scale = alt.Scale(type="log", padding=14, nice=False) if wide else alt.Scale(zero=False, padding=14)
    ticks: dict[str, Any] = {"format": "~g", "tickCount": 5, "labelOverlap": True}
    if wide:  # ten ticks in each power of ten would hide the points
        ticks |= {"values": powers} if len(powers := _powers(values.min(), values.max())) > 1 else {}
        ticks |= {"format": ".0~e" if values.min() < 1e-3 else "~g"}
    return (
        alt.Chart(frame)
        .mark_point(filled=True, size=100, opacity=0.9)
        .encode(
            x=alt.X("setting:Q", title=one_line(knob, 40), scale=scale, axis=alt.Axis(**ticks)),
            y=alt.Y("metric:Q", **_metric(frame["metric"], metric, log)),
            tooltip=["trial:Q", "setting:Q", "metric:Q", "by:N", "verdict:N", "state:N"],
            **_by(set(frame["by"]), dark, named=False),
        )
        .properties(height=height)
    )


def price_chart(
    points: Sequence[Price], study: StudyResult, *, log: bool = False, dark: bool = False
) -> alt.LayerChart:
    """What each trial forgot against its metric, better ones higher, the best one ringed, the limit as a line."""
    frame = pd.DataFrame(
        {
            "trial": [point.trial.number for point in points],
            "forgotten": [point.forgotten for point in points],
            "metric": [point.value for point in points],
            "by": [source(point.trial.proposer) for point in points],
            "verdict": [point.trial.label or "–" for point in points],
        }
    ).astype({"forgotten": float, "metric": float})
    x = alt.X("forgotten:Q", title=PRICE["forgotten"], scale=alt.Scale(padding=14), axis=alt.Axis(tickCount=6))
    axis = _metric(frame["metric"], study.metric, log)
    axis["scale"]["reverse"] = study.direction is Direction.MINIMIZE
    y = alt.Y("metric:Q", **axis)
    tips = [alt.Tooltip(name) for name in ("trial:Q", "by:N", "verdict:N")]
    tips += [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("forgotten", "metric")]
    dots = alt.Chart(frame).mark_point(filled=True, size=100, opacity=0.9)
    layers = [dots.encode(x=x, y=y, tooltip=tips, **_by(set(frame["by"]), dark))]
    ring = alt.Chart(frame[frame["trial"] == study.best]).mark_point(size=420, color=label_color("healthy", dark))
    layers.append(ring.encode(x=x, y=y))
    if study.forgetting_limit is not None:
        rule = alt.Chart(pd.DataFrame({"limit": [study.forgetting_limit]})).mark_rule(
            strokeDash=[5, 4], color=soft_color(dark)
        )
        layers.append(rule.encode(x=alt.X("limit:Q", title=PRICE["forgotten"])))
    return alt.layer(*layers).properties(height=HEIGHT)


def importance_chart(shares: Mapping[str, float], *, dark: bool = False) -> alt.LayerChart:
    """A bar for each setting with its share in percent, the largest on top."""
    names = [one_line(name, 40) for name in shares]
    frame = pd.DataFrame({"knob": names, "share": list(shares.values())})
    frame["text"] = [f"{100 * share:.0f} %" for share in frame["share"]]
    y = alt.Y("knob:N", title=None, sort=names, axis=alt.Axis(labelLimit=180))
    x = alt.X(
        "share:Q",
        title="share of what makes a trial good",
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]),
        scale=alt.Scale(domain=[0, 1.1]),
    )
    bars = alt.Chart(frame).mark_bar(color=BLUE[dark], height={"band": 0.6})
    texts = alt.Chart(frame).mark_text(align="left", dx=5, color=soft_color(dark)).encode(text="text:N", x=x, y=y)
    return (bars.encode(x=x, y=y) + texts).properties(height=max(90, 46 * len(names) + 40))


def gain_chart(steps: Sequence[PathStep], metric: str, *, log: bool = False, dark: bool = False) -> alt.LayerChart:
    """The path to the best trial as a bar for each move, from the metric before it to the metric after it."""
    frame = pd.DataFrame(
        {
            "move": [f"{step.trial}: {_moves(step)}" for step in steps],
            "before": [step.before for step in steps],
            "after": [step.after for step in steps],
            "far": [max(step.before, step.after) for step in steps],
            "color": [label_color("healthy" if step.gain >= 0 else "broken", dark) for step in steps],
            "text": [f"{'better' if step.gain >= 0 else 'worse'} by {number(abs(step.gain))}" for step in steps],
        }
    )
    axis = _metric(pd.concat([frame["before"], frame["after"]]), metric, log)
    axis["scale"] = _with_room_for_words(frame, log)
    y = alt.Y("move:N", title=None, sort=None, axis=alt.Axis(labelLimit=260))
    x = alt.X("before:Q", **axis)
    bars = alt.Chart(frame).mark_bar(height={"band": 0.5}, tooltip=True)
    texts = alt.Chart(frame).mark_text(align="left", dx=6, color=soft_color(dark))
    return (
        bars.encode(x=x, x2="after:Q", y=y, color=alt.Color("color:N", scale=None), tooltip=["move", "before", "after"])
        + texts.encode(x=alt.X("far:Q", **axis), y=y, text="text:N")
    ).properties(height=max(90, 34 * len(steps) + 40))


def _with_room_for_words(frame: pd.DataFrame, log: bool) -> alt.Scale:
    low, high = float(frame[["before", "after"]].min().min()), float(frame["far"].max())
    if log:
        return alt.Scale(type="log", domain=[low / 1.4, high * (high / low) ** 0.4], nice=False)
    return alt.Scale(domain=[low - 0.05 * (high - low), high + 0.4 * (high - low)], nice=False)


def _moves(step: PathStep) -> str:
    """What a step of the path changed: ``learning_rate 1e-5 → 3e-5``."""
    words = [f"{name} {setting(name, old)} → {setting(name, new)}" for name, (old, new) in step.moved.items()]
    return one_line(", ".join(words) or SOURCES["another-seed"], 60)
