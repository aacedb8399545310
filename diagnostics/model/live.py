"""What a live view reports of a run: the events by which one diagnosis differs from what was reported before."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.model.records import Finding, Label


@dataclass(frozen=True)
class VerdictChanged:
    """The verdict is another one than was reported before (None: nothing was); ``over``: the run has ended."""

    label: Label
    before: Label | None
    over: bool


@dataclass(frozen=True)
class FindingReported:
    """A finding is news; ``decisive`` where its label is the verdict's."""

    finding: Finding
    decisive: bool


@dataclass(frozen=True)
class FindingCleared:
    """A finding that was reported no longer holds."""

    rule: str


LiveEvent = VerdictChanged | FindingReported | FindingCleared
