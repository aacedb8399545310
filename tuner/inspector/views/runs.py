"""The table of all runs: filter, sort, choose."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from diagnostics.formatting import duration, number, sentence, setting
from tuner.inspector.chart.comparison import MAX_RUNS
from tuner.inspector.chart.palette import label_color
from tuner.inspector.escape import age, chip, one_line, plain
from tuner.inspector.runs.filters import SORTS, BadPattern, RowFilter, in_order, matching
from tuner.inspector.runs.folder import seconds_since
from tuner.inspector.runs.row import LABELS, WAITING, Row, counts
from tuner.inspector.views.context import PageContext, follow, look, nothing_here
from tuner.inspector.views.controls import LINK
from tuner.inspector.views.verdict import LABEL_SIGNS, badge

CHOSEN = "chosen_runs"
ROW_HEIGHT, MAX_HEIGHT = 38, 620  # pixels
MAX_WAIT = 0.4
"""Seconds that the page waits for verdicts before it shows the table; the others fill in."""


def page(context: PageContext) -> None:
    """The page of all runs."""
    seen = look(context.folder)
    rows = context.folder.rows(within=MAX_WAIT)
    if not rows:
        nothing_here(context.folder)
        follow(context.folder, seen)
        return
    _summary(rows)
    shown = _filtered(rows)
    chosen = _table(shown)
    _actions(context, chosen)
    follow(context.folder, seen)


def _summary(rows: Sequence[Row]) -> None:
    """How many runs there are of each verdict, and how many are still to be diagnosed."""
    found = counts(rows)
    waiting = found.pop(WAITING, 0)
    st.markdown("  ".join(f"{badge(label)} {n:,}" for label, n in found.items()) or " ")
    if waiting:
        done = len(rows) - waiting
        st.progress(
            done / len(rows), text=f"Diagnosing: {done:,} of {len(rows):,} runs. Verdicts fill in as they come."
        )


def _filtered(rows: Sequence[Row]) -> list[Row]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Filter", key="filter", placeholder="name, cause, curve", width=190, bind=LINK)
        regex = st.toggle("Regex", key="regex", bind=LINK, help="Read the filter as a regular expression.")
        settings = st.text_input(
            "Settings",
            key="settings",
            bind=LINK,
            placeholder="learning_rate>1e-4",
            width=180,
            help="Conditions on what a run was made with: `lr>=1e-4 optim=adamw`; also on `eval_loss` and `steps`.",
        )
        labels = st.multiselect("Verdict", LABELS, key="verdicts", width=180, placeholder="any", bind=LINK)
        studies = _studies(rows)
        order = st.selectbox("Order", list(SORTS), key="order", width=175, bind=LINK)
    try:
        shown = matching(rows, RowFilter(text, bool(regex), labels, studies, settings))
    except BadPattern as error:
        st.warning(plain(error))
        shown = list(rows)
    st.caption(f"{len(shown):,} of {len(rows):,} runs")
    return in_order(shown, order)


def _studies(rows: Sequence[Row]) -> list[str]:
    """The studies that the reader wants to see, where there are any."""
    there = sorted({row.study for row in rows if row.study})
    if not there:
        return []
    chosen: list[str] = st.multiselect(
        "Study",
        there,
        key="studies",
        width=150,
        placeholder="any",
        format_func=lambda study: one_line(study, 60),
        bind=LINK,
    )
    return chosen


def _table(rows: Sequence[Row]) -> list[Row]:
    """The rows that the reader ticked; a choice stays when the table is filtered, sorted or grows."""
    if not rows:
        st.info("No run fits this filter.")
        return []
    before = set(st.session_state.get(CHOSEN, ()))
    ids = [row.id for row in rows]
    # The table's ticks are row numbers, so another order of rows must be another table.
    key = "runs-" + hashlib.sha256("\n".join(ids).encode(errors="replace")).hexdigest()[:12]
    event = st.dataframe(
        _frame(rows),
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [place for place, run_id in enumerate(ids) if run_id in before]}},
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(MAX_HEIGHT, ROW_HEIGHT * (len(rows) + 1) + 3),
        placeholder="–",
        column_config=_columns(),
        alt="Table of runs",
    )
    chosen = [rows[place] for place in event.selection.rows if place < len(rows)]
    st.session_state[CHOSEN] = [row.id for row in chosen]
    return chosen


def _signed(label: str) -> str:
    """The verdict with its sign, so that color never stands alone."""
    return f"{LABEL_SIGNS[label]} {label}"


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {
        "verdict": [[_signed(row.label)] for row in rows],
        "run": [one_line(row.name) for row in rows],
        "cause": [one_line(row.cause or row.why or "–") for row in rows],
        "loss": [list(row.spark) for row in rows],
        "eval loss": [row.best_eval_loss for row in rows],
        "steps": [row.last_step or None for row in rows],
        "rate": [setting("learning_rate", dict(row.settings).get("learning_rate")) for row in rows],
        "written": [age(seconds_since(row.written)) + " ago" for row in rows],
    }
    if not any(rate != "–" for rate in columns["rate"]):
        del columns["rate"]
    return pd.DataFrame(columns)


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "verdict": config.MultiselectColumn(
            "Verdict",
            width=125,
            options=[_signed(label) for label in LABEL_SIGNS],
            color=[label_color(label, dark=False) for label in LABEL_SIGNS],  # dark enough for white letters
        ),
        "run": config.TextColumn("Run", width=270),
        "cause": config.TextColumn("Cause", width=180),
        "loss": config.LineChartColumn("Train loss", width="small"),
        "eval loss": config.NumberColumn("Best eval loss", format="%.4g", width="small"),
        "steps": config.NumberColumn("Steps", format="localized", width="small"),
        "rate": config.TextColumn("Learning rate", width="small"),
        "written": config.TextColumn("Last written", width="small"),
    }


def _actions(context: PageContext, chosen: Sequence[Row]) -> None:
    """What can be done with the ticked runs, and the verdict at a glance when there is one."""
    if not chosen:
        st.caption("Tick a run (Shift + Space on its row) to see its verdict, or up to 20 to compare them.")
        return
    with st.container(horizontal=True):
        if len(chosen) == 1 and st.button("Open run", type="primary", key="open"):
            context.go("run", run=chosen[0].id)
        if len(chosen) > 1:
            many = len(chosen) > MAX_RUNS
            if st.button(f"Compare {len(chosen)} runs", type="primary", key="compare", disabled=many):
                context.go("compare", run=[row.id for row in chosen])
            if many:
                st.caption(f"Up to {MAX_RUNS} runs can be compared at once.")
    if len(chosen) == 1:
        _glance(chosen[0])


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
