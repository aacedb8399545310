"""The widgets that choose how a chart is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from diagnostics.formatting import number
from tuner.inspector.chart.series import AXES, View

ZOOMING = "Drag to pan, Shift+scroll to zoom, double-click to reset."
LINK: Literal["query-params"] = "query-params"
"""A widget bound this way writes its value into the page's address, which makes the address a link to the view."""

BAD_PART = "From must be less than To."


def view_controls(axes: Sequence[str], smoothing: float, prefix: str) -> View:
    """Widgets and the view that they choose; ``prefix`` keeps the widgets of two pages apart."""
    x: str | None = axes[0]
    if len(axes) > 1:
        x = st.segmented_control(
            "X axis", axes, default=x, format_func=lambda name: AXES[name].label, key=f"{prefix}-x", bind=LINK
        )
    weight = st.slider(
        "Smoothing",
        0.0,
        0.99,
        smoothing,
        0.01,
        key=f"{prefix}-smoothing",
        bind=LINK,
        help="The weight of the running mean of noisy curves. Calm curves and evaluations are drawn as logged.",
    )
    with st.container(horizontal=True):
        log_x = st.toggle("Log x", key=f"{prefix}-log-x", bind=LINK)
        log_y = st.toggle("Log y", key=f"{prefix}-log-y", bind=LINK)
    return View(x=x or axes[0], smoothing=float(weight), log_x=bool(log_x), log_y=bool(log_y))


def part(extent: tuple[float, float], axis: str, key: str) -> tuple[float, float] | None:
    """The part of the x axis between two numbers that the reader types, None for all of it.

    Nothing here depends on how long the run is, so that a run that grows leaves the numbers as they are.
    """
    unit = AXES[axis].unit
    with st.container(horizontal=True):
        low, high = (
            st.number_input(
                f"{end} ({unit})",
                value=None,
                key=f"{end.lower()}-{key}-{axis}",
                placeholder=number(place),
                width=130,
                format="%g",
                bind=LINK,
            )
            for end, place in zip(("From", "To"), extent, strict=True)
        )
    first, last = extent[0] if low is None else float(low), extent[1] if high is None else float(high)
    if low is None and high is None:
        return None
    if not first < last:
        st.caption(BAD_PART)
        return None
    return first, last
