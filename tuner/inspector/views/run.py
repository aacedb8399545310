"""One run: its curves with the findings on them, the diagnosis beside, and the next run made of the advice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from diagnostics.formatting import duration, number, setting
from diagnostics.messages import notes_of
from tuner.inspector.chart.export import as_csv, as_drawing, as_page
from tuner.inspector.escape import chip, file_name, one_line, plain
from tuner.inspector.runs.folder import Folder, Opened, Unreadable, seconds_since
from tuner.inspector.views.context import PageContext, follow, look, nothing_here
from tuner.inspector.views.curves import curves, reading
from tuner.inspector.views.keys import chart_buttons
from tuner.inspector.views.limits import LIMIT, by_own_limits, limits
from tuner.inspector.views.next_run import next_run
from tuner.inspector.views.run_table import CHOSEN
from tuner.inspector.views.runs import SHOWN
from tuner.inspector.views.stylesheet import LAST
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
    requested = st.query_params.get("run")
    if requested is not None and requested not in runs:
        st.warning(f"This folder has no run called {chip(requested)}. It may have been moved or deleted.")
    ids = _in_table_order(runs, requested)
    ticked = next((run_id for run_id in st.session_state.get(CHOSEN, ()) if run_id in runs), None)
    start = requested if requested in runs else None if requested is not None else ticked or ids[0]
    with st.container(horizontal=True, key="toolbar-space"):
        chosen: str | None = st.selectbox(
            "Run",
            ids,
            index=ids.index(start) if start is not None else None,
            format_func=lambda run_id: one_line(folder.name(run_id)),
            placeholder="Choose a run",
            label_visibility="collapsed",
        )
        _neighbors(ids, chosen)
    if chosen is not None and chosen != requested:
        st.query_params["run"] = chosen
        st.query_params.pop(LIMIT, None)
    return chosen


def _in_table_order(runs: Mapping[str, Path], requested: str | None) -> list[str]:
    """The runs as the table on the Runs page showed them last; all of them if the run of the address is not there."""
    shown = [run_id for run_id in st.session_state.get(SHOWN, ()) if run_id in runs]
    return shown if shown and (requested is None or requested in shown) else list(runs)


def _neighbors(ids: Sequence[str], chosen: str | None) -> None:
    """Buttons and keys for the runs before and after this one."""
    place = ids.index(chosen) if chosen in ids else 0
    for label, key, other in (("Previous", "K", place - 1), ("Next", "J", place + 1)):
        there = chosen is not None and 0 <= other < len(ids)
        st.button(
            label,
            key=label.lower(),
            shortcut=key,
            disabled=not there,
            on_click=_open,
            args=(ids[other],) if there else None,
        )


def _open(run_id: str) -> None:
    st.query_params["run"] = run_id
    st.query_params.pop(LIMIT, None)


def _unreadable(opened: Unreadable) -> None:
    st.error(f"{chip(opened.name)} could not be read.", icon=":material/error:")
    st.markdown(plain(opened.why))
    st.markdown("The file may be incomplete, cut off, or of another kind. The other runs are not affected.")


def _run(context: PageContext, opened: Opened) -> None:
    diagnosed = by_own_limits(opened)
    headline(diagnosed.diagnosis)
    left, right = st.columns([0.62, 0.38], gap="medium")
    with left:
        with st.container(gap="xsmall"):
            curves(diagnosed)
            _take_away(opened)
        with st.container(key=LAST):
            next_run(context, diagnosed)
    with right, st.container():
        details(context, diagnosed.diagnosis)
        limits(opened, diagnosed)
        _facts(opened)


def _take_away(opened: Opened) -> None:
    if not opened.run.curves:
        return
    downloads: tuple[tuple[str, Callable[[], str], str, str], ...] = (
        ("CSV", lambda: as_csv(opened.run), ".csv", "text/csv"),
        ("SVG", lambda: as_drawing(opened), ".svg", "image/svg+xml"),
        ("HTML report", lambda: as_page([opened]), ".html", "text/html"),
    )
    with st.container(horizontal=True, gap="small"):
        chart_buttons(file_name(opened.id, ".png"))
        for label, content, ending, kind in downloads:
            st.download_button(
                label, content, file_name(opened.id, ending), kind, key=ending.removeprefix("."), on_click="ignore"
            )


def _facts(opened: Opened) -> None:
    st.caption(f"{number(opened.run.last_step)} steps, written {duration(seconds_since(opened.written))} ago.")
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
