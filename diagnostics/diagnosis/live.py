"""What a live view says, and when: a finding is news once it lasts, and its end is news once that lasts.

In mid-run a verdict may come and go: every healthy loss still falls, a stretch of it looks flat, one evaluation in
three is higher than the last. So a finding is said when it still holds after the run has grown by a tenth since it was
first seen, and cleared in the same way. What cannot clear, because it has happened (nan, divergence, a first loss that
is impossible), is said at once; that a run underfits can only be said when it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostics.messages import finding_message
from diagnostics.model.records import Diagnosis, Finding, Label
from diagnostics.rules import RULES

LASTS = 0.1
"""A finding lasts when it holds while the run grows by this share of its length."""

AT_ONCE = frozenset(rule.name for rule in RULES if rule.immediate)
NAMING = frozenset(rule.name for rule in RULES if rule.sets_label)


@dataclass(frozen=True)
class LiveState:
    """What was said of a run, and what is held back: the record that goes from one look to the next.

    ``label`` is the verdict that was said, ``said`` the findings; ``seen`` and ``missed`` hold the step at which a
    finding that was not said yet appeared, and at which one that was said went missing.
    """

    label: Label | None = None
    reported: Mapping[str, Finding] = field(default_factory=dict)
    seen: Mapping[str, float] = field(default_factory=dict)
    absent: Mapping[str, float] = field(default_factory=dict)


def update(state: LiveState, now: Diagnosis, step: float, *, over: bool = False) -> tuple[LiveState, list[str]]:
    """What was heard after this look at ``step``, and a line for each finding or verdict that is news.

    ``over``: the run has ended, and nothing is held back any more.
    """
    found = {finding.rule: finding for finding in now.findings}
    seen = {rule: min(state.seen.get(rule, step), step) for rule in found if rule not in state.reported}
    missed = {rule: min(state.absent.get(rule, step), step) for rule in state.reported if rule not in found}
    new = [rule for rule in seen if over or _is_news(found[rule], seen[rule], step)]
    gone = [rule for rule in missed if over or _lasts(missed[rule], step)]
    said = {rule: found.get(rule, finding) for rule, finding in state.reported.items() if rule not in gone}
    said |= {rule: found[rule] for rule in new}
    label = _label(state.label, now, said, over)
    lines = [_verdict(label, state.label, over)] if label and label is not state.label else []
    lines += [f"{_kind(found[rule], label)}: {rule}: {finding_message(found[rule])}" for rule in new]
    lines += [f"cleared: {rule}" for rule in gone]
    held_back = {rule: at for rule, at in seen.items() if rule not in new}
    missing = {rule: at for rule, at in missed.items() if rule not in gone}
    return LiveState(label, said, held_back, missing), lines


def _is_news(finding: Finding, since: float, step: float) -> bool:
    """Whether a finding of a run that goes on may be said."""
    return finding.rule in AT_ONCE or (finding.label is not Label.UNDERFIT and _lasts(since, step))


def _lasts(since: float, step: float) -> bool:
    """Whether a step lies a tenth of the run beyond another."""
    return step > since and step >= since + LASTS * abs(since)


def _label(before: Label | None, now: Diagnosis, said: Mapping[str, Finding], over: bool) -> Label | None:
    """The verdict that may be said: the diagnosis's own, unless it rests on what is held back."""
    if over or now.cause in said:
        return now.label
    resting = {finding.label for rule, finding in said.items() if rule in NAMING}
    if before in resting:
        return before  # what it rests on is not cleared yet
    calm = now.label in (Label.HEALTHY, Label.UNDERFIT)
    return Label.HEALTHY if calm or before else None


def _verdict(label: Label, before: Label | None, over: bool) -> str:
    """The line of a changed verdict; a run that goes on is healthy so far."""
    so_far = " so far" if label is Label.HEALTHY and not over else ""
    return f"verdict: {label}{so_far}{f' (was {before})' if before else ''}"


def _kind(finding: Finding, label: Label | None) -> str:
    """The finding's label where it is the verdict's, else ``noted``: it does not name the run."""
    return str(finding.label) if finding.label is label else "noted"
