"""Move the limits of a rule, and say so wherever the verdict is not that of the rule table."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from diagnostics.chart.build import outline
from diagnostics.formatting import number, plain_name, sentence
from diagnostics.rules import Rule
from tuner.inspector.escape import plain
from tuner.inspector.runs.folder import Opened
from tuner.inspector.runs.limits import descriptions, diagnosed_by, movable, slider_range
from tuner.inspector.views.verdict import LABEL_SIGNS, badge


def by_own_limits(opened: Opened) -> Opened:
    """The run diagnosed by the limits that the reader has moved; unchanged when none is."""
    moved = st.session_state.get(_key(opened), {})
    words = descriptions(moved)
    if not words:
        return opened
    verdict = diagnosed_by(opened.run, moved)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Not the default verdict.** By the rule table this run is {badge(str(opened.diagnosis.label))}. "
            f"Moved: {plain('; '.join(words))}."
        )
        st.button("Reset limits", key="reset-limits", on_click=_reset, args=(opened,))
    return replace(opened, diagnosis=verdict, chart=outline(opened.run, verdict))


def limits(opened: Opened, diagnosed: Opened) -> None:
    """Sliders for the limits of one rule; the verdict on the page follows them."""
    offered = movable(opened.diagnosis)
    if not offered:
        return
    moved = st.session_state.setdefault(_key(opened), {})
    with st.expander("Move a limit", expanded=bool(moved)):
        rule = st.selectbox(
            "Rule",
            offered,
            format_func=lambda rule: f"{LABEL_SIGNS[str(rule.label)]} {plain_name(rule.name)}",
            key=f"limit-rule-{opened.id}",
            help="What would the verdict be if this rule were stricter, or milder?",
        )
        st.caption(plain(sentence(rule.cause)))
        for name, value in rule.limits.items():
            _slider(opened, rule, name, value)


def _slider(opened: Opened, rule: Rule, name: str, value: float) -> None:
    reach, moved = slider_range(value, _measured(opened, rule.name, name)), st.session_state[_key(opened)]
    now = moved.get((rule.name, name), value)
    kind = int if reach.whole else float
    chosen = st.slider(
        f"{plain_name(name)} (default {number(value)})",
        kind(reach.low),
        kind(reach.high),
        kind(min(max(now, reach.low), reach.high)),
        kind(reach.step),
        key=f"limit-{st.session_state.get(_turn(opened), 0)}-{opened.id}-{rule.name}-{name}",
        format="%d" if reach.whole else "%g",
    )
    # A slider rounds to its own steps, so a default between two of them comes back slightly off.
    if abs(chosen - value) < reach.step / 2 and (rule.name, name) in moved:
        del moved[rule.name, name]
        st.rerun()
    elif abs(chosen - now) >= reach.step / 2:
        moved[rule.name, name] = chosen
        st.rerun()


def _measured(opened: Opened, rule: str, limit: str) -> float | None:
    """What the rule table's own diagnosis measured under the name of a limit."""
    finding = next((finding for finding in opened.diagnosis.findings if finding.rule == rule), None)
    return finding.measured.get(limit) if finding else None


def _reset(opened: Opened) -> None:
    st.session_state[_key(opened)] = {}
    st.session_state[_turn(opened)] = st.session_state.get(_turn(opened), 0) + 1


def _key(opened: Opened) -> str:
    return f"limits-{opened.id}"


def _turn(opened: Opened) -> str:
    return f"limits-turn-{opened.id}"
