"""A diagnosis for the terminal: the curve, the verdict, what to do now and what to change; details where wanted."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnostics.chart.build import chart
from diagnostics.chart.markup import printable
from diagnostics.formatting import SIGNS, number, plain_name, sentence
from diagnostics.messages import confidence_words, is_tentative, phrase, text
from diagnostics.model.curves import Run
from diagnostics.model.methods import method_record
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report.sections import Sections, ShownAdvice, sections
from diagnostics.report.terminal_curve import LABEL_COLORS, curve_lines
from diagnostics.report.terminal_details import comparison, details
from diagnostics.rules import RULES

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

PLAIN_WIDTH = 110
LOST = ("records-damaged", "last-record-cut", "lines-skipped", "cells-skipped")
"""Notes on what of a log could not be read: what is missing may be why there is no verdict."""
MAX_NAMES = 3
"""Curves and settings that are named as not logged; the rest is counted."""
CHECKPOINT = "checkpoint"
NOT_SETTINGS = (CHECKPOINT, "data", "eval_set")
"""What advice may be about beside the settings of a run."""


@dataclass(frozen=True, eq=False)
class TextReport:
    """A diagnosis that prints itself: through a rich console, or plain through ``print`` and ``str``.

    A terminal gets the curve as well. ``verbose`` adds the details; otherwise ``more`` says how to get them.
    """

    run: Run
    diagnosis: Diagnosis
    verbose: bool = False
    more: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """What a rich console prints."""
        from rich.padding import Padding
        from rich.text import Text

        shown = sections(self.run, self.diagnosis)
        if console.is_terminal:
            width, plain = options.max_width, options.ascii_only
            yield from curve_lines(chart(self.run, self.diagnosis), self.diagnosis.cause, width, ascii_only=plain)
        yield _verdict(shown, self.run, self.diagnosis)
        yield from (Padding(line, (0, 0, 0, 2)) for line in _brief(shown, self.diagnosis))
        if shown.comparison:
            yield Padding(Text(comparison(shown)), (1, 0, 1, 2))
        if self.verbose:
            yield from (Padding(block, (1, 0, 0, 2)) for block in details(shown, self.diagnosis.rate))
        elif self.diagnosis.skipped:
            line = f"{_skipped(self.run, self.diagnosis)} {self.more}"
            yield Padding(Text(line.rstrip(), style="bright_black"), (0, 0, 0, 2))
        yield Text()

    def __str__(self) -> str:
        """The same without color and without the curve."""
        return plain_text(self, PLAIN_WIDTH)


def as_text(run: Run, diagnosis: Diagnosis, *, verbose: bool = False, more: str = "") -> TextReport:
    """The diagnosis for a terminal: print it with rich for color, or take its ``str``."""
    return TextReport(run, diagnosis, verbose, more)


def plain_text(content: RenderableType, width: int) -> str:
    """What a console that is not a terminal would print, without spaces at the ends of lines."""
    from rich.console import Console

    page = io.StringIO()
    Console(file=page, no_color=True, width=width, highlight=False, color_system=None, force_terminal=False).print(
        content
    )
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines())


def _verdict(shown: Sections, run: Run, diagnosis: Diagnosis) -> Text:
    """The verdict in a line: label, run, how sure, and what a healthy run was not checked for."""
    from rich.text import Text

    gap = _unchecked_overfit(run, diagnosis)
    label = phrase("as-far-as-seen", label=str(shown.label)) if gap else str(shown.label)
    sure = phrase("sure", percent=shown.percent) if shown.percent else ""
    if is_tentative(diagnosis):
        sure += f", {confidence_words(diagnosis.confidence)}"
    return Text.assemble(
        (f"{SIGNS[shown.label]} {label}", f"bold {LABEL_COLORS[shown.label]}"),
        "  ",
        (printable(shown.name), "bold"),
        f"  {sure}" if sure else "",
        f" ({gap})" if gap else "",
    )


def _unchecked_overfit(run: Run, diagnosis: Diagnosis) -> str:
    """What is said of a healthy run that could not be checked for overfitting; empty for others."""
    unchecked = {kind.label for kind in diagnosis.unchecked}
    if diagnosis.label is not Label.HEALTHY or Label.OVERFIT not in unchecked:
        return ""
    held_out = method_record(run.settings.method).main_curves[1]
    if held_out in run.curves:
        return phrase("held-out-few")
    return phrase("held-out-missing", curve=plain_name(held_out))


def _brief(shown: Sections, diagnosis: Diagnosis) -> Iterator[Text]:
    """The sentence behind the verdict, what to do now, and what to change for the next run."""
    from rich.text import Text

    yield Text(printable(shown.summary))
    if diagnosis.label is Label.UNKNOWN:
        yield from (Text(printable(sentence(text(note)))) for note in diagnosis.notes if note.code in LOST)
    if shown.rate and diagnosis.rate is not None and any(map(diagnosis.rate.tells, RateSide)):
        yield Text(printable(shown.rate))
    action, changes = to_do(shown, diagnosis)
    if action:
        yield _with_bold_head(phrase("do-this", action=printable(action)))
    if changes:
        optional = all(one.optional for one in shown.advice)
        yield _with_bold_head(phrase("worth-a-try" if optional else "next-run", changes=printable(changes)))


def _with_bold_head(line: str) -> Text:
    from rich.text import Text

    head, colon, rest = line.partition(":")
    return Text.assemble((head + colon, "bold"), rest)


def to_do(shown: Sections, diagnosis: Diagnosis) -> tuple[str, str]:
    """What to do now, and which one or two settings to change, each with its values; empty where there is no advice."""
    settings = [one for one in shown.advice if one.has_value][:2]
    first = [change(one) for one in settings]
    changes = phrase("or", one=first[0], other=first[1]) if len(first) > 1 else "".join(first)
    return _action(shown.advice, diagnosis), changes


def _action(advice: Sequence[ShownAdvice], diagnosis: Diagnosis) -> str:
    if diagnosis.label is Label.HEALTHY and all(one.optional for one in advice):
        return phrase("nothing-has-to-change" if any(one.has_value for one in advice) else "nothing-to-fix")
    best = diagnosis.best_step
    if best is not None and any(one.knob == CHECKPOINT for one in advice):
        return phrase("use-checkpoint", step=number(best))
    words = next((one for one in advice if not one.has_value), None)
    wanted = words is not None and (words is advice[0] or not any(one.has_value for one in advice))
    return words.action[:1].lower() + words.action[1:] if words is not None and wanted else ""


def change(advice: ShownAdvice) -> str:
    """A change with its values: ``learning_rate 1e-4 → 3e-5 (×0.3)``, or ``learning_rate ×0.3``."""
    if advice.now:
        beside = "; ".join(filter(None, (advice.factor, advice.usual)))
        return f"{advice.knob} {advice.now} → {advice.next}{f' ({beside})' if beside else ''}"
    return f"{advice.knob} {advice.next}" if advice.next.startswith("×") else f"{advice.knob} → {advice.next}"


def _skipped(run: Run, diagnosis: Diagnosis) -> str:
    """How many checks were skipped, and which curves and settings were missing most often."""
    total = max(sum(rule.applies_to(run.settings.method) for rule in RULES), len(diagnosis.skipped))
    missing: Counter[str] = Counter()
    for skipped in diagnosis.skipped:
        values = skipped.reason.values
        missing.update(str(values.get("curves") or values.get("settings") or "").split(", "))
    known = {"", *run.curves, *run.settings.known()}
    names = [name for name, _ in missing.most_common() if name not in known]
    listed = ", ".join(names[:MAX_NAMES])
    if len(names) > MAX_NAMES:
        listed = phrase("and-more", names=listed, count=len(names) - MAX_NAMES)
    logged = phrase("not-logged", names=listed) if listed else ""
    return phrase("checks-skipped", skipped=len(diagnosis.skipped), total=total, logged=logged)
