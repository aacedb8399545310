"""Numbers, labels and certainty in the words that people read."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.formatting import number, percent, plain_name, sentence, setting, times
from diagnostics.messages import advice_action, confidence_words, text
from diagnostics.model.comparison import Comparison
from diagnostics.model.records import Advice, Diagnosis, Finding, Label


def span(finding: Finding) -> str:
    """Where a finding shows: ``steps 200 to 600``."""
    first, last = number(finding.first_step), number(finding.last_step)
    return f"step {first}" if first == last else f"steps {first} to {last}"


def measures(finding: Finding) -> list[tuple[str, str]]:
    """What was measured, as (name, number) in words."""
    return [(plain_name(key), number(value)) for key, value in finding.measured.items()]


def step_of(advice: Advice) -> str:
    """What the next value is: the new number with its factor, the factor alone, or a dash."""
    if advice.new is not None:
        return setting(advice.knob, advice.new)
    return times(advice.factor) or "–"


def compared(comparison: Comparison) -> list[tuple[str, str, str]]:
    """A comparison with a baseline as (question, verdict, words), the verdict a dash where none could be given."""
    if comparison.refused is not None:
        return [("losses", "–", f"not compared: {comparison.refused}")]
    rows = [(answer.question, answer.verdict, answer.message) for answer in comparison.answers]
    return rows + [(question, "–", f"not compared: {why}") for question, why in (comparison.skipped or {}).items()]


def heading(advice: Sequence[Advice]) -> str:
    """What a list of advice is called: what to change, or options where no fault asks for a change."""
    return "What to change" if any(not one.optional for one in advice) else "Optional changes"


def because(advice: Advice, rule: str) -> str:
    """The rule behind the advice, in the words given for it, and whether the advice is an option only."""
    return f"{rule} (optional)" if advice.optional else rule


def in_words(advice: Advice) -> str:
    """The advice as a sentence, without the values that stand beside it in a table."""
    return sentence(advice_action(advice))


def sure(diagnosis: Diagnosis) -> str:
    """The cause and how sure, in words: ``eval loss rises, almost certain (90 %)``."""
    if diagnosis.label is Label.UNKNOWN and not diagnosis.cause:
        return "not enough to go by"
    words = f"{confidence_words(diagnosis.confidence)} ({percent(diagnosis.confidence)})"
    return f"{plain_name(diagnosis.cause)}, {words}" if diagnosis.cause else words


def unchecked(diagnosis: Diagnosis) -> list[tuple[str, list[str]]]:
    """The rules that could not be asked, grouped by the reason: (why, rules)."""
    reasons: dict[str, list[str]] = {}
    for skipped in diagnosis.skipped:
        reasons.setdefault(text(skipped.reason), []).append(skipped.rule)
    return sorted(reasons.items(), key=lambda item: -len(item[1]))
