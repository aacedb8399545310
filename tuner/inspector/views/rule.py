"""One rule: what it finds, on a synthetic run, what to change, when not to, its limits and sources."""

from __future__ import annotations

import streamlit as st

from diagnostics.chart.build import as_svg, chart
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.formatting import number, plain_name, sentence
from diagnostics.messages import finding_message
from diagnostics.rules import RULES, Rule
from diagnostics.synthetic import make
from tuner.inspector.escape import chip, one_line, plain
from tuner.inspector.runs.limit_words import meaning
from tuner.inspector.views.context import PageContext
from tuner.inspector.views.verdict import LABEL_SIGNS, badge

STRENGTHS = (0.5, 0.8, 1.0)


def page(context: PageContext) -> None:
    """The page of one rule of the table."""
    names = [rule.name for rule in RULES]
    requested = st.query_params.get("rule")
    if requested is not None and requested not in names:
        st.warning(f"There is no rule called {chip(requested)}. The rules to choose from are below.")
    chosen = st.selectbox(
        "Rule",
        RULES,
        index=names.index(requested) if requested in names else None if requested else 0,
        format_func=lambda rule: f"{LABEL_SIGNS[str(rule.label)]} {plain_name(rule.name)}",
        placeholder="Choose a rule",
    )
    if chosen is None:
        return
    if chosen.name != requested:
        st.query_params["rule"] = chosen.name
    _rule(chosen)


def _rule(rule: Rule) -> None:
    beside = "" if rule.sets_label else " :gray[reported beside the verdict, which it never sets by itself]"
    st.markdown(f"#### {badge(str(rule.label))} {plain(plain_name(rule.name))}{beside}")
    st.markdown(plain(sentence(rule.cause), 4000))
    left, right = st.columns([0.55, 0.45], gap="medium")
    with left:
        _picture(rule)
    with right:
        st.markdown("**What to change**")
        fixes = [f"{place}. {plain(fix.explain(), 4000)}" for place, fix in enumerate(rule.fixes, 1)]
        st.markdown("\n".join(fixes) or "No setting cures this.")
        if rule.not_when:
            st.markdown("**When not to**")
            st.markdown(plain(sentence(rule.not_when), 4000))
    if rule.limits:
        st.markdown("**Limits**")
        rows = [
            {"limit": plain(plain_name(name)), "value": number(value), "meaning": plain(meaning(rule.name, name))}
            for name, value in rule.limits.items()
        ]
        st.table(rows, hide_index=True, border="horizontal")
    st.markdown(f"**Example** {plain(rule.example, 4000)}")
    st.markdown("**Sources**")
    st.markdown("\n".join(f"- {plain(source, 2000)}" for source in rule.sources))


def _picture(rule: Rule) -> None:
    shown = _drawn(rule.name)
    if shown is None:
        return
    drawing, words = shown
    st.image(drawing, caption=one_line(f"A synthetic run: {words}", 400), width="stretch")


def _draw(name: str) -> tuple[str, str] | None:
    """A synthetic run on which the rule fires, as a drawing and what the rule says of it; None when there is none."""
    for strength in STRENGTHS:
        for seed in range(4):
            run = make(name, strength=strength, seed=seed)
            verdict = diagnose(run)
            found = next((finding for finding in verdict.findings if finding.rule == name), None)
            if found is not None:
                return str(as_svg(chart(run, verdict), width=720)), finding_message(found)
    return None


_drawn = st.cache_data(_draw, show_spinner="Drawing an example…", max_entries=100)
