"""The table that spaCy prints: ``  0     200         77.40   1596.40   22.70   0.23`` below ``E  #  LOSS NER  SCORE``.

A row of the table is an evaluation. The loss beside it is the sum over the steps since the row before, of one part of
the pipeline a column; step 0 has a row of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from diagnostics.readers.printed.lines import Printed
from diagnostics.readers.tabular.rows import number

HEADING = re.compile(r"^\s*E\s{2,}#\s{2,}LOSS ")
PARTED = re.compile(r"\s{2,}")
LOSS = "LOSS "


def rows(lines: Iterable[str]) -> Iterator[Printed]:
    """The rows in order: the loss of a step, all parts together, and the scores on held-out rows."""
    names: list[str] = []
    before = -1.0
    for line in lines:
        if HEADING.match(line):
            names, before = PARTED.split(line.strip()), -1.0
            continue
        values = _values(line, len(names)) if names else None
        if values is None or values[1] <= before:
            continue
        yield Printed(_row(names, values, values[1] - before), {})
        before = values[1]


def _values(line: str, width: int) -> list[float] | None:
    """The numbers of a row as wide as the heading, None of any other line."""
    cells = line.split()
    if len(cells) != width:
        return None
    values = [value for cell in cells if (value := number(cell)) is not None]
    return values if len(values) == width else None


def _row(names: Sequence[str], values: Sequence[float], steps: float) -> dict[str, object]:
    """The row by name; of losses the sum over the pipeline, for one step."""
    parts = [value for name, value in zip(names, values, strict=True) if name.startswith(LOSS)]
    scores = {f"eval_{n.lower()}": v for n, v in zip(names[2:], values[2:], strict=True) if not n.startswith(LOSS)}
    return {"epoch": values[0], "step": values[1], "loss": sum(parts) / steps, **scores}
