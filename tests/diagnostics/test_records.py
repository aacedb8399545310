"""A diagnosis as stored data: it is read back as it was, and so is what earlier versions stored."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics import RULES, diagnose
from diagnostics.messages import advice_action, diagnosis_notes, finding_message, skipped_reason
from diagnostics.model.message import Message
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate
from diagnostics.model.records import RENAMED_RULES, Advice, Diagnosis, Finding, Label, Skipped, Unchecked
from diagnostics.report.write import with_words
from diagnostics.synthetic import CAUSES, make

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SHARES = st.integers(0, 1000).map(lambda k: k / 1000)
LABELS = st.sampled_from(Label)
VALUES = st.one_of(st.none(), NUMBERS, st.integers(), st.booleans(), st.text())
MESSAGES = st.builds(Message, st.text(min_size=1), st.dictionaries(st.text(), VALUES, max_size=3))
RULE_NAMES = st.text().filter(lambda name: name not in RENAMED_RULES)
"""Hypothesis draws texts of the code too, and a name of yesterday is read as today's."""
FINDINGS = st.builds(
    Finding, RULE_NAMES, LABELS, NUMBERS, NUMBERS, st.dictionaries(st.text(), NUMBERS, max_size=3), st.text(), SHARES
)
CHANGED = st.one_of(st.none(), NUMBERS, st.text())
OPTIONAL = st.one_of(st.none(), NUMBERS)
ADVICE = st.builds(
    Advice, st.text(), CHANGED, CHANGED, OPTIONAL, RULE_NAMES, st.text(), SHARES, st.text(), OPTIONAL, st.booleans()
)
DENSITIES = st.lists(SHARES, min_size=len(OFFSETS), max_size=len(OFFSETS)).map(lambda values: tuple(-v for v in values))
ESTIMATES = st.builds(RateEstimate, DENSITIES, DENSITIES, st.one_of(st.none(), st.floats(1e-7, 1.0)))
DIAGNOSES = st.builds(
    Diagnosis,
    st.text(),
    LABELS,
    st.one_of(st.none(), RULE_NAMES),
    SHARES,
    OPTIONAL,
    st.lists(FINDINGS, max_size=2).map(tuple),
    st.lists(ADVICE, max_size=2).map(tuple),
    st.lists(st.builds(Skipped, RULE_NAMES, MESSAGES, LABELS), max_size=2).map(tuple),
    st.lists(MESSAGES, max_size=2).map(tuple),
    st.lists(st.builds(Unchecked, LABELS, MESSAGES), max_size=2).map(tuple),
    st.one_of(st.none(), FINDINGS),
    st.none(),
    st.one_of(st.none(), ESTIMATES),
)

YESTERDAY = {
    "run": "trial-003",
    "label": "unstable",
    "cause": "loss-thrown-up",
    "confidence": 0.81,
    "best_step": 40.0,
    "findings": [
        {
            "rule": "loss-thrown-up",
            "label": "unstable",
            "first_step": 10.0,
            "last_step": 90.0,
            "measured": {"rise": 0.4},
            "message": "the loss rises by 40 % {at once}",
            "confidence": 0.8,
        }
    ],
    "advice": [
        {
            "knob": "learning_rate",
            "old": 1e-3,
            "new": 3e-4,
            "factor": 0.3,
            "because": "loss-thrown-up",
            "expect": "a calm descent",
            "confidence": 0.8,
            "message": "learning_rate 1e-3 → 3e-4 (×0.3): use a third of the rate",
        }
    ],
    "skipped": [{"rule": "clips-most-steps", "why": "the log has no grad_norm"}],
    "notes": ["overfit was not checked: the log has no eval_loss"],
}
"""What the version before codes stored: finished sentences, and rules under names of theirs."""


@given(DIAGNOSES)
def test_a_diagnosis_is_read_back_as_it_was(diagnosis: Diagnosis):
    assert Diagnosis.from_dict(json.loads(json.dumps(diagnosis.to_dict()))) == diagnosis


@pytest.mark.parametrize("cause", CAUSES)
def test_the_diagnosis_of_a_run_is_read_back_and_reads_the_same(cause: str):
    found = diagnose(make(cause, 0.7, seed=1))
    again = Diagnosis.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.to_dict() == found.to_dict()
    assert with_words(again) == with_words(found)


def test_what_an_earlier_version_stored_is_read_with_its_sentences():
    found = Diagnosis.from_dict(YESTERDAY)
    assert (found.label, found.cause, found.best_step) == (Label.UNSTABLE, "loss-overshoots", 40.0)
    assert {found.findings[0].rule, found.advice[0].because} == {"loss-overshoots"}
    assert [finding_message(one) for one in found.findings] == ["the loss rises by 40 % {at once}"]
    assert [(one.knob, one.old, one.new, one.factor) for one in found.advice] == [("learning_rate", 1e-3, 3e-4, 0.3)]
    assert advice_action(found.advice[0]) == "use a third of the rate"
    assert [(one.rule, skipped_reason(one)) for one in found.skipped] == [
        ("clips-most-steps", "the log has no grad_norm")
    ]
    assert diagnosis_notes(found) == ("overfit was not checked: the log has no eval_loss",)


def test_the_steps_that_a_rule_counted_are_read_back():
    finding = next(one for one in diagnose(make("loss-spikes", 0.8)).findings if one.rule == "loss-spikes")
    assert len(finding.steps) == finding.measured["events"]
    assert (finding.steps[0], finding.steps[-1]) == (finding.first_step, finding.last_step)
    assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))).steps == finding.steps
    assert "steps" not in Finding("a-rule", Label.OVERFIT, 0.0, 1.0, {}).to_dict()


def test_renamed_rules_are_in_the_table_under_their_new_names():
    names = {rule.name for rule in RULES}
    assert set(RENAMED_RULES.values()) <= names
    assert not set(RENAMED_RULES) & names


@pytest.mark.parametrize("damage", [{"label": "fine"}, {"findings": [{}]}, {"advice": [{"old": 1}]}])
def test_what_is_not_a_diagnosis_is_refused(damage: dict[str, object]):
    with pytest.raises((KeyError, ValueError)):
        Diagnosis.from_dict({**YESTERDAY, **damage})
