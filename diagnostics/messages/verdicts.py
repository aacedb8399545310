"""A diagnosis in words: findings, advice, skipped rules, notes, and the one sentence that sums it up."""

from __future__ import annotations

from collections.abc import Iterable

from diagnostics.formatting import number, plain_name, sentence, setting
from diagnostics.messages.catalog import filled, phrase, text
from diagnostics.messages.language import words
from diagnostics.model.curves import Run
from diagnostics.model.message import Message
from diagnostics.model.records import Advice, Diagnosis, Finding, Label, Skipped

REASONS = ("looks-slow", "looks-hot", "looks-overfit", "looks-ill-so-far", "start-not-logged")
"""Notes that say why there is no verdict."""


def finding_message(finding: Finding) -> str:
    """What the finding says: its rule's template with what was measured; the rule's name where there is no template."""
    template = words.RULES.get(finding.rule, {}).get("message", finding.template)
    return filled(template, finding.measured) if template else plain_name(finding.rule)


def advice_action(advice: Advice) -> str:
    """What the advice says to do, with the numbers that it advises: ``use half the learning rate``."""
    template = words.RULES.get(advice.because, {}).get(advice.fix, advice.fix)
    return fix_in_words(template, advice.nominal, advice.new)


def fix_in_words(template: str, factor: float | None, new: float | str | None) -> str:
    """The description of a fix with its factor and its new value."""
    return filled(template, {"factor": factor, "new": new})


def usual_range(advice: Advice) -> str:
    """The range in which the knob usually lies, for the method of the run; empty where it is not known."""
    if advice.usual is None:
        return ""
    low, high = (setting(advice.knob, value) for value in advice.usual)
    return phrase("usual", low=low, high=high)


def advice_line(advice: Advice) -> str:
    """The advice in a line: knob, old and new value, factor, and what to do."""
    if advice.new is None:
        return advice_action(advice)
    values = [setting(advice.knob, value) for value in (advice.old, advice.new) if value is not None]
    factor = f"×{number(float(f'{advice.nominal:.2g}'))}" if advice.nominal else ""
    beside = "; ".join(filter(None, (factor, usual_range(advice))))
    arrow = " → ".join(values) if advice.old is not None else f"→ {values[0]}"
    return f"{advice.knob} {arrow}{f' ({beside})' if beside else ''}: {advice_action(advice)}"


def skipped_reason(skipped: Skipped) -> str:
    """Why the rule could not be evaluated."""
    return text(skipped.reason)


def notes_of(notes: Iterable[Message]) -> tuple[str, ...]:
    """Notes as sentences, none of them twice."""
    return tuple(dict.fromkeys(text(note) for note in notes))


def all_notes(run: Run, diagnosis: Diagnosis) -> tuple[str, ...]:
    """The notes on the log and on its diagnosis as sentences, none of them twice."""
    return tuple(dict.fromkeys((*notes_of(run.notes), *diagnosis_notes(diagnosis))))


def diagnosis_notes(diagnosis: Diagnosis) -> tuple[str, ...]:
    """The notes of a diagnosis as sentences: the run's own, kinds of fault that were not checked, a borderline rule."""
    found = [*notes_of(diagnosis.notes)]
    found += [phrase("not-checked", label=str(kind.label), reason=text(kind.reason)) for kind in diagnosis.unchecked]
    if diagnosis.borderline is not None:
        near = diagnosis.borderline
        found.append(phrase("nearly", label=str(near.label), message=finding_message(near)))
    return tuple(dict.fromkeys(found))


def summary(diagnosis: Diagnosis) -> str:
    """One sentence for the verdict: what its own finding says, or that there is none."""
    named = next((finding for finding in diagnosis.findings if finding.rule == diagnosis.cause), None)
    if named is not None:
        return sentence(finding_message(named))
    if diagnosis.label is Label.HEALTHY and diagnosis.borderline is not None:
        near = diagnosis.borderline
        return sentence(phrase("summary-borderline", label=str(near.label), message=finding_message(near)))
    if diagnosis.findings:
        message = finding_message(diagnosis.findings[0])
        if diagnosis.label is Label.HEALTHY:
            return sentence(phrase("summary-findings-only", message=sentence(message)))
        return f"{sentence(message)} {_not_known(diagnosis)}"
    return phrase("summary-nothing-found") if diagnosis.label is Label.HEALTHY else _not_known(diagnosis)


def _not_known(diagnosis: Diagnosis) -> str:
    """What keeps a run from being judged, as far as one reason is known."""
    reason = next((note for note in diagnosis.notes if note.code in REASONS), None)
    if reason is not None:
        return sentence(text(reason))
    missing = next((kind for kind in diagnosis.unchecked if kind.label is not Label.OVERFIT), None)
    return phrase("summary-not-checked", reason=text(missing.reason)) if missing else phrase("summary-nothing-known")
