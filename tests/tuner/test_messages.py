"""The words of the search: every code has a template, and a template has the values it needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tuner.search
from diagnostics.model.message import Message, message
from diagnostics.model.records import Advice, Finding, Label
from tuner.messages import text
from tuner.messages.en import MESSAGES
from tuner.search.proposal import reason
from tuner.search.trial_view import TrialView

SOURCES = sorted(Path(tuner.search.__file__).parent.rglob("*.py"))
CODE = re.compile(r'\b[mM]essage\(\s*"([\w-]+)"(?: if [^"]*? else "([\w-]+)")?')
CODES = sorted({code for path in SOURCES for found in CODE.findall(path.read_text("utf-8")) for code in found if code})
ADVICE = Advice("learning_rate", 1e-5, 1e-4, 10.0, "rate-too-low", "", 0.7)


@pytest.mark.parametrize("code", CODES)
def test_each_code_of_the_search_has_words(code: str):
    assert code in MESSAGES


def test_the_codes_are_found_in_the_sources():
    assert {"rule-measured", "model-expects-at-rate", "another-seed", "out-of-reach"} <= set(CODES)


def test_the_reason_of_an_advice_holds_what_the_rule_measured():
    finding = Finding("rate-too-low", Label.UNDERFIT, 0, 9, {"fall": 0.013}, "the loss falls by only {fall:.1%}")
    because = reason(ADVICE, TrialView(3, {}, 1.0, findings=(finding,)))
    assert because == message("rule-measured", rule="rate-too-low", trial=3, fall=0.013, template=finding.template)
    assert text(Message.from_dict(because.to_dict())).endswith(text(message("text", text="falls by only 1.3 %")))
    assert reason(ADVICE, TrialView(3, {}, 1.0)) == message("rule-advises", rule="rate-too-low", trial=3)


def test_values_are_shown_as_settings_numbers_and_shares():
    shown = text(message("next-to-best", knob="learning_rate", value=3e-05, trial=7))
    assert "3e-5" in shown and "trial 7" in shown
    shown = text(message("out-of-reach", value=1.23456, share=0.5, trial=2, other=0.9))
    assert all(part in shown for part in ("1.235", "50 %", "trial 2", "0.9"))
