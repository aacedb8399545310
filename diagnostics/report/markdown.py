"""A diagnosis as Markdown, for a commit, a pull request or TensorBoard's text tab."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from diagnostics.chart.markup import printable
from diagnostics.formatting import SIGNS, number, percent, sentence, setting, times
from diagnostics.messages import HEADLINES, advice_action, all_notes, finding_message, summary
from diagnostics.model.curves import Run
from diagnostics.model.records import Advice, Diagnosis, Finding
from diagnostics.report.phrases import because, compared, heading, measures, span, step_of, sure, unchecked


def as_markdown(run: Run, diagnosis: Diagnosis) -> str:
    """The verdict, the findings, the advice as a table, and what could not be checked."""
    verdict = f"**{SIGNS[diagnosis.label]} {HEADLINES[diagnosis.label]}**: {cell(summary(diagnosis))}"
    parts = [f"# {cell(run.name)}", verdict, _facts(diagnosis)]
    if diagnosis.findings:
        parts += ["## What was found", listed(_finding(finding) for finding in diagnosis.findings)]
    if diagnosis.advice:
        heads = ("knob", "now", "next", "why", "what to expect", "how sure")
        parts += [f"## {heading(diagnosis.advice)}", grid(heads, [_advice(advice) for advice in diagnosis.advice])]
    if diagnosis.baseline is not None:
        rows = compared(diagnosis.baseline)
        parts += [
            f"## Against {cell(diagnosis.baseline.title)}",
            grid(("question", "this run is", "evidence"), rows),
        ]
    if diagnosis.skipped:
        reasons = (f"{cell(why)}: {', '.join(rules)}" for why, rules in unchecked(diagnosis))
        parts += ["## What could not be checked", listed(reasons)]
    known = run.settings.known()
    if known:
        parts += ["## Settings", grid(("setting", "value"), [(k, setting(k, v)) for k, v in known.items()])]
    notes = all_notes(run, diagnosis)
    if notes:
        parts += ["## Notes", listed(cell(note) for note in notes)]
    return "\n\n".join(parts) + "\n"


def _facts(diagnosis: Diagnosis) -> str:
    lines = [f"verdict: `{diagnosis.label}`", f"{'cause' if diagnosis.cause else 'how sure'}: {sure(diagnosis)}"]
    if diagnosis.best_step is not None:
        lines.append(f"best checkpoint: step {number(diagnosis.best_step)}")
    return listed(lines)


def _finding(finding: Finding) -> str:
    numbers = "; ".join(f"{name} {value}" for name, value in measures(finding))
    head = f"**{finding.rule}** ({finding.label}, {span(finding)}, {percent(finding.confidence)})"
    return f"{head}: {cell(sentence(finding_message(finding)))}" + (f" [{numbers}]" if numbers else "")


def _advice(advice: Advice) -> tuple[str, ...]:
    new = step_of(advice)
    if advice.new is not None and advice.factor:
        new += f" ({times(advice.factor)})"
    if advice.new is None and advice.factor is None:
        new = sentence(advice_action(advice))
    why, expect = because(advice, advice.because), advice.expect
    return f"`{advice.knob}`", setting(advice.knob, advice.old), new, why, expect, percent(advice.confidence)


def cell(text: object) -> str:
    """The text on one line, with what Markdown or HTML would read as a sign of its own made harmless."""
    flat = re.sub(r"\s+", " ", printable(text)).strip()
    return re.sub(r"([\\`*\[\]|#~]|(?<!\w)_|_(?!\w))", r"\\\1", flat.replace("&", "&amp;")).replace("<", "&lt;")


def listed(items: Iterable[str]) -> str:
    """A bullet list of lines that are Markdown already."""
    return "\n".join(f"- {item}" for item in items)


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells in backticks stay code, all others are made harmless."""
    lines = [f"| {' | '.join(map(cell, heads))} |", f"|{'|'.join(' --- ' for _ in heads)}|"]
    lines += [f"| {' | '.join(_cell(text) for text in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    code = len(text) > 2 and text[0] == text[-1] == "`" and "`" not in text[1:-1]
    return printable(text).replace("|", "\\|").replace("\n", " ") if code else cell(text)
