"""The page of all runs: filter, sort, open one, or tick several to compare them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from diagnostics.formatting import duration, number, sentence
from tuner.inspector.chart.comparison import MAX_RUNS
from tuner.inspector.escape import chip, plain
from tuner.inspector.runs.folder import seconds_since
from tuner.inspector.runs.row import WAITING, Row, counts
from tuner.inspector.views.context import PageContext, follow, look, nothing_here
from tuner.inspector.views.run_filters import filtered
from tuner.inspector.views.run_table import run_table
from tuner.inspector.views.verdict import badge

SHOWN = "shown_runs"
"""Where the ids of the runs in the table are kept, in their order: the Run page steps through them."""
MAX_CLOSED = 5
"""Places that may not be opened which are named."""
MAX_WAIT = 0.4
"""Seconds that the page waits for verdicts before it shows the table; the others fill in."""


def page(context: PageContext) -> None:
    """The page of all runs."""
    seen = look(context.folder)
    _closed(context.folder.closed())
    rows = context.folder.rows(within=MAX_WAIT)
    if not rows:
        nothing_here(context.folder)
        follow(context.folder, seen)
        return
    _progress(rows)
    shown = filtered(rows)
    st.session_state[SHOWN] = [row.id for row in shown]
    clicked, ticked = run_table(shown)
    if clicked is not None:
        context.go("run", run=clicked.id)
    _actions(context, ticked)
    follow(context.folder, seen)


def _closed(lines: Sequence[str]) -> None:
    """The places that may not be opened: the table would be short of their runs without a word."""
    if lines:
        more = f" and {len(lines) - MAX_CLOSED:,} more" if len(lines) > MAX_CLOSED else ""
        st.warning(f"Not shown: {plain('; '.join(lines[:MAX_CLOSED]))}{more}", icon=":material/lock:")


def _progress(rows: Sequence[Row]) -> None:
    """How many runs are still to be diagnosed."""
    waiting = counts(rows).get(WAITING, 0)
    if waiting:
        done = len(rows) - waiting
        st.progress(done / len(rows), text=f"Diagnosing {done:,} of {len(rows):,} runs…")


def _actions(context: PageContext, ticked: Sequence[Row]) -> None:
    """What can be done with the ticked runs, and the verdict at a glance when there is one."""
    if not ticked:
        st.caption(
            f"Click a name to open the run, or press Enter on its row. Tick up to {MAX_RUNS} runs to compare them."
        )
        return
    with st.container(horizontal=True):
        if len(ticked) == 1 and st.button("Open run", type="primary", key="open"):
            context.go("run", run=ticked[0].id)
        if len(ticked) > 1:
            many = len(ticked) > MAX_RUNS
            if st.button(f"Compare {len(ticked)} runs", type="primary", key="compare", disabled=many):
                context.go("compare", run=[row.id for row in ticked])
            if many:
                st.caption(f"Up to {MAX_RUNS} runs can be compared at once.")
    if len(ticked) == 1:
        _glance(ticked[0])


def _glance(row: Row) -> None:
    with st.container(border=True):
        st.markdown(f"{badge(row.label)} {chip(row.name)}")
        if row.label == WAITING:
            st.markdown("This run is being diagnosed.")
            return
        st.markdown(plain(sentence(row.why or row.message or "No rule that could be evaluated found anything")))
        facts = [f"{number(row.last_step)} steps", f"written {duration(seconds_since(row.written))} ago"]
        if row.best_eval_loss is not None:
            facts.insert(0, f"lowest eval loss {number(row.best_eval_loss)}")
        st.caption(plain(" · ".join(facts)))
