"""A diagnosis for the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnostics.chart.markup import printable
from diagnostics.formatting import SIGNS, number, percent, sentence, setting, times
from diagnostics.messages import HEADLINES, all_notes, finding_message, skipped_reason, summary
from diagnostics.model.comparison import Comparison
from diagnostics.model.curves import Run
from diagnostics.model.records import Advice, Diagnosis, Finding, Label
from diagnostics.report.phrases import because, compared, in_words, measures, span, step_of, sure

if TYPE_CHECKING:
    from rich.console import RenderableType

COLORS: Mapping[Label, str] = {
    Label.BROKEN: "red",
    Label.UNSTABLE: "yellow",
    Label.OVERFIT: "magenta",
    Label.UNDERFIT: "blue",
    Label.HEALTHY: "green",
    Label.UNKNOWN: "bright_black",
}
PLAIN_WIDTH = 110
MOST_NOTES = 6


@dataclass(frozen=True, eq=False)
class TextReport:
    """A diagnosis that prints itself: in color through a rich console, plain through ``print`` and ``str``."""

    run: Run
    diagnosis: Diagnosis

    def __rich__(self) -> RenderableType:
        """What a rich console prints."""
        from rich.console import Group

        return Group(*_lines(self.run, self.diagnosis))

    def __str__(self) -> str:
        """The same without color."""
        from rich.console import Console

        page = io.StringIO()
        Console(file=page, no_color=True, width=PLAIN_WIDTH, highlight=False, color_system=None).print(self)
        return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def as_text(run: Run, diagnosis: Diagnosis) -> TextReport:
    """The diagnosis for a terminal: print it with rich for color, or take its ``str``."""
    return TextReport(run, diagnosis)


def _lines(run: Run, diagnosis: Diagnosis) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    color = f"bold {COLORS[diagnosis.label]}"
    verdict = f"{SIGNS[diagnosis.label]} {diagnosis.label}"
    yield Text.assemble((verdict, color), "  ", (printable(run.name), "bold"))
    yield Padding(Text(f"{HEADLINES[diagnosis.label]}: {sure(diagnosis)}"), (0, 0, 0, 2))
    if not diagnosis.findings:
        yield Padding(Text(summary(diagnosis)), (0, 0, 0, 2))
    for finding in diagnosis.findings:
        yield Padding(_finding(finding), (1, 0, 0, 2))
    if diagnosis.best_step is not None:
        yield Padding(Text(f"best checkpoint: step {number(diagnosis.best_step)}"), (1, 0, 0, 2))
    if diagnosis.advice:
        yield Padding(_advice(diagnosis.advice), (1, 0, 0, 2))
    if diagnosis.baseline is not None:
        yield Padding(Text(_against(diagnosis.baseline)), (1, 0, 0, 2))
    if diagnosis.skipped:
        yield Padding(Text(_skipped(diagnosis), style="bright_black"), (1, 0, 0, 2))
    if notes := (all_notes(run, diagnosis)):
        yield Padding(Text(_notes(notes), style="bright_black"), (1, 0, 0, 2))
    yield Text()


def _finding(finding: Finding) -> RenderableType:
    from rich.text import Text

    numbers = ", ".join(f"{name} {value}" for name, value in measures(finding))
    return Text.assemble(
        (finding.rule, COLORS[finding.label]),
        f"  {span(finding)}\n{printable(sentence(finding_message(finding)))}",
        (f"\n{numbers}" if numbers else "", "bright_black"),
    )


def _advice(advice: Iterable[Advice]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for head in ("change", "now", "next", "", "why", "sure"):
        table.add_column(head, justify="right" if head in ("now", "next", "sure") else "left")
    for one in advice:
        wordy = one.new is None and not one.factor
        new = "" if wordy else step_of(one)
        factor = times(one.factor) if one.new is not None else ""
        why = because(one, in_words(one) if wordy else one.because)
        cells = (one.knob, setting(one.knob, one.old), new, factor, why, percent(one.confidence))
        table.add_row(*(Text(printable(text)) for text in cells))
    return table


def _against(comparison: Comparison) -> str:
    lines = [f"against {comparison.title}"]
    lines += [f"{verdict:<7}{question}: {words}" for question, verdict, words in compared(comparison)]
    return printable("\n".join(lines))


def _notes(notes: Sequence[str]) -> str:
    more = [f"and {len(notes) - MOST_NOTES} more notes: see --md or --json"] if len(notes) > MOST_NOTES else []
    return "\n".join(f"note: {printable(note)}" for note in notes[:MOST_NOTES]) + "".join(f"\n{line}" for line in more)


def _skipped(diagnosis: Diagnosis) -> str:
    count = len(diagnosis.skipped)
    reasons = list(dict.fromkeys(printable(skipped_reason(skipped)) for skipped in diagnosis.skipped))
    more = f"; and {len(reasons) - 3} more reasons" if len(reasons) > 3 else ""
    return f"{count} rule{'s' if count > 1 else ''} could not be asked: {'; '.join(reasons[:3])}{more}"
