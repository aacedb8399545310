"""A synthetic run that shows what a rule finds."""

from __future__ import annotations

from itertools import product

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.synthetic import FAULTS, make

STRENGTHS = (0.5, 0.8, 1.0)
SEEDS = range(8)


def example_of(rule: str) -> tuple[Run, Diagnosis] | None:
    """The first synthetic run of the rule's own fault on which it fires, with its diagnosis; None when none does."""
    for strength, seed in product(STRENGTHS, SEEDS) if rule in FAULTS else ():
        run = make(rule, strength, seed=seed)
        found = diagnose(run)
        if any(finding.rule == rule for finding in found.findings):
            return run, found
    return None
