"""A diagnosis as Markdown, for a commit, a pull request or TensorBoard's text tab."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from diagnostics.chart.markup import printable
from diagnostics.formatting import SIGNS, number
from diagnostics.messages import TABLE_HEADS, phrase
from diagnostics.model.curves import Run
from diagnostics.model.methods import method_record
from diagnostics.model.records import Diagnosis
from diagnostics.report.sections import Sections, ShownAdvice, ShownFinding, sections
from diagnostics.report.sparkline import block_means, sparkline

SKETCH_WIDTH = 24


def as_markdown(run: Run, diagnosis: Diagnosis) -> str:
    """The verdict, the findings, the advice as a table, and what could not be checked."""
    shown = sections(run, diagnosis)
    verdict = f"**{SIGNS[shown.label]} {shown.headline}**: {cell(shown.summary)}"
    facts = [(phrase("fact-verdict"), f"`{shown.label}`"), *shown.facts]
    parts = [f"# {cell(shown.name)}", verdict, *_sketch(run), listed(f"{name}: {value}" for name, value in facts)]
    parts += [cell(shown.rate)] if shown.rate else []
    for heading, content in _parts(shown):
        parts += [f"## {heading}", content] if content else []
    return "\n\n".join(parts) + "\n"


def _sketch(run: Run) -> list[str]:
    """The held-out loss or reward, or that of training where there is none, as a line of blocks with its ends."""
    for name in reversed(method_record(run.settings.method).main_curves):
        curve = run.curve(name)
        if curve is not None and len(curve) > 1:
            ends = phrase("sketch", first=number(float(curve.values[0])), last=number(float(curve.values[-1])))
            return [f"`{name}` {sparkline(block_means(curve, SKETCH_WIDTH), SKETCH_WIDTH)} {cell(ends)}"]
    return []


def _parts(shown: Sections) -> Iterable[tuple[str, str]]:
    """The headings and what stands below each, empty where there is nothing."""
    yield phrase("findings"), listed(map(_finding, shown.findings))
    yield shown.advice_heading, _table("advice", map(_advice, shown.advice))
    yield cell(shown.comparison_heading), _table("comparison", shown.comparison)
    yield phrase("unchecked"), listed(f"{cell(why)}: {', '.join(rules)}" for why, rules in shown.unchecked)
    yield phrase("settings"), _table("settings", shown.settings)
    yield phrase("notes"), listed(map(cell, shown.notes))


def _table(name: str, rows: Iterable[Sequence[str]]) -> str:
    rows = list(rows)
    return grid(TABLE_HEADS[name], rows) if rows else ""


def _finding(finding: ShownFinding) -> str:
    numbers = "; ".join(f"{name} {value}" for name, value in finding.measured)
    head = f"**{finding.rule}** ({finding.label}, {finding.where}, {finding.percent})"
    return f"{head}: {cell(finding.says)}" + (f" [{numbers}]" if numbers else "")


def _advice(advice: ShownAdvice) -> tuple[str, ...]:
    beside = "; ".join(filter(None, (advice.factor, advice.usual)))
    new = f"{advice.next} ({beside})" if beside else advice.next
    return (
        f"`{advice.knob}`",
        advice.now or "–",
        new if advice.has_value else advice.action,
        advice.reason(advice.rule),
        advice.expect,
        advice.percent,
    )


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
