"""Move the limits of a rule, and say so wherever the verdict is not that of the rule table."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from diagnostics.chart.build import outline
from diagnostics.formatting import number, plain_name, sentence
from diagnostics.rules import Rule
from tuner.inspector.escape import plain
from tuner.inspector.runs.folder import Opened
from tuner.inspector.runs.limit_words import meaning
from tuner.inspector.runs.limits import (
    descriptions,
    diagnosed_by,
    from_address,
    movable,
    slider_range,
    to_address,
)
from tuner.inspector.views.verdict import LABEL_SIGNS, badge

LIMIT = "limit"
"""The parameter of the address that holds the moved limits."""
TURN = "limits-turn"


def by_own_limits(opened: Opened) -> Opened:
    """The run diagnosed by the limits that the reader has moved; unchanged when none is."""
    moved = _moved()
    words = descriptions(moved)
    if not words:
        return opened
    verdict = diagnosed_by(opened.run, moved)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Not the default verdict.** By the rule table this run is {badge(str(opened.diagnosis.label))}. "
            f"Moved: {plain('; '.join(words))}."
        )
        st.button("Reset limits", key="reset-limits", on_click=_reset)
    return replace(opened, diagnosis=verdict, chart=outline(opened.run, verdict))


def limits(opened: Opened, diagnosed: Opened) -> None:
    """Sliders for the limits of one rule; the verdict on the page follows them."""
    offered = movable(opened.diagnosis)
    if not offered:
        return
    moved = _moved()
    with st.expander("Move a limit", expanded=bool(moved)):
        start = next((place for place, rule in enumerate(offered) if any(rule.name == name for name, _ in moved)), 0)
        rule = st.selectbox(
            "Rule",
            offered,
            index=start,
            format_func=lambda rule: f"{LABEL_SIGNS[str(rule.label)]} {plain_name(rule.name)}",
            key=f"limit-rule-{opened.id}",
            help="What would the verdict be if this rule were stricter, or milder?",
        )
        st.caption(plain(sentence(rule.cause)))
        measured = _measured(opened, rule.name)
        if not measured:
            st.caption("This rule found nothing in this run, so there is no measured value to compare with.")
        for name, value in rule.limits.items():
            _slider(opened, rule, name, value, measured.get(name))


def _slider(opened: Opened, rule: Rule, name: str, value: float, measured: float | None) -> None:
    reach, moved = slider_range(value, measured), _moved()
    now = moved.get((rule.name, name), value)
    kind = int if reach.whole else float
    here = f" · this run: **{number(measured)}**" if measured is not None else ""
    chosen = st.slider(
        f"{plain(plain_name(name))} (default {number(value)}){here}",
        kind(reach.low),
        kind(reach.high),
        kind(min(max(now, reach.low), reach.high)),
        kind(reach.step),
        key=f"limit-{st.session_state.get(TURN, 0)}-{opened.id}-{rule.name}-{name}",
        format="%d" if reach.whole else "%g",
    )
    if words := meaning(rule.name, name):
        st.caption(plain(words))
    # A slider rounds to its own steps, so a default between two of them comes back slightly off.
    if abs(chosen - value) < reach.step / 2 and (rule.name, name) in moved:
        del moved[rule.name, name]
    elif abs(chosen - now) >= reach.step / 2:
        moved[rule.name, name] = chosen
    else:
        return
    st.query_params[LIMIT] = to_address(moved)
    st.rerun()


def _measured(opened: Opened, rule: str) -> dict[str, float]:
    """What the rule table's own diagnosis measured, by the names of the limits that it was held against."""
    finding = next((finding for finding in opened.diagnosis.findings if finding.rule == rule), None)
    return dict(finding.measured) if finding else {}


def _moved() -> dict[tuple[str, str], float]:
    return from_address(st.query_params.get_all(LIMIT))


def _reset() -> None:
    st.query_params.pop(LIMIT, None)
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
