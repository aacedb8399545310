"""What is new in a verdict since the last look, so that a live view speaks once."""

from __future__ import annotations

from diagnostics.verdict import Diagnosis, Finding


def changes(before: Diagnosis | None, after: Diagnosis) -> list[str]:
    """One line for each finding that appeared or cleared, and for a changed verdict; empty when all is as it was."""
    old = {finding.rule: finding for finding in before.findings} if before else {}
    new = {finding.rule: finding for finding in after.findings}
    lines = [f"{_kind(new[rule], after)}: {rule}: {new[rule].message}" for rule in new if rule not in old]
    lines += [f"cleared: {rule}" for rule in old if rule not in new]
    if before is None or before.label is not after.label:
        was = f" (was {before.label})" if before else ""
        lines.insert(0, f"verdict: {after.label}{was}")
    return lines


def _kind(finding: Finding, verdict: Diagnosis) -> str:
    """The finding's label where it is the verdict's, else ``noted``: it does not name the run."""
    return str(finding.label) if finding.label is verdict.label else "noted"
