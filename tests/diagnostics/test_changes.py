from __future__ import annotations

from diagnostics.changes import changes
from diagnostics.verdict import Diagnosis, Finding, Label


def verdict(label: Label, *rules: str) -> Diagnosis:
    findings = tuple(Finding(rule, label, 1, 2, {}, f"about {rule}") for rule in rules)
    return Diagnosis("run", label, rules[0] if rules else None, 0.9, None, findings)


def test_the_first_look_says_the_verdict_and_every_finding():
    assert changes(None, verdict(Label.OVERFIT, "eval-loss-rises")) == [
        "verdict: overfit",
        "overfit: eval-loss-rises: about eval-loss-rises",
    ]


def test_the_same_verdict_says_nothing():
    assert changes(verdict(Label.OVERFIT, "a"), verdict(Label.OVERFIT, "a")) == []


def test_a_finding_that_clears_is_said_once():
    assert changes(verdict(Label.UNSTABLE, "spikes"), verdict(Label.HEALTHY)) == [
        "verdict: healthy (was unstable)",
        "cleared: spikes",
    ]


def test_a_finding_that_does_not_name_the_run_is_only_noted():
    noted = Finding("clips-most-steps", Label.UNSTABLE, 1, 2, {}, "most steps are clipped")
    healthy = Diagnosis("run", Label.HEALTHY, None, 0.9, None, (noted,))
    assert changes(verdict(Label.HEALTHY), healthy) == ["noted: clips-most-steps: most steps are clipped"]
