"""The widgets that say how a chart is to be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from diagnostics.formatting import number
from tuner.inspector.chart.series import AXES, Figure, Line, View
from tuner.inspector.escape import one_line

ZOOMING = "Drag moves, Shift + wheel zooms, double click goes back."
LINK: Literal["query-params"] = "query-params"
"""A widget bound so stands in the page's address, which makes the address a link to the view."""

AXIS_WORDS = {
    "step": "Step",
    "epoch": "Epoch",
    "num_tokens": "Tokens",
    "samples": "Samples",
    "wall_time": "Time",
    "clock": "Clock",
}


def view_controls(axes: Sequence[str], smoothing: float, prefix: str) -> View:
    """A row of widgets, and the view they ask for; ``prefix`` keeps the widgets of two pages apart."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x: str | None = axes[0]
        if len(axes) > 1:
            x = st.segmented_control(
                "X axis", axes, default=x, format_func=AXIS_WORDS.get, key=f"{prefix}-x", bind=LINK
            )
        weight = st.slider("Smoothing", 0.0, 0.99, smoothing, 0.01, key=f"{prefix}-smoothing", width=180, bind=LINK)
        log_x = st.toggle("Log x", key=f"{prefix}-log-x", bind=LINK)
        log_y = st.toggle("Log y", key=f"{prefix}-log-y", bind=LINK)
    return View(x or axes[0], float(weight), bool(log_x), bool(log_y))


def counted(figure: Figure) -> str:
    """How many of the logged points are drawn, and why not all; plain text."""
    inside = sum(line.inside for line in figure.lines)
    parts = [f"{number(figure.shown)} of {number(inside)} points in view are drawn"]
    if figure.shown < inside:
        parts[0] += ", the lowest and highest of every pixel, so no spike is lost"
    parts += [_hidden(line) for line in figure.lines if line.hidden]
    return "; ".join(parts) + "."


def part(extent: tuple[float, float], axis: str, key: str) -> tuple[float, float] | None:
    """The part of the x axis between two numbers that the reader types, None for all of it.

    Nothing here depends on how long the run is, so that a run that grows leaves the numbers as they are.
    """
    words = AXES[axis]
    low = st.number_input(
        f"From ({words})",
        value=None,
        key=f"from-{key}-{axis}",
        placeholder=number(extent[0]),
        width=120,
        format="%g",
        bind=LINK,
    )
    high = st.number_input(
        f"To ({words})",
        value=None,
        key=f"to-{key}-{axis}",
        placeholder=number(extent[1]),
        width=120,
        format="%g",
        bind=LINK,
    )
    first, last = extent[0] if low is None else float(low), extent[1] if high is None else float(high)
    if low is None and high is None:
        return None
    if not first < last:
        st.caption("From must be less than To.")
        return None
    return first, last


def _hidden(line: Line) -> str:
    return f"{number(line.hidden)} points of {one_line(line.name, 60)} are not above 0 and cannot stand on a log axis"
