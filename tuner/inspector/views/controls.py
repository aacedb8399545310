"""The widgets that say how a chart is to be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from diagnostics.wording import number
from tuner.inspector.figure import AXES, Figure, Line, View
from tuner.inspector.words import one_line

AXIS_WORDS = {"step": "Step", "epoch": "Epoch", "num_tokens": "Tokens", "wall_time": "Time"}


def view_controls(axes: Sequence[str], smoothing: float, prefix: str) -> View:
    """A row of widgets, and the view they ask for; ``prefix`` keeps the widgets of two pages apart."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x: str | None = axes[0]
        if len(axes) > 1:
            x = st.segmented_control("X axis", axes, default=x, format_func=AXIS_WORDS.get, key=f"{prefix}-x")
        weight = st.slider("Smoothing", 0.0, 0.99, smoothing, 0.01, key=f"{prefix}-smoothing", width=180)
        log_x = st.toggle("Log x", key=f"{prefix}-log-x")
        log_y = st.toggle("Log y", key=f"{prefix}-log-y")
    return View(x or axes[0], float(weight), bool(log_x), bool(log_y))


def zoom(extent: tuple[float, float], axis: str, key: str) -> tuple[float, float] | None:
    """The part of the x axis that the reader wants to see, None for all of it."""
    first, last = extent
    if not (math.isfinite(first) and math.isfinite(last) and last > first):
        return None
    grain = 10.0 ** math.floor(math.log10((last - first) / 200))
    low, high = math.floor(first / grain) * grain, math.ceil(last / grain) * grain
    chosen = st.slider(
        f"Part of the run ({AXES[axis]})", low, high, (low, high), grain, key=f"{key}-{axis}", format="localized"
    )
    return None if chosen == (low, high) else (float(chosen[0]), float(chosen[1]))


def counted(figure: Figure, names: dict[str, str] | None = None) -> str:
    """How many of the logged points are drawn, and why not all; plain text."""
    inside = sum(line.inside for line in figure.lines)
    parts = [f"{number(figure.shown)} of {number(inside)} points in view are drawn"]
    if figure.shown < inside:
        parts[0] += ", the lowest and highest of every pixel, so no spike is lost"
    parts += [_hidden(line, (names or {}).get(line.name, line.name)) for line in figure.lines if line.hidden]
    return "; ".join(parts) + ". Drag moves, Shift + wheel zooms, double click goes back."


def _hidden(line: Line, name: str) -> str:
    return f"{number(line.hidden)} points of {one_line(name, 60)} are not above 0 and cannot stand on a log axis"
