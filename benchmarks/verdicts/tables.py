"""The figures as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.verdicts.cases import Case
from benchmarks.verdicts.reliability import bins, calibration_error
from benchmarks.verdicts.scores import LABELS, confusion, f1, intervals, pairs_of, score

WIDE = 34


def scores(title: str, cases: Sequence[Case], *, ranges: bool = True) -> Iterator[str]:
    """A set's scores in a line, their intervals over sources, and F1 by label."""
    of = score(pairs_of(cases))
    yield (
        f"{title:<{WIDE}}{of['runs']:>4.0f} runs  accuracy {of['accuracy']:.3f}  macro-F1 {of['macro_f1']:.3f}"
        f"  false alarms {of['false_alarms']:.1%}"
    )
    if ranges:
        low_high = intervals(cases)
        parts = [f"{name} {low_high[key][0]:.2f} to {low_high[key][1]:.2f}" for key, name in NAMES.items()]
        yield f"{'':<{WIDE}}95 % over sources: {', '.join(parts)}"
    by = "  ".join(f"{label} {f1(pairs_of(cases), label):.3f}" for label in LABELS)
    yield f"{'':<{WIDE}}F1: {by}"


NAMES: Mapping[str, str] = {"accuracy": "accuracy", "macro_f1": "macro-F1", "false_alarms": "false alarms"}


def in_a_line(name: str, cases: Iterable[Case]) -> str:
    """Macro-F1, accuracy and false alarms of a set, under a head of those names."""
    of = score(pairs_of(cases))
    return f"{name:<{WIDE}}{of['macro_f1']:.3f}      {of['accuracy']:.3f}      {of['false_alarms']:.1%}"


def confused(cases: Sequence[Case]) -> Iterator[str]:
    """Rows: the label; columns: what was said."""
    table = confusion(pairs_of(cases))
    said = [*LABELS, *sorted({what for _, what in table} - set(LABELS))]
    yield f"{'label / said':<14}" + "".join(f"{name:>10}" for name in said)
    for label in LABELS:
        yield f"{label:<14}" + "".join(f"{table.get((label, name), 0):>10}" for name in said)


def reliability(title: str, cases: Sequence[Case]) -> Iterator[str]:
    """How often the verdict was right, by how sure it was."""
    yield f"{title} (expected calibration error {calibration_error(cases):.3f})"
    yield "confidence      runs   mean   right"
    for part in bins(cases):
        name = f"{part.low:g} to {part.high:g}"
        yield f"{name:<13}{part.count:>7}   {part.mean:.2f}   {part.right:.2f}"


def compared(title: str, answers: Mapping[str, Sequence[Case]], held_out: set[str]) -> Iterator[str]:
    """Each tool in a line: scores on the test half, then on all."""
    yield f"{title:<24}{'test half':^34}{'all':^34}"
    yield f"{'':<24}" + f"{'macro-F1  accuracy  false alarms':^34}" * 2
    for name, cases in answers.items():
        parts = [score(pairs_of(c for c in cases if c.name in held_out)), score(pairs_of(cases))]
        yield f"{name:<24}" + "".join(
            f"{of['macro_f1']:>9.3f}{of['accuracy']:>10.3f}{of['false_alarms']:>12.1%}   " for of in parts
        )
