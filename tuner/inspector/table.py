"""The table of runs as plain rows: made of a run and its verdict, filtered, sorted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.curves import Curve, Run
from diagnostics.verdict import Diagnosis, Label

UNREAD = "unreadable"
LABELS: tuple[str, ...] = (*(str(label) for label in Label), UNREAD)
SPARK = 60


@dataclass(frozen=True)
class Row:
    """One line of the table of runs; ``why`` is filled in for a run that could not be read."""

    id: str
    name: str
    label: str
    cause: str | None = None
    message: str = ""
    best_eval_loss: float | None = None
    best_step: float | None = None
    last_step: float = 0.0
    written: float = 0.0
    spark: tuple[float, ...] = ()
    settings: tuple[tuple[str, object], ...] = ()
    why: str = ""


def row(run_id: str, name: str, run: Run, diagnosis: Diagnosis, written: float) -> Row:
    """The row of a run that was read and judged; ``written`` is seconds since 1970."""
    eval_loss, train_loss = run.curve("eval_loss"), run.curve("train_loss")
    finding = next((f for f in diagnosis.findings if f.rule == diagnosis.cause), None)
    return Row(
        run_id,
        name,
        str(diagnosis.label),
        diagnosis.cause,
        finding.message if finding else "",
        float(eval_loss.values.min()) if eval_loss is not None and len(eval_loss) else None,
        diagnosis.best_step,
        run.last_step,
        written,
        spark(train_loss if train_loss is not None and len(train_loss) else eval_loss),
        tuple(run.settings.known().items()),
    )


def unreadable_row(run_id: str, name: str, why: str, written: float) -> Row:
    """The row of a run that could not be read."""
    return Row(run_id, name, UNREAD, written=written, why=why)


def spark(curve: Curve | None, points: int = SPARK) -> tuple[float, ...]:
    """At most ``points`` block means of a curve, for a line the height of a table row; the first point is kept."""
    if curve is None or not len(curve):
        return ()
    if len(curve) <= points:
        return tuple(float(value) for value in curve.values)
    blocks = np.array_split(curve.values, points - 1)
    return (float(curve.values[0]), *(float(block.mean()) for block in blocks))


class BadPattern(ValueError):
    """The filter is no regular expression; the message says where it breaks."""


def matching(rows: Sequence[Row], text: str = "", labels: Collection[str] = (), *, regex: bool = False) -> list[Row]:
    """The rows whose name, verdict or cause holds ``text`` and whose verdict is one of ``labels`` (none: any).

    Words of ``text`` must all occur, in any case; with ``regex`` it is a pattern. Raises ``BadPattern``.
    """
    fits = _pattern(text) if regex else _words(text)
    return [
        row for row in rows if (not labels or row.label in labels) and fits(f"{row.name} {row.label} {row.cause or ''}")
    ]


def _words(text: str) -> Callable[[str], bool]:
    words = text.lower().split()
    return lambda line: all(word in line.lower() for word in words)


def _pattern(text: str) -> Callable[[str], bool]:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise BadPattern(f"no regular expression: {error.msg} at place {error.pos}") from error
    return lambda line: pattern.search(line) is not None


SORTS: dict[str, Callable[[Row], tuple[object, ...]]] = {
    "newest first": lambda row: (-row.written, row.id),
    "name": lambda row: _natural(row.id),
    "worst verdict first": lambda row: (LABELS.index(row.label), -row.written, row.id),
    "lowest eval loss": lambda row: (row.best_eval_loss is None, row.best_eval_loss or 0.0, row.id),
    "most steps": lambda row: (-row.last_step, row.id),
}


def _natural(text: str) -> tuple[object, ...]:
    """A sort key that puts ``trial-2`` before ``trial-10``."""
    parts = re.split(r"(\d+)", text.lower())
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def in_order(rows: Sequence[Row], order: str) -> list[Row]:
    """The rows sorted by one of ``SORTS``; an unknown order is that of the first."""
    return sorted(rows, key=SORTS.get(order, SORTS["newest first"]))


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows carry each verdict, in the verdicts' order, those without any left out."""
    return {label: n for label in LABELS if (n := sum(row.label == label for row in rows))}
