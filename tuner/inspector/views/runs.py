"""The table of all runs: filter, sort, choose."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from diagnostics.wording import duration, number, sentence
from tuner.inspector.comparison import MOST_RUNS
from tuner.inspector.folder import Folder, seconds_since
from tuner.inspector.palette import label_colour
from tuner.inspector.table import SORTS, BadPattern, Row, counts, in_order, matching
from tuner.inspector.views.shell import Shell, follow, is_dark, look, nothing_here
from tuner.inspector.views.verdict import LABEL_SIGNS, badge
from tuner.inspector.words import age, chip, one_line, plain

CHOSEN = "chosen_runs"


def page(shell: Shell) -> None:
    """The page of all runs."""
    seen = look(shell.folder)
    rows = _rows(shell.folder)
    if not rows:
        nothing_here(shell.folder)
        follow(shell.folder, seen)
        return
    st.markdown("  ".join(f"{badge(label)} {n}" for label, n in counts(rows).items()))
    shown = _filtered(rows)
    chosen = _table(shown)
    _actions(shell, chosen)
    follow(shell.folder, seen)


def _rows(folder: Folder) -> list[Row]:
    """All rows; a bar shows how far the first look at a large folder has come."""
    space = st.empty()

    def progress(done: int, of: int) -> None:
        if of > 20 and done % 10 == 0:
            space.progress(done / of, text=f"reading {done:,} of {of:,} runs")

    rows = folder.rows(progress=progress)
    space.empty()
    return rows


def _filtered(rows: Sequence[Row]) -> list[Row]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Filter", key="filter", placeholder="name, cause or verdict", width=320)
        regex = st.toggle("Regex", key="regex")
        labels = st.multiselect("Verdict", list(counts(rows)), key="verdicts", width=300)
        order = st.selectbox("Order", list(SORTS), key="order", width=220)
    try:
        shown = matching(rows, text, labels, regex=regex)
    except BadPattern as error:
        st.warning(plain(error))
        shown = list(rows)
    st.caption(f"{len(shown):,} of {len(rows):,} runs")
    return in_order(shown, order)


def _table(rows: Sequence[Row]) -> list[Row]:
    """The rows that the reader ticked; a choice stays when the table is filtered, sorted or grows."""
    if not rows:
        st.info("No run fits this filter.")
        return []
    before = set(st.session_state.get(CHOSEN, ()))
    ids = [row.id for row in rows]
    # The table's ticks are row numbers, so another order of rows must be another table.
    key = "runs-" + hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]
    event = st.dataframe(
        _styled(rows),
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [place for place, run_id in enumerate(ids) if run_id in before]}},
        hide_index=True,
        row_height=38,
        placeholder="–",
        column_config=_columns(),
        alt="Table of runs",
    )
    chosen = [rows[place] for place in event.selection.rows if place < len(rows)]
    st.session_state[CHOSEN] = [row.id for row in chosen]
    return chosen


def _styled(rows: Sequence[Row]) -> Any:
    frame = pd.DataFrame(
        {
            "run": [one_line(row.name) for row in rows],
            "verdict": [f"{LABEL_SIGNS[row.label]} {row.label}" for row in rows],
            "cause": [one_line(row.cause or row.why or "–") for row in rows],
            "loss": [list(row.spark) for row in rows],
            "eval loss": [row.best_eval_loss for row in rows],
            "steps": [row.last_step for row in rows],
            "written": [age(seconds_since(row.written)) + " ago" for row in rows],
        }
    )
    dark = is_dark()
    return frame.style.map(lambda text: f"color: {label_colour(text.split(' ')[1], dark)}", subset=["verdict"])


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "run": config.TextColumn("Run", width=330),
        "verdict": config.TextColumn("Verdict", width=110),
        "cause": config.TextColumn("Cause", width=180),
        "loss": config.LineChartColumn("Train loss", width="small"),
        "eval loss": config.NumberColumn("Best eval loss", format="%.4g", width="small"),
        "steps": config.NumberColumn("Steps", format="localized", width="small"),
        "written": config.TextColumn("Last written", width="small"),
    }


def _actions(shell: Shell, chosen: Sequence[Row]) -> None:
    """What can be done with the ticked runs, and the verdict at a glance when there is one."""
    if not chosen:
        st.caption("Tick a run to see its verdict, or up to 20 to compare them.")
        return
    with st.container(horizontal=True):
        if len(chosen) == 1 and st.button("Open run", type="primary", key="open"):
            shell.go("run", run=chosen[0].id)
        if len(chosen) > 1:
            many = len(chosen) > MOST_RUNS
            if st.button(f"Compare {len(chosen)} runs", type="primary", key="compare", disabled=many):
                shell.go("compare", run=[row.id for row in chosen])
            if many:
                st.caption(f"Up to {MOST_RUNS} runs can be compared at once.")
    if len(chosen) == 1:
        _glance(chosen[0])


def _glance(row: Row) -> None:
    with st.container(border=True):
        st.markdown(f"{badge(row.label)} {chip(row.name)}")
        st.markdown(plain(sentence(row.why or row.message or "No rule that could be asked found anything")))
        facts = [f"{number(row.last_step)} steps", f"written {duration(seconds_since(row.written))} ago"]
        if row.best_eval_loss is not None:
            facts.insert(0, f"lowest eval loss {number(row.best_eval_loss)}")
        st.caption(plain(" · ".join(facts)))
