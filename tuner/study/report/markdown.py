"""The report of a study as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from diagnostics.chart.markup import printable
from diagnostics.report.markdown import cell, grid, listed
from tuner.messages.en import HEADS, TITLES
from tuner.study.report.beside import Beside
from tuner.study.report.sections import NOTHING, ShownAnswers, ShownPoint, ShownTrial, sections
from tuner.study.report.tables import Table
from tuner.study.report.words import report_phrase
from tuner.study.results import StudyResult


def as_markdown(result: StudyResult, found: Beside = NOTHING) -> str:
    """What came out, how the search went, the proof, and what to do next."""
    shown = sections(result, found)
    versions = ", ".join(f"{cell(name)} {cell(one)}" for name, one in shown.versions)
    parts = [
        f"# {TITLES['study'].format(name=cell(shown.name))}",
        f"**{cell(shown.headline)}.** {cell(shown.lead)}",
        *([f"**{cell(shown.doubt)}**"] if shown.doubt else []),
        listed(f"{name}: {cell(value)}" for name, value in shown.facts),
        *_table(shown.settings, code=True),
        *_titled("answers", _answers(shown.answers) if shown.answers else []),
        *_titled("metrics", _table(shown.metrics)),
        *_titled("gains", _table(shown.gains)),
        *_titled("trials", [grid(shown.trial_heads, map(_trial, shown.trials))]),
        *_titled("proof", _table(shown.proof)),
        *_titled("price", _table(shown.price)),
        *_titled("records", _table(shown.records)),
        *_titled("review", [part for point in shown.review for part in _point(point)]),
        *_titled("winner-file", [_code("yaml", shown.winner_file)] if shown.winner_file else []),
        *_titled(
            "next",
            [_code("sh", shown.shell), *([_code("python", shown.python)] if shown.python else [])]
            if shown.shell
            else [],
        ),
        *_titled("space", _table(Table((HEADS["setting"], HEADS["values"]), shown.space), code=True)),
        *_titled("notes", [listed(map(cell, shown.notes))] if shown.notes else []),
        *([f"{TITLES['versions']}: {versions}"] if versions else []),
    ]
    return "\n\n".join(parts) + "\n"


def _titled(title: str, parts: Iterable[str]) -> list[str]:
    """A section with its title; nothing without content."""
    known = list(parts)
    return [f"## {TITLES[title]}", *known] if known else []


def _answers(shown: ShownAnswers) -> list[str]:
    """The answers that became right, as a table."""
    heads = (HEADS["question"], HEADS["answer-before"], HEADS["answer-after"])
    rows = [(pair.question, pair.before or "–", pair.after) for pair in shown.fixed]
    return [cell(shown.count), *([grid(heads, rows)] if rows else [])]


def _table(shown: Table | None, *, code: bool = False) -> list[str]:
    """A table with the words before it; ``code`` sets the first column as code."""
    if shown is None or not shown.rows:
        return []
    rows = [(f"`{name}`" if code else name, *values) for name, *values in shown.rows]
    return [*([cell(shown.words)] if shown.words else []), grid(shown.heads, rows)]


def _trial(trial: ShownTrial) -> tuple[str, ...]:
    name = report_phrase("best-trial", trial=trial.number) if trial.is_best else f"{trial.number}"
    verdict = ", ".join(filter(None, (trial.label, *trial.remarks)))
    moved = ", ".join(f"{knob} {old} → {new}" for knob, old, new in trial.moves) or trial.unmoved
    return name, trial.value, verdict, moved, ". ".join(filter(None, (trial.proposer, trial.why)))


def _point(point: ShownPoint) -> list[str]:
    return [f"### {cell(point.title)}", cell(point.text), *([_code("yaml", point.yaml)] if point.yaml else [])]


def _code(language: str, text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{printable(text).rstrip()}\n{fence}"
