"""One run: its curves with the findings on them, the diagnosis beside, and the next run made of the advice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from diagnostics.formatting import duration, setting
from diagnostics.messages import notes_of
from tuner.inspector.chart.export import as_csv, as_drawing, as_page
from tuner.inspector.escape import chip, file_name, one_line, plain
from tuner.inspector.runs.folder import Folder, Opened, Unreadable, seconds_since
from tuner.inspector.views.context import LAST, PageContext, follow, look, nothing_here
from tuner.inspector.views.curves import curves, reading
from tuner.inspector.views.limits import by_own_limits, limits
from tuner.inspector.views.next_run import next_run
from tuner.inspector.views.runs import CHOSEN
from tuner.inspector.views.verdict import details, headline

MIN_BYTES_TO_ANNOUNCE = 4_000_000
"""While a log of more bytes is read, the page says so."""


def page(context: PageContext) -> None:
    """The page of one run."""
    runs = context.folder.runs()
    if not runs:
        nothing_here(context.folder)
        return
    run_id = _chosen(context.folder, runs)
    seen = look(context.folder, [run_id] if run_id is not None else [])
    whole, wait = st.container(), st.empty()
    if run_id is not None and (bytes_to_read := context.folder.unread(run_id, runs)) > MIN_BYTES_TO_ANNOUNCE:
        reading(wait, bytes_to_read)
    opened = context.folder.open(run_id, runs) if run_id is not None else None
    wait.empty()
    with whole:
        if opened is None:
            st.info("Choose a run above.")
        elif isinstance(opened, Unreadable):
            _unreadable(opened)
        else:
            _run(context, opened)
    follow(context.folder, seen, opened.seconds if isinstance(opened, Opened) else 0.0)


def _chosen(folder: Folder, runs: Mapping[str, Path]) -> str | None:
    """The run of the address, else the one ticked last, else the first; the reader can choose another."""
    ids = list(runs)
    requested = st.query_params.get("run")
    if requested is not None and requested not in runs:
        st.warning(f"This folder has no run called {chip(requested)}. It may have been moved or deleted.")
    ticked = next((run_id for run_id in st.session_state.get(CHOSEN, ()) if run_id in runs), None)
    start = requested if requested in runs else None if requested is not None else ticked or ids[0]
    chosen: str | None = st.selectbox(
        "Run",
        ids,
        index=ids.index(start) if start is not None else None,
        format_func=lambda run_id: one_line(folder.name(run_id)),
        placeholder="Choose a run",
    )
    if chosen is not None and chosen != requested:
        st.query_params["run"] = chosen
    return chosen


def _unreadable(opened: Unreadable) -> None:
    st.error(f"{chip(opened.name)} could not be read.", icon=":material/error:")
    st.markdown(plain(opened.why))
    st.markdown("The file may be incomplete, cut off, or of another kind. The other runs are not affected.")


def _run(context: PageContext, opened: Opened) -> None:
    diagnosed = by_own_limits(opened)
    headline(diagnosed.diagnosis)
    left, right = st.columns([0.62, 0.38], gap="medium")
    with left:
        with st.container():
            curves(diagnosed)
            _take_away(opened)
        with st.container(key=LAST):
            next_run(context, diagnosed)
    with right, st.container():
        details(diagnosed.diagnosis)
        limits(opened, diagnosed)
        _facts(opened)


def _take_away(opened: Opened) -> None:
    if not opened.run.curves:
        return
    with st.container(horizontal=True):
        st.download_button(
            "CSV", lambda: as_csv(opened.run), file_name(opened.id, ".csv"), "text/csv", key="csv", on_click="ignore"
        )
        st.download_button(
            "SVG",
            lambda: as_drawing(opened),
            file_name(opened.id, ".svg"),
            "image/svg+xml",
            key="svg",
            on_click="ignore",
        )
        st.download_button(
            "HTML report",
            lambda: as_page([opened]),
            file_name(opened.id, ".html"),
            "text/html",
            key="html",
            on_click="ignore",
        )
    st.caption("The button above the chart's corner saves it as PNG. This page's address is a link to it.")


def _facts(opened: Opened) -> None:
    st.caption(f"Last written {duration(seconds_since(opened.written))} ago.")
    for note in notes_of(opened.run.notes):
        st.caption(plain(note))
    known = opened.run.settings.known()
    if not known:
        st.caption("The log holds no settings.")
        return
    with st.expander(f"Settings in the log: {len(known)}"):
        rows = [
            {"setting": chip(knob), "value": plain(one_line(setting(knob, value)))} for knob, value in known.items()
        ]
        st.table(rows, hide_index=True, border="horizontal")
