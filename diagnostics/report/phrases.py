"""Numbers, labels and certainty in the words that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagnostics.diagnosis.diagnose import NEARLY
from diagnostics.formatting import number, percent, plain_name, sentence, setting, times
from diagnostics.model.comparison import Comparison
from diagnostics.model.records import Advice, Diagnosis, Finding, Label

HEADLINES: Mapping[Label, str] = {
    Label.BROKEN: "The log or the data is broken",
    Label.UNSTABLE: "Training is unstable",
    Label.OVERFIT: "The model overfits",
    Label.UNDERFIT: "The model underfits",
    Label.HEALTHY: "The run looks healthy",
    Label.UNKNOWN: "No verdict",
}


CERTAINTY = ((0.85, "almost certain"), (0.65, "quite sure"), (0.45, "more likely than not"), (0.0, "a hunch"))


def certainty(confidence: float) -> str:
    """How sure, in words."""
    return next((words for limit, words in CERTAINTY if confidence >= limit), CERTAINTY[-1][1])


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


def summary(diagnosis: Diagnosis) -> str:
    """One sentence for the verdict: what its own finding says, or that there is none."""
    named = [finding for finding in diagnosis.findings if finding.rule == diagnosis.cause]
    if named:
        return sentence(named[0].message)
    near = next((note for note in diagnosis.notes if note.startswith(NEARLY)), None)
    if diagnosis.label is Label.HEALTHY and near:
        return sentence(f"No fault, but {near}")
    if diagnosis.label is Label.HEALTHY and diagnosis.findings:
        return f"No fault that decides the verdict. Worth a look: {sentence(diagnosis.findings[0].message)}"
    if diagnosis.label is Label.HEALTHY:
        return "None of the checks that this log allows found a fault."
    if diagnosis.findings:
        return sentence(diagnosis.findings[0].message)
    return "This log does not hold enough to judge the run."


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
    head, _, rest = advice.message.partition(": ")
    return sentence(rest if rest and head.startswith(advice.knob) else advice.message)


def sure(diagnosis: Diagnosis) -> str:
    """The cause and how sure, in words: ``eval loss rises, almost certain (90 %)``."""
    if diagnosis.label is Label.UNKNOWN and not diagnosis.cause:
        return "not enough to go by"
    words = f"{certainty(diagnosis.confidence)} ({percent(diagnosis.confidence)})"
    return f"{plain_name(diagnosis.cause)}, {words}" if diagnosis.cause else words


def unchecked(diagnosis: Diagnosis) -> list[tuple[str, list[str]]]:
    """The rules that could not be asked, grouped by the reason: (why, rules)."""
    reasons: dict[str, list[str]] = {}
    for skipped in diagnosis.skipped:
        reasons.setdefault(skipped.why, []).append(skipped.rule)
    return sorted(reasons.items(), key=lambda item: -len(item[1]))
