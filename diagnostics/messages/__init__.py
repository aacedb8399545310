"""Words: every sentence about a run is made here, from codes and numbers, in one language at a time.

Records hold facts: a rule's name and what was measured, a knob with its old and new value, a ``Message`` with a code.
This room turns them into sentences when somebody is about to read them. The templates of one language are one file
(``en``); another language is another file with the same names, and nothing else.
"""

from diagnostics.messages.catalog import text
from diagnostics.messages.en import HEADLINES
from diagnostics.messages.verdicts import (
    advice_action,
    advice_line,
    all_notes,
    confidence_words,
    diagnosis_notes,
    finding_message,
    notes_of,
    skipped_reason,
    summary,
)

__all__ = [
    "HEADLINES",
    "advice_action",
    "advice_line",
    "all_notes",
    "confidence_words",
    "diagnosis_notes",
    "finding_message",
    "notes_of",
    "skipped_reason",
    "summary",
    "text",
]
