"""A healthy run needs no change: what its findings suggest is marked as an option, in every report."""

from __future__ import annotations

import pytest

from diagnostics import RULES, diagnose
from diagnostics.messages import phrase
from diagnostics.model.records import Label
from diagnostics.report.write import as_html, as_markdown, as_text
from diagnostics.synthetic import CAUSES, make

NAMING = {rule.name for rule in RULES if rule.sets_label}
NOTED = [rule.name for rule in RULES if not rule.sets_label]


@pytest.mark.parametrize("cause", CAUSES)
def test_advice_is_optional_where_its_rule_names_no_run(cause: str):
    for advice in diagnose(make(cause, 0.7)).advice:
        assert advice.optional is (advice.because not in NAMING)
        assert advice.to_dict().get("optional", False) is advice.optional


@pytest.mark.parametrize("cause", NOTED)
def test_a_healthy_run_is_advised_nothing_but_options(cause: str):
    found = diagnose(make(cause, 0.6, seed=1))
    if found.label is Label.HEALTHY:
        assert all(advice.optional for advice in found.advice)


def test_a_healthy_run_without_findings_gets_no_advice():
    assert [diagnose(make(cause)).advice for cause in ("healthy-sft", "healthy-dpo")] == [(), ()]


def test_reports_mark_an_optional_change():
    run = make("clips-most-steps", 0.6)
    found = diagnose(run)
    assert (found.label, found.advice[0].knob) == (Label.HEALTHY, "max_grad_norm")
    reason = phrase("optional", rule="clips-most-steps")
    for report in (as_markdown(run, found), str(as_text(run, found, verbose=True))):
        assert reason in report
    assert phrase("optional", rule="clips most steps") in as_html([(run, found)])
    for report in (as_markdown(run, found), as_html([(run, found)])):
        assert phrase("optional-changes") in report
        assert phrase("what-to-change") not in report


def test_reports_of_a_faulty_run_list_what_to_change():
    run = make("eval-loss-rises", 0.8)
    assert f"## {phrase('what-to-change')}" in as_markdown(run, diagnose(run))
