"""A diagnosis for the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnostics.chart.markup import printable
from diagnostics.formatting import SIGNS
from diagnostics.messages import TABLE_HEADS, phrase
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report.sections import Sections, ShownAdvice, ShownFinding, sections

if TYPE_CHECKING:
    from rich.console import JustifyMethod, RenderableType

COLORS: Mapping[Label, str] = {
    Label.BROKEN: "red",
    Label.UNSTABLE: "yellow",
    Label.OVERFIT: "magenta",
    Label.UNDERFIT: "blue",
    Label.HEALTHY: "green",
    Label.UNKNOWN: "bright_black",
}
PLAIN_WIDTH = 110
MAX_NOTES = 6
MAX_REASONS = 3
ADVICE_SIDES: tuple[JustifyMethod, ...] = ("left", "right", "right", "left", "left", "right")
"""How the columns of the advice are set."""


@dataclass(frozen=True, eq=False)
class TextReport:
    """A diagnosis that prints itself: in color through a rich console, plain through ``print`` and ``str``."""

    run: Run
    diagnosis: Diagnosis

    def __rich__(self) -> RenderableType:
        """What a rich console prints."""
        from rich.console import Group

        return Group(*_lines(sections(self.run, self.diagnosis)))

    def __str__(self) -> str:
        """The same without color."""
        from rich.console import Console

        page = io.StringIO()
        Console(file=page, no_color=True, width=PLAIN_WIDTH, highlight=False, color_system=None).print(self)
        return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def as_text(run: Run, diagnosis: Diagnosis) -> TextReport:
    """The diagnosis for a terminal: print it with rich for color, or take its ``str``."""
    return TextReport(run, diagnosis)


def _lines(shown: Sections) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    verdict = f"{SIGNS[shown.label]} {shown.label}"
    yield Text.assemble((verdict, f"bold {COLORS[shown.label]}"), "  ", (printable(shown.name), "bold"))
    yield Padding(Text(f"{shown.short_headline}: {shown.certainty}"), (0, 0, 0, 2))
    if not shown.findings:
        yield Padding(Text(shown.summary), (0, 0, 0, 2))
    for block in _blocks(shown):
        yield Padding(block, (1, 0, 0, 2))
    yield Text()


def _blocks(shown: Sections) -> Iterator[RenderableType]:
    """What stands below the verdict, one block a section."""
    from rich.text import Text

    yield from map(_finding, shown.findings)
    best = phrase("fact-best-checkpoint")
    yield from (Text(f"{name}: {value}") for name, value in shown.facts if name == best)
    if shown.advice:
        yield _advice(shown.advice)
    if shown.comparison:
        yield Text(_comparison(shown))
    if shown.unchecked:
        yield Text(_unchecked(shown), style="bright_black")
    if shown.notes:
        yield Text(_notes(shown.notes), style="bright_black")


def _finding(finding: ShownFinding) -> RenderableType:
    from rich.text import Text

    numbers = ", ".join(f"{name} {value}" for name, value in finding.measured)
    return Text.assemble(
        (finding.rule, COLORS[finding.label]),
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
        why = f"{one.reason(why)} ({one.usual})" if one.usual else one.reason(why)
        cells = (one.knob, one.now or "–", new, one.factor, why, one.percent)
        table.add_row(*(Text(printable(text)) for text in cells))
    return table


def _comparison(shown: Sections) -> str:
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
