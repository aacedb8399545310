"""Several runs on one axis, and what was different about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from tuner.inspector.comparison import (
    MOST_RUNS,
    differences,
    legend_names,
    overlay,
    shared_axes,
    shared_curves,
    verdict_rows,
)
from tuner.inspector.drawing import curve_chart
from tuner.inspector.export import as_page
from tuner.inspector.folder import Folder, Opened, Unreadable
from tuner.inspector.views.controls import counted, view_controls, zoom
from tuner.inspector.views.runs import CHOSEN
from tuner.inspector.views.shell import Shell, follow, is_dark, look, nothing_here
from tuner.inspector.words import chip, one_line, plain


def page(shell: Shell) -> None:
    """The page that lays runs over each other."""
    runs = shell.folder.runs()
    if not runs:
        nothing_here(shell.folder)
        return
    chosen = _chosen(shell.folder, runs)
    seen = look(shell.folder, chosen)
    opened = _opened(shell.folder, chosen, runs)
    if len(opened) < 2:
        st.info("Choose two runs or more, here or by ticking them on the Runs page.")
    else:
        _overlay(opened)
        _tables(opened)
    follow(shell.folder, seen)


def _chosen(folder: Folder, runs: Mapping[str, Path]) -> list[str]:
    asked = st.query_params.get_all("run")
    gone = [run_id for run_id in asked if run_id not in runs]
    if gone:
        st.warning(f"Not in this folder: {', '.join(chip(run_id) for run_id in gone[:MOST_RUNS])}")
    ticked = asked or st.session_state.get(CHOSEN, ())
    start = [run_id for run_id in ticked if run_id in runs][:MOST_RUNS]
    chosen: list[str] = st.multiselect(
        "Runs",
        list(runs),
        default=start,
        format_func=lambda run_id: one_line(folder.name(run_id)),
        max_selections=MOST_RUNS,
        placeholder=f"Choose up to {MOST_RUNS} runs",
    )
    if chosen != asked:
        st.query_params["run"] = chosen
    return chosen


def _opened(folder: Folder, chosen: Sequence[str], runs: Mapping[str, Path]) -> list[Opened]:
    """The runs that can be read; the others are named with the reason."""
    found = []
    for run_id in chosen:
        opened = folder.open(run_id, runs)
        if isinstance(opened, Opened):
            found.append(opened)
        elif isinstance(opened, Unreadable):
            st.warning(f"{chip(opened.name)} could not be read: {plain(opened.why)}")
    return found


def _overlay(opened: Sequence[Opened]) -> None:
    names = shared_curves(opened)
    if not names:
        st.info("None of these logs holds a curve with a finite value.")
        return
    name = st.selectbox("Curve", names, key="compare-curve", width=320)
    view = view_controls(shared_axes(opened), 0.0 if name.startswith("eval_") else 0.9, "compare")
    whole = overlay(opened, name, view).extent
    view = replace(view, between=zoom(whole, view.x, "compare-part"))
    picture = overlay(opened, name, view)
    legend = legend_names(opened)
    if picture.shown:
        st.altair_chart(curve_chart(picture, view, legend, dark=is_dark()), key="compare-chart")
    else:
        st.info("No point lies in this part of the axis. A log axis shows only values above 0.")
    missing = [one_line(o.name, 60) for o in opened if name not in o.run.curves]
    without = f" Without this curve: {', '.join(missing)}." if missing else ""
    st.caption(plain(counted(picture, legend) + without))


def _tables(opened: Sequence[Opened]) -> None:
    st.markdown("#### Verdicts")
    st.dataframe(pd.DataFrame(verdict_rows(opened)), hide_index=True)
    st.markdown("#### Settings that differ")
    found = differences(opened)
    if found:
        columns = list(legend_names(opened).values())
        cells = {column: [d.texts()[place] for d in found] for place, column in enumerate(columns)}
        st.dataframe(pd.DataFrame({"setting": [d.knob for d in found], **cells}), hide_index=True)
    else:
        st.caption("None: as far as their logs tell, these runs were made with the same settings.")
    st.download_button(
        "HTML report of these runs",
        lambda: as_page(opened),
        "comparison.html",
        "text/html",
        key="compare-html",
        on_click="ignore",
    )
