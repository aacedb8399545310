"""The curves of a run and how they are to be seen."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from diagnostics.chart.panels import PARTS, curves_of, panel_name
from diagnostics.chart.smoothing import default_weight
from diagnostics.messages import HEADLINES
from diagnostics.model.curves import Run
from diagnostics.model.methods import method_record
from tuner.inspector.chart.comparison import shared_curves
from tuner.inspector.chart.panels import MAX_CURVES, chart_data, points_caption
from tuner.inspector.chart.series import LOSSES, View, axes, extent
from tuner.inspector.chart.vega_data import tables
from tuner.inspector.chart.vega_spec import ZOOM, spec
from tuner.inspector.escape import one_line, plain
from tuner.inspector.runs.folder import Opened
from tuner.inspector.views.context import is_dark
from tuner.inspector.views.controls import LINK, ZOOMING, part, view_controls

SHOWN_BELOW = ("rewards_margins", "learning_rate")
"""What is shown below the losses from the start, where it was logged."""
NOTHING_IN_VIEW = "No point lies in this part of the axis. A log axis shows only values above 0."


def curves(opened: Opened) -> None:
    """The chart of a run with its controls; a change there redraws nothing else."""
    st.fragment(_curves)(opened)


def _curves(opened: Opened) -> None:
    names = shared_curves([opened])
    if not names:
        st.info("This log holds no curve with a finite value.")
        return
    usual = usual_curves(names, opened.run)
    with st.container(horizontal=True, key="run-bar"):
        with st.popover(f"Curves ({len(names)})", key="run-curves"):
            shown = st.multiselect(
                "Curves",
                names,
                default=usual,
                key=f"curves-{opened.id}",
                max_selections=MAX_CURVES,
                format_func=one_line,
                bind=LINK,
            )
        shown = shown or usual
        with st.popover("View", key="run-view"):
            view = view_controls(axes(opened.run), default_weight(opened.run), "run")
            between = None
            if view.x != "clock":
                between = part(extent(opened.run, view.x, shown), view.x, opened.id)
            outliers = st.toggle("Ignore outliers", key="run-outliers", bind=LINK, help="Fit the axis to usual values.")
    _chart(opened, shown, replace(view, between=between, ignore_outliers=bool(outliers)))


def reading(place: Any, size: int) -> None:
    """Say as a chart that a log of so many bytes is being read; the browser loads what draws charts meanwhile."""
    words = {
        "data": {"values": [{}]},
        "mark": {"type": "text", "text": f"Reading {size / 1e6:,.0f} MB …", "fontSize": 14},
    }
    canvas = {"usermeta": {"embedOptions": {"renderer": "canvas"}}}
    place.vega_lite_chart(
        {**words, **canvas, "height": 300, "config": {"view": {"stroke": None}}}, alt="Reading the log"
    )


def usual_curves(names: Sequence[str], run: Run) -> list[str]:
    """The curves that a run is opened with: the losses, what a DPO run is about, the learning rate.

    Where rewards are learned from, those of a report: the reward and its parts first, and no loss. Where these are too
    many, what held-out answers were like makes room for the divergence from the reference.
    """
    if not method_record(run.settings.method).loss_is_objective:
        drawn = [name for name in curves_of(run) if name in names]
        if len(drawn) > MAX_CURVES:
            drawn = [name for name in drawn if panel_name(name) in ("reward", PARTS) or not name.startswith("eval_")]
        return drawn[:MAX_CURVES] or list(names[:1])
    losses = [name for name in LOSSES if name in names]
    return losses + [name for name in SHOWN_BELOW if name in names] if losses else list(names[:1])


def _chart(opened: Opened, names: Sequence[str], view: View) -> None:
    """The chart, with more detail where the reader has zoomed in."""
    key = chart_key(opened.id, view)
    zoomed = replace(view, between=zoomed_to(st.session_state.get(key), view))
    whole = chart_data(opened.run, opened.chart, names, view)
    seen = whole if zoomed == view else chart_data(opened.run, opened.chart, names, zoomed)
    dark = is_dark()
    if not whole.chart.drawn:
        st.info(NOTHING_IN_VIEW)
        return
    drawn = spec(whole.chart, view, dark=dark)
    st.empty().vega_lite_chart(  # one place, so that an interrupted drawing leaves no second chart behind
        {**drawn, "datasets": tables(seen, zoomed, dark=dark)},
        key=key,
        on_select="rerun",
        selection_mode=[ZOOM],
        alt=f"Curves of {one_line(opened.name, 80)}. {HEADLINES[opened.diagnosis.label]}.",
    )
    st.caption(plain(" ".join(filter(None, (points_caption(seen.chart, zoomed), ZOOMING)))))
    if zoomed.between is not None and zoomed.between != view.between and view.x != "clock":
        st.button(
            "Keep this part",
            key="keep-part",
            on_click=_keep,
            args=(opened.id, view.x, zoomed.between),
            help="Writes what is in view into From and To, and so into this page's address.",
        )


def _keep(run_id: str, axis: str, between: tuple[float, float]) -> None:
    for end, value in zip(("from", "to"), between, strict=True):
        st.session_state[f"{end}-{run_id}-{axis}"] = float(f"{value:.6g}")


def chart_key(run_id: str, view: View) -> str:
    """The chart's key: another one wherever a zoom would mean something else."""
    state = repr((run_id, view.x, view.log_x, view.between))
    return f"curve-{hashlib.sha256(state.encode(errors='replace')).hexdigest()[:12]}"


def zoomed_to(state: Any, view: View) -> tuple[float, float] | None:
    """The part of the x axis that the browser's zoom shows; the view's own part where it shows none."""
    try:
        first, last = (float(value) for value in state["selection"][ZOOM]["x"])
    except (TypeError, KeyError, ValueError):
        return view.between
    return (first, last) if math.isfinite(first) and math.isfinite(last) and first < last else view.between
