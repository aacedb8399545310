"""Which runs the table shows: the verdicts with their counts, words, conditions on settings, studies, the order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import streamlit as st

from tuner.inspector.escape import one_line, plain
from tuner.inspector.runs.filters import SORTS, BadPattern, RowFilter, in_order, matching
from tuner.inspector.runs.row import LABELS, WAITING, Row, counts
from tuner.inspector.views.controls import LINK
from tuner.inspector.views.verdict import signed_label

VERDICTS = "verdicts"
"""The parameter of the address that holds the chosen verdicts."""


def filtered(rows: Sequence[Row]) -> list[Row]:
    """The rows that the reader wants to see, in the wanted order."""
    labels, bad = _verdicts(rows), None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Filter", key="filter", placeholder="name, cause, curve", width=200, bind=LINK)
        regex = st.toggle("Regex", key="regex", bind=LINK)
        settings = st.text_input("Settings", key="settings", bind=LINK, placeholder="lr>=1e-4 optim=adamw", width=220)
        studies = _studies(rows)
        order = st.selectbox("Order", list(SORTS), key="order", width=190, bind=LINK)
        try:
            shown = matching(rows, RowFilter(text, bool(regex), labels, studies, settings))
        except BadPattern as error:
            shown, bad = list(rows), error
        st.caption(f"{len(shown):,} of {len(rows):,} runs")
    if bad is not None:
        st.warning(plain(bad))
    return in_order(shown, order)


def _verdicts(rows: Sequence[Row]) -> list[str]:
    """The verdicts that the reader wants to see; each is a button with the number of runs that have it."""
    found = counts(rows)
    found.pop(WAITING, None)
    wanted = [label for label in LABELS if label in st.query_params.get_all(VERDICTS)]
    offered = [label for label in LABELS if label in found or label in wanted]
    # The widget's value is the text of its buttons, so other counts must be another widget.
    key = "verdicts-" + hashlib.sha256(repr(found).encode()).hexdigest()[:12]
    chosen: list[str] = st.pills(
        "Verdict",
        offered,
        selection_mode="multi",
        default=wanted,
        format_func=lambda label: f"{signed_label(label)} **{found.get(label, 0):,}**",
        key=key,
        label_visibility="collapsed",
        wrap=True,
    )
    if set(chosen) != set(wanted):
        st.query_params[VERDICTS] = chosen
    return chosen


def _studies(rows: Sequence[Row]) -> list[str]:
    """The studies that the reader wants to see, where there are any."""
    there = sorted({row.study for row in rows if row.study})
    if not there:
        return []
    chosen: list[str] = st.multiselect(
        "Study",
        there,
        key="studies",
        width=170,
        placeholder="any",
        format_func=lambda study: one_line(study, 60),
        bind=LINK,
    )
    return chosen
