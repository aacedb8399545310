"""What a report on a run says, section by section and in order, as text that each format only sets."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.formatting import number, percent, plain_name, sentence, setting, times
from diagnostics.messages import (
    advice_heading,
    advice_sentence,
    all_notes,
    certainty,
    comparison_rows,
    comparison_title,
    confidence_phrase,
    finding_message,
    measures,
    next_value,
    phrase,
    rate_words,
    steps_of,
    summary,
    unchecked_rules,
    usual_range,
    weighed_headline,
)
from diagnostics.model.curves import Run
from diagnostics.model.records import Advice, Diagnosis, Finding, Label

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ShownFinding:
    """A finding: its rule, where it shows, what it says, what was measured, and how sure."""

    rule: str
    label: Label
    where: str
    says: str
    measured: Pairs
    percent: str
    confidence: str


@dataclass(frozen=True)
class ShownAdvice:
    """A row of advice; ``now`` and ``factor`` are empty where unknown, ``has_value`` is False for advice in words.

    ``rule`` is the rule behind it.
    """

    knob: str
    now: str
    next: str
    factor: str
    action: str
    usual: str
    rule: str
    optional: bool
    expect: str
    percent: str
    confidence: str
    has_value: bool

    def reason(self, words: str) -> str:
        """The reason in the words given for it, and whether the advice is an option only."""
        return phrase("optional", rule=words) if self.optional else words


@dataclass(frozen=True)
class Sections:
    """The content of a report on one run; a section without content is empty. ``rate`` says where that stands."""

    name: str
    label: Label
    headline: str
    summary: str
    cause: str
    percent: str
    certainty: str
    facts: Pairs
    rate: str
    findings: tuple[ShownFinding, ...]
    advice_heading: str
    advice: tuple[ShownAdvice, ...]
    comparison_heading: str
    comparison: tuple[tuple[str, str, str], ...]
    unchecked: tuple[tuple[str, tuple[str, ...]], ...]
    unchecked_count: int
    settings: Pairs
    notes: tuple[str, ...]


def sections(run: Run, diagnosis: Diagnosis) -> Sections:
    """What there is to say of a run and its diagnosis."""
    baseline = diagnosis.baseline
    return Sections(
        name=run.name,
        label=diagnosis.label,
        headline=weighed_headline(diagnosis),
        summary=summary(diagnosis),
        cause=plain_name(diagnosis.cause) if diagnosis.cause else "",
        percent=percent(diagnosis.confidence) if diagnosis.label is not Label.UNKNOWN else "",
        certainty=certainty(diagnosis),
        facts=_facts(diagnosis),
        rate=rate_words(diagnosis),
        findings=tuple(map(_finding, diagnosis.findings)),
        advice_heading=advice_heading(diagnosis.advice),
        advice=tuple(map(_advice, diagnosis.advice)),
        comparison_heading=phrase("against", baseline=comparison_title(baseline)) if baseline else "",
        comparison=tuple(comparison_rows(baseline)) if baseline else (),
        unchecked=tuple((why, tuple(rules)) for why, rules in unchecked_rules(diagnosis)),
        unchecked_count=len(diagnosis.skipped),
        settings=tuple((name, setting(name, value)) for name, value in run.settings.known().items()),
        notes=all_notes(run, diagnosis),
    )


def _facts(diagnosis: Diagnosis) -> Pairs:
    """The verdict in numbers: the cause, how sure, the best checkpoint, how much could not be checked."""
    best, skipped = diagnosis.best_step, len(diagnosis.skipped)
    known = diagnosis.label is not Label.UNKNOWN
    facts = (
        (phrase("fact-cause"), plain_name(diagnosis.cause) if diagnosis.cause else ""),
        (phrase("fact-confidence"), confidence_phrase(diagnosis.confidence) if known else ""),
        (phrase("fact-best-checkpoint"), "" if best is None else phrase("step", step=number(best))),
        (phrase("fact-unchecked"), phrase("rules", count=skipped) if skipped else ""),
    )
    return tuple((name, value) for name, value in facts if value)


def _finding(finding: Finding) -> ShownFinding:
    return ShownFinding(
        rule=finding.rule,
        label=finding.label,
        where=steps_of(finding),
        says=sentence(finding_message(finding)),
        measured=tuple(measures(finding)),
        percent=percent(finding.confidence),
        confidence=confidence_phrase(finding.confidence),
    )


def _advice(advice: Advice) -> ShownAdvice:
    return ShownAdvice(
        knob=advice.knob,
        now="" if advice.old is None else setting(advice.knob, advice.old),
        next=next_value(advice),
        factor=times(advice.nominal or advice.factor) if advice.new is not None else "",
        action=advice_sentence(advice),
        usual=usual_range(advice),
        rule=advice.because,
        optional=advice.optional,
        expect=advice.expect,
        percent=percent(advice.confidence),
        confidence=confidence_phrase(advice.confidence),
        has_value=advice.new is not None or bool(advice.factor),
    )
