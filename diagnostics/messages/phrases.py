"""Short words around a diagnosis: where a finding shows, what the next value is, how sure, what was not checked."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.formatting import number, percent, plain_name, sentence, setting, times
from diagnostics.messages.catalog import phrase, text
from diagnostics.messages.language import words
from diagnostics.messages.verdicts import advice_action
from diagnostics.model.comparison import Comparison
from diagnostics.model.records import Advice, Diagnosis, Finding, Label

QUITE_SURE = 0.65
"""Verdicts below this confidence have a tentative headline."""


def steps_of(finding: Finding) -> str:
    """Where a finding shows: ``steps 200 to 600``."""
    first, last = number(finding.first_step), number(finding.last_step)
    return phrase("step", step=first) if first == last else phrase("steps", first=first, last=last)


def measures(finding: Finding) -> list[tuple[str, str]]:
    """What was measured, as (name, number) in words."""
    return [(plain_name(key), number(value)) for key, value in finding.measured.items()]


def next_value(advice: Advice) -> str:
    """The value advised, the factor alone where the old value is unknown, or a dash."""
    if advice.new is not None:
        return setting(advice.knob, advice.new)
    return times(advice.factor) or "–"


def advice_heading(advice: Sequence[Advice]) -> str:
    """What a list of advice is called: what to change, or options where no fault asks for a change."""
    return phrase("what-to-change" if any(not one.optional for one in advice) else "optional-changes")


def advice_sentence(advice: Advice) -> str:
    """The advice as a sentence, without the values that stand beside it in a table."""
    return sentence(advice_action(advice))


def confidence_words(confidence: float) -> str:
    """A confidence in words: ``quite sure``."""
    return next((named for limit, named in words.CONFIDENCE if confidence >= limit), words.CONFIDENCE[-1][1])


def confidence_phrase(confidence: float) -> str:
    """A confidence in words and in numbers: ``quite sure (70 %)``."""
    return phrase("confidence", words=confidence_words(confidence), percent=percent(confidence))


def headline(diagnosis: Diagnosis) -> str:
    """The headline of a verdict; a tentative one where it is less than quite sure."""
    headlines = words.TENTATIVE_HEADLINES if is_tentative(diagnosis) else words.HEADLINES
    return headlines[diagnosis.label]


def weighed_headline(diagnosis: Diagnosis) -> str:
    """The headline; a tentative one with how sure it is: ``Looks unstable (51 %: barely more likely than not)``."""
    if not is_tentative(diagnosis):
        return headline(diagnosis)
    sure = {"words": confidence_words(diagnosis.confidence), "percent": percent(diagnosis.confidence)}
    return phrase("tentative", headline=headline(diagnosis), **sure)


def is_tentative(diagnosis: Diagnosis) -> bool:
    """Whether a verdict is given, and is less than quite sure."""
    return diagnosis.label is not Label.UNKNOWN and diagnosis.confidence < QUITE_SURE


def certainty(diagnosis: Diagnosis) -> str:
    """The cause and how sure, in words: ``eval loss rises, almost certain (90 %)``."""
    if diagnosis.label is Label.UNKNOWN and not diagnosis.cause:
        return phrase("not-enough")
    sure = confidence_phrase(diagnosis.confidence)
    return phrase("cause", cause=plain_name(diagnosis.cause), sure=sure) if diagnosis.cause else sure


def unchecked_rules(diagnosis: Diagnosis) -> list[tuple[str, list[str]]]:
    """The rules that could not be evaluated, grouped by the reason: (why, rules)."""
    reasons: dict[str, list[str]] = {}
    for skipped in diagnosis.skipped:
        reasons.setdefault(text(skipped.reason), []).append(skipped.rule)
    return sorted(reasons.items(), key=lambda item: -len(item[1]))


def comparison_title(comparison: Comparison) -> str:
    """What the run is compared with, by which curve, and up to which step: ``good (eval_loss, to step 300)``."""
    about = [comparison.curve] if comparison.curve else []
    about += [phrase("to-step", step=comparison.until)] if comparison.until is not None else []
    return f"{comparison.baseline} ({', '.join(about)})" if about else comparison.baseline


def comparison_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """A comparison as (question, outcome, evidence), the outcome a dash where there is none."""
    if comparison.refused is not None:
        return [(phrase("losses"), "–", phrase("not-compared", why=text(comparison.refused)))]
    rows = [(str(answer.question), str(answer.outcome), text(answer.evidence)) for answer in comparison.answers]
    skipped = comparison.skipped.items()
    return rows + [(str(question), "–", phrase("not-compared", why=text(why))) for question, why in skipped]
