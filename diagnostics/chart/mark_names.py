"""What the marks on the x axis are called, the same in every drawing."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.chart.model import Mark, MarkKind
from diagnostics.formatting import number

MAX_NAMED_DISCONTINUITIES = 3
RESUMED = "resumed or changed"


def mark_names(marks: Sequence[Mark]) -> list[str]:
    """The name of each mark; empty for one that goes without, because its neighbor's name says how many there are."""
    breaks = [mark for mark in marks if mark.kind is MarkKind.DISCONTINUITY]
    return [_name(mark, breaks) for mark in marks]


def _name(mark: Mark, breaks: Sequence[Mark]) -> str:
    match mark.kind:
        case MarkKind.BEST:
            return f"best step {number(mark.step)}"
        case MarkKind.WARMUP:
            return "warm-up ends"
        case MarkKind.EPOCH:
            return f"epoch {mark.value:g}"
        case MarkKind.BROKEN:
            return f"nan or inf at step {number(mark.step)}"
    if len(breaks) <= MAX_NAMED_DISCONTINUITIES:
        return RESUMED
    return f"{RESUMED}, {len(breaks)} times" if mark is breaks[0] else ""
