"""What ``--verbose`` adds to a diagnosis in the terminal: findings with their measures, all advice, skips, notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from diagnostics.chart.markup import printable
from diagnostics.messages import TABLE_HEADS, phrase
from diagnostics.model.rate_estimate import RateEstimate
from diagnostics.report.gauge import gauge_line
from diagnostics.report.sections import Sections, ShownAdvice, ShownFinding
from diagnostics.report.terminal_curve import LABEL_COLORS

if TYPE_CHECKING:
    from rich.console import JustifyMethod, RenderableType

MAX_NOTES = 6
MAX_REASONS = 3
ADVICE_SIDES: tuple[JustifyMethod, ...] = ("left", "right", "right", "left", "left", "right")
"""How the columns of the advice are set."""


def details(shown: Sections, estimate: RateEstimate | None = None) -> Iterator[RenderableType]:
    """The details of a diagnosis, one block a section."""
    from rich.text import Text

    yield from map(_finding, shown.findings)
    best = phrase("fact-best-checkpoint")
    yield from (Text(f"{name}: {value}") for name, value in shown.facts if name == best)
    if shown.rate and estimate is not None:
        yield Text(f"{gauge_line(estimate)}\n{shown.rate}")
    if shown.advice:
        yield _advice(shown.advice)
    if shown.unchecked:
        yield Text(_unchecked(shown), style="bright_black")
    if shown.notes:
        yield Text(_notes(shown.notes), style="bright_black")


def _finding(finding: ShownFinding) -> RenderableType:
    from rich.text import Text

    numbers = ", ".join(f"{name} {value}" for name, value in finding.measured)
    return Text.assemble(
        (finding.rule, LABEL_COLORS[finding.label]),
        f"  {finding.where}\n{printable(finding.says)}",
        (f"\n{numbers}" if numbers else "", "bright_black"),
    )


def _advice(advice: Iterable[ShownAdvice]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for head, side in zip(TABLE_HEADS["advice-in-terminal"], ADVICE_SIDES, strict=True):
        table.add_column(head, justify=side)
    for one in advice:
        new, why = (one.next, one.rule) if one.has_value else ("", one.action)
        factor = f"{one.factor} ({one.usual})" if one.usual else one.factor
        cells = (one.knob, one.now or "–", new, factor, one.reason(why), one.percent)
        table.add_row(*(Text(printable(text)) for text in cells))
    return table


def comparison(shown: Sections) -> str:
    """The answers of a comparison with a baseline, one a line below its heading."""
    rows = (f"{outcome:<7}{question}: {words}" for question, outcome, words in shown.comparison)
    return printable("\n".join([shown.comparison_heading, *rows]))


def _notes(notes: Sequence[str]) -> str:
    lines = [phrase("note", note=printable(note)) for note in notes[:MAX_NOTES]]
    hidden = len(notes) - MAX_NOTES
    return "\n".join([*lines, *([phrase("more-notes", count=hidden)] if hidden > 0 else [])])


def _unchecked(shown: Sections) -> str:
    reasons = [printable(why) for why, _ in shown.unchecked]
    hidden = len(reasons) - MAX_REASONS
    more = [phrase("more-reasons", count=hidden)] if hidden > 0 else []
    rules = phrase("rules", count=shown.unchecked_count)
    return phrase("unchecked-line", rules=rules, reasons="; ".join([*reasons[:MAX_REASONS], *more]))
