"""Faults that no rule found and one nearly did: under its looser limits, with what else is known of the run."""

from __future__ import annotations

from diagnostics.diagnosis.answers import denied
from diagnostics.diagnosis.calibration import Health
from diagnostics.diagnosis.context import DiagnosisContext, evaluate
from diagnostics.diagnosis.weigh import Fired
from diagnostics.model.evidence import Evidence
from diagnostics.model.outlook import Outlook
from diagnostics.model.records import Label
from diagnostics.rules import Rule

LIKELIER = 0.4
"""A slow run that was nearly found is named where a healthy one is less likely than this.

Only beside held-out losses: training losses follow the order of the rows too. Not one that the estimate of the rate
nearly found: how likely a healthy run is follows that estimate already. And no other fault: of too few is it known how
often they are there when they are nearly found.
"""
LOOKS_SO = 0.6
"""A fault that was nearly found is named where so many of the runs that look so had it."""
BY_ESTIMATE = "sure"
"""The limit of rules that the estimate of the rate decides."""


def nearly_found(rules: list[Rule], context: DiagnosisContext) -> Fired | None:
    """The first rule that fires under its looser limits, on a run where none fires under its own."""
    for rule in rules:
        if rule.nearly is not None and not denied(rule, context.rate, context.outlook):
            found = evaluate(rule.nearly, context)
            if isinstance(found, Evidence):
                return rule, found
    return None


def may_be_named(rule: Rule, health: Health, well: float, look: Outlook | None) -> bool:
    """Whether a fault that was only nearly found may be named."""
    if look is not None and look.of_label(rule.label) >= LOOKS_SO:
        return True
    doubtful = health.held_out and 0.0 < well < LIKELIER
    return doubtful and rule.label is Label.UNDERFIT and BY_ESTIMATE not in rule.limits
