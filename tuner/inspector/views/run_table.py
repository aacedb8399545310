"""The table of runs: a click on a name opens the run, ticks choose several."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from diagnostics.formatting import setting
from tuner.inspector.chart.palette import label_color
from tuner.inspector.escape import age, one_line
from tuner.inspector.runs.folder import seconds_since
from tuner.inspector.runs.row import Row
from tuner.inspector.views.keys import row_entered
from tuner.inspector.views.verdict import LABEL_SIGNS

CHOSEN = "chosen_runs"
CLICKED = "clicked_run"
ROW_HEIGHT, MAX_HEIGHT = 38, 620  # pixels
NAME_COLUMN = "run"


def run_table(rows: Sequence[Row]) -> tuple[Row | None, list[Row]]:
    """The row whose run is to be opened, and the rows that the reader ticked.

    A choice stays when the table is filtered, sorted or grows.
    """
    if not rows:
        st.info("No run fits this filter.")
        return None, []
    before = set(st.session_state.get(CHOSEN, ()))
    ids = [row.id for row in rows]
    # The table's ticks are row numbers, so another order of rows must be another table.
    key = "runs-" + hashlib.sha256("\n".join(ids).encode(errors="replace")).hexdigest()[:12]
    event = st.dataframe(
        _frame(rows),
        key=key,
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],  # the cell is the row that Enter opens
        selection_default={"selection": {"rows": [place for place, run_id in enumerate(ids) if run_id in before]}},
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(MAX_HEIGHT, ROW_HEIGHT * (len(rows) + 1) + 3),
        placeholder="–",
        column_config=_columns(),
        alt="Table of runs",
    )
    ticked = [rows[place] for place in event.selection.rows if place < len(rows)]
    st.session_state[CHOSEN] = [row.id for row in ticked]
    return _opened(rows, event.selection.cells), ticked


def _opened(rows: Sequence[Row], cells: Sequence[tuple[int, str]]) -> Row | None:
    """The row whose name was clicked, or on which Enter was pressed."""
    entered = row_entered()
    click = st.session_state.get(CLICKED)
    place = click["row"] if click else cells[0][0] if entered and cells else None
    return rows[place] if place is not None and place < len(rows) else None


def _signed(label: str) -> str:
    """The verdict with its sign, so that color never stands alone."""
    return f"{LABEL_SIGNS[label]} {label}"


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {
        "verdict": [[_signed(row.label)] for row in rows],
        NAME_COLUMN: [one_line(row.name) for row in rows],
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
        NAME_COLUMN: config.ButtonColumn("Run", width=270, type="tertiary", alignment="left", key=CLICKED),
        "cause": config.TextColumn("Cause", width=180),
        "loss": config.LineChartColumn("Train loss", width="small"),
        "eval loss": config.NumberColumn("Best eval loss", format="%.4g", width="small"),
        "steps": config.NumberColumn("Steps", format="localized", width="small"),
        "rate": config.TextColumn("Learning rate", width="small"),
        "written": config.TextColumn("Last written", width="small"),
    }
