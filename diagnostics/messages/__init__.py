"""Words: every sentence about a run is made here, from codes and numbers, in one language at a time.

Records hold facts: a rule's name and what was measured, a knob with its old and new value, a ``Message`` with a code.
This room turns them into sentences when somebody is about to read them. The templates of one language are one file
(``en``); another language is another file with the same names, chosen in ``language``. Identifiers are the same in
every language: rules, labels, settings and curves keep their names.
"""

from diagnostics.messages.catalog import filled, phrase, text
from diagnostics.messages.language import words
from diagnostics.messages.live import live_line
from diagnostics.messages.phrases import (
    advice_heading,
    advice_sentence,
    certainty,
    comparison_rows,
    comparison_title,
    confidence_phrase,
    confidence_words,
    headline,
    is_tentative,
    measures,
    next_value,
    steps_of,
    unchecked_rules,
    weighed_headline,
)
from diagnostics.messages.rates import rate_words
from diagnostics.messages.verdicts import (
    advice_action,
    advice_line,
    all_notes,
    diagnosis_notes,
    finding_message,
    fix_in_words,
    notes_of,
    skipped_reason,
    summary,
    usual_range,
)

HEADLINES, TABLE_HEADS = words.HEADLINES, words.TABLE_HEADS
LANGUAGE = words.LANGUAGE
"""The language's code, as HTML names it."""

__all__ = [
    "HEADLINES",
    "LANGUAGE",
    "TABLE_HEADS",
    "advice_action",
    "advice_heading",
    "advice_line",
    "advice_sentence",
    "all_notes",
    "certainty",
    "comparison_rows",
    "comparison_title",
    "confidence_phrase",
    "confidence_words",
    "diagnosis_notes",
    "filled",
    "finding_message",
    "fix_in_words",
    "headline",
    "is_tentative",
    "live_line",
    "measures",
    "next_value",
    "notes_of",
    "phrase",
    "rate_words",
    "skipped_reason",
    "steps_of",
    "summary",
    "text",
    "unchecked_rules",
    "usual_range",
    "weighed_headline",
]
