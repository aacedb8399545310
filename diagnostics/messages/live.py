"""The lines of a live view, one for each event."""

from __future__ import annotations

from diagnostics.messages.catalog import phrase
from diagnostics.messages.verdicts import finding_message
from diagnostics.model.live import FindingCleared, FindingReported, LiveEvent
from diagnostics.model.records import Label


def live_line(event: LiveEvent) -> str:
    """The event in a line: ``verdict: overfit (was healthy)``; a run that is not over is healthy so far."""
    if isinstance(event, FindingCleared):
        return phrase("cleared", rule=event.rule)
    if isinstance(event, FindingReported):
        finding = event.finding
        kind = str(finding.label) if event.decisive else phrase("noted")
        return phrase("found", kind=kind, rule=finding.rule, message=finding_message(finding))
    so_far = event.label is Label.HEALTHY and not event.over
    label = phrase("so-far", label=str(event.label)) if so_far else str(event.label)
    if event.before is None:
        return phrase("verdict", label=label)
    return phrase("verdict-changed", label=label, before=str(event.before))
