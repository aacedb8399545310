"""What a live view reports, and when: a finding is news once it lasts, and its end is news once that lasts.

In mid-run a verdict may come and go: every healthy loss still falls, a stretch of it looks flat, one evaluation in
three is higher than the last. So a finding is reported when it still holds after the run has grown by a tenth since it
was first seen, and cleared in the same way. What cannot clear, because it has happened (nan, divergence, an impossible
first loss), is reported at once; underfitting is reported only when the run is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostics.model.live import FindingCleared, FindingReported, LiveEvent, VerdictChanged
from diagnostics.model.records import Diagnosis, Finding, Label
from diagnostics.rules import RULES

NO_RULE = "no-rule"
"""The code of the reason why a kind of fault is not checked at all for a method."""

MIN_GROWTH = 0.1
"""A finding lasts when it holds while the run grows by this share of its length."""

IMMEDIATE = frozenset(rule.name for rule in RULES if rule.immediate)
LABEL_SETTING = frozenset(rule.name for rule in RULES if rule.sets_label)


@dataclass(frozen=True)
class LiveState:
    """What was reported of a run, and what is held back: the record that one update hands to the next.

    ``label`` is the verdict that was reported, ``reported`` the findings; ``seen`` and ``absent`` hold the step at
    which a finding that is not reported yet appeared, and at which a reported one went missing.
    """

    label: Label | None = None
    reported: Mapping[str, Finding] = field(default_factory=dict)
    seen: Mapping[str, float] = field(default_factory=dict)
    absent: Mapping[str, float] = field(default_factory=dict)


def update(state: LiveState, now: Diagnosis, step: float, *, over: bool = False) -> tuple[LiveState, list[LiveEvent]]:
    """The state after the diagnosis at ``step``, and an event for each verdict or finding that is news.

    ``over``: the run has ended, and nothing is held back any more.
    """
    found = {finding.rule: finding for finding in now.findings}
    seen = {rule: min(state.seen.get(rule, step), step) for rule in found if rule not in state.reported}
    absent = {rule: min(state.absent.get(rule, step), step) for rule in state.reported if rule not in found}
    new = [rule for rule in seen if over or _is_news(found[rule], seen[rule], step)]
    gone = [rule for rule in absent if over or _lasts(absent[rule], step)]
    reported = {rule: found.get(rule, finding) for rule, finding in state.reported.items() if rule not in gone}
    reported |= {rule: found[rule] for rule in new}
    label = _label(state.label, now, reported, over)
    events: list[LiveEvent] = []
    if label and label is not state.label:
        events.append(VerdictChanged(label, state.label, over))
    events += [FindingReported(found[rule], decisive=found[rule].label is label) for rule in new]
    events += [FindingCleared(rule) for rule in gone]
    held_back = {rule: at for rule, at in seen.items() if rule not in new}
    missing = {rule: at for rule, at in absent.items() if rule not in gone}
    return LiveState(label, reported, held_back, missing), events


def _is_news(finding: Finding, since: float, step: float) -> bool:
    """Whether a finding may be reported while the run continues."""
    return finding.rule in IMMEDIATE or (finding.label is not Label.UNDERFIT and _lasts(since, step))


def _lasts(since: float, step: float) -> bool:
    """Whether a step lies a tenth of the run beyond another."""
    return step > since and step >= since + MIN_GROWTH * abs(since)


def _label(before: Label | None, now: Diagnosis, reported: Mapping[str, Finding], over: bool) -> Label | None:
    """The verdict that may be reported: the diagnosis's own, unless it rests on what is held back."""
    if over or now.cause in reported:
        return now.label
    resting = {finding.label for rule, finding in reported.items() if rule in LABEL_SETTING}
    if before in resting:
        return before  # what it rests on is not cleared yet
    # Where a method has no rule for a kind of fault, nobody knows in mid-run whether the run has it.
    known = all(kind.reason.code != NO_RULE for kind in now.unchecked)
    calm = known and now.label in (Label.HEALTHY, Label.UNDERFIT)
    return Label.HEALTHY if calm or before else None
