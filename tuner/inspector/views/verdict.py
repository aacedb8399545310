"""The diagnosis of a run as it is drawn beside its curves."""

from __future__ import annotations

from collections.abc import Sequence

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
    steps_of,
    summary,
    unchecked_rules,
)
from diagnostics.model.records import Advice, Diagnosis, Finding
from tuner.inspector.escape import chip, plain
from tuner.inspector.runs.row import UNREAD, WAITING

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


def headline(diagnosis: Diagnosis) -> None:
    """The verdict in one line, the sentence behind it, and how sure it is."""
    st.markdown(f"#### {badge(str(diagnosis.label))} {plain(HEADLINES[diagnosis.label])}")
    st.markdown(f"{plain(summary(diagnosis))} :gray[{plain(certainty(diagnosis))}.]")


def details(diagnosis: Diagnosis) -> None:
    """What to change, the evidence, and which rules could not be evaluated."""
    if diagnosis.advice:
        st.markdown(f"**{advice_heading(diagnosis.advice)}**")
        _advice(diagnosis.advice)
    if diagnosis.findings:
        st.markdown("**Evidence**")
        for finding in diagnosis.findings:
            _finding(finding)
    _not_checked(diagnosis)


def _advice(advice: Sequence[Advice]) -> None:
    """The changes of settings as before and after, then what is meant by each and what to expect."""
    settings = [change for change in advice if change.new is not None or change.factor is not None]
    if settings:
        st.table([_before_after(change) for change in settings], hide_index=True, border="horizontal")
    for change in advice:
        st.markdown(plain(advice_sentence(change)))
        because = f"because of {plain_name(change.because)}" if change.because else ""
        st.caption(
            plain(" · ".join(part for part in (because, change.expect, confidence_words(change.confidence)) if part))
        )


def _before_after(change: Advice) -> dict[str, str]:
    return {
        "setting": chip(change.knob),
        "now": plain(setting(change.knob, change.old)),
        "next": f"**{plain(setting(change.knob, change.new))}**",
        "change": plain(times(change.factor)) or "–",
    }


def _finding(finding: Finding) -> None:
    with st.container(border=True):
        st.markdown(f"{badge(str(finding.label))} **{plain(plain_name(finding.rule))}**, {plain(steps_of(finding))}")
        st.markdown(plain(sentence(finding_message(finding))))
        measured = " · ".join(f"{name} {value}" for name, value in measures(finding))
        st.caption(
            plain(
                f"{measured} · {confidence_words(finding.confidence)}"
                if measured
                else confidence_words(finding.confidence)
            )
        )


def _not_checked(diagnosis: Diagnosis) -> None:
    if not diagnosis.skipped:
        return
    with st.expander(filled("Not checked: {count:plural:rule|rules}", {"count": len(diagnosis.skipped)})):
        for why, rules in unchecked_rules(diagnosis):
            st.markdown(f"- {plain(why)}: {', '.join(chip(rule) for rule in rules)}")
