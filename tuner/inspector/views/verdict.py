"""The diagnosis of a run as it is drawn beside its curves."""

from __future__ import annotations

import streamlit as st

from diagnostics.formatting import SIGNS, plain_name, sentence, setting, times
from diagnostics.messages import (
    HEADLINES,
    advice_heading,
    advice_sentence,
    certainty,
    confidence_words,
    filled,
    finding_message,
    measures,
    rate_words,
    steps_of,
    summary,
    unchecked_rules,
)
from diagnostics.model.records import Advice, Diagnosis, Finding
from diagnostics.report.gauge import rate_gauge
from tuner.inspector.escape import chip, plain
from tuner.inspector.runs.row import UNREAD, WAITING
from tuner.inspector.views.context import PageContext

LABEL_SIGNS = {**{str(label): sign for label, sign in SIGNS.items()}, UNREAD: "∅", WAITING: "…"}
BADGES = {
    "broken": "red",
    "unstable": "orange",
    "overfit": "violet",
    "underfit": "blue",
    "healthy": "green",
    "unknown": "gray",
    UNREAD: "gray",
    WAITING: "gray",
}


def badge(label: str) -> str:
    """Markdown of a verdict as a colored badge; the label is one of ours, never a log's."""
    return f":{BADGES[label]}-badge[{LABEL_SIGNS[label]} {label}]"


def signed_label(label: str) -> str:
    """Markdown of a verdict with its sign, in its color."""
    return f":{BADGES[label]}[{LABEL_SIGNS[label]} {label}]"


def headline(diagnosis: Diagnosis) -> None:
    """The verdict, the sentence behind it with how sure it is, and what to do first, in a card of a few lines."""
    with st.container(border=True, key="verdict", gap="xxsmall"):
        st.markdown(
            f"{badge(str(diagnosis.label))} **{plain(HEADLINES[diagnosis.label])}.** {plain(summary(diagnosis))} "
            f":gray[{plain(certainty(diagnosis))}.]"
        )
        first = next((change for change in diagnosis.advice if not change.optional), None)
        if first is not None:
            st.markdown(f"**Do first:** {_action(first)}")
        words = rate_words(diagnosis)
        if diagnosis.rate is not None and words:
            st.html(rate_gauge(diagnosis.rate))
            st.caption(plain(words))


def details(context: PageContext, diagnosis: Diagnosis) -> None:
    """What to change, the evidence, and which rules could not be evaluated."""
    if diagnosis.advice:
        st.markdown(f"**{advice_heading(diagnosis.advice)}**")
        for place, change in enumerate(diagnosis.advice):
            _advice(place, change)
    if diagnosis.findings:
        st.markdown("**Evidence**")
        for finding in diagnosis.findings:
            _finding(context, finding)
    _not_checked(diagnosis)


def _advice(place: int, change: Advice) -> None:
    """One advice: what to do with its values, the first one large, then what to expect and how sure that is."""
    with st.container(gap="xxsmall"):
        st.markdown(f"{'##### ' if place == 0 else ''}{place + 1}\\. {_action(change)}")
        st.caption(plain(" · ".join(part for part in (change.expect, confidence_words(change.confidence)) if part)))


def _action(change: Advice) -> str:
    """Markdown of an advice in a line: its sentence, and the setting with its old and new value where it has one."""
    words = plain(advice_sentence(change))
    if change.new is None and not change.factor:
        return words
    old = [plain(setting(change.knob, change.old))] if change.old is not None else []
    new = [f"**{plain(setting(change.knob, change.new))}**"] if change.new is not None else []
    factor = times(change.factor)
    return " ".join([words, chip(change.knob), " → ".join([*old, *new]), *([f":gray[{factor}]"] if factor else [])])


def _finding(context: PageContext, finding: Finding) -> None:
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"{badge(str(finding.label))} **{plain(plain_name(finding.rule))}**, {plain(steps_of(finding))}")
        st.markdown(plain(sentence(finding_message(finding))))
        measured = " · ".join(f"{name} {value}" for name, value in measures(finding))
        sure = confidence_words(finding.confidence)
        st.caption(plain(f"{measured} · {sure}" if measured else sure))
        context.link("rule", "About this rule", rule=finding.rule)


def _not_checked(diagnosis: Diagnosis) -> None:
    if not diagnosis.skipped:
        return
    with st.expander(filled("Not checked: {count:plural:rule|rules}", {"count": len(diagnosis.skipped)})):
        for why, rules in unchecked_rules(diagnosis):
            st.markdown(f"- {plain(why)}: {', '.join(chip(rule) for rule in rules)}")
