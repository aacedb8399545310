"""One wrong data file, the rows that are damaged in it, and how they are written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROWS = 20


BAD = 7
"""The row that is damaged, counted from 1."""


SFT = [{"prompt": f"What is {k} and one?", "completion": f"It is {k + 1}."} for k in range(ROWS)]


DPO = [{"prompt": f"What is {k}?", "chosen": f"It is {k}.", "rejected": "I do not know."} for k in range(ROWS)]


CHAT = [
    {"messages": [{"role": "user", "content": f"Say {k}"}, {"role": "assistant", "content": str(k)}]}
    for k in range(ROWS)
]


Make = Callable[[Path], Path]


Row = dict[str, Any]


@dataclass(frozen=True)
class WrongData:
    """One case: ``make`` writes it into a folder and returns what a study file names.

    ``fine`` cases look wrong and are right; None for those that may be either. ``row`` is the row that its line
    must name, None where there is none.
    """

    name: str
    method: str
    make: Make
    fine: bool | None = False
    row: int | None = None

    @property
    def right(self) -> tuple[str, ...]:
        """What may come of it."""
        return {True: ("accepted",), False: ("refused",), None: ("accepted", "refused")}[self.fine]


def bytes_in(name: str, content: bytes) -> Make:
    """A file of these bytes."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def lines_of(rows: list[Any]) -> bytes:
    """Rows as JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode("utf-8", "surrogatepass")


def table_of(rows: list[Row], delimiter: str = ",") -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


WRITERS: dict[str, Callable[[list[Row]], bytes]] = {
    "jsonl": lines_of,
    "json": lambda rows: json.dumps(rows).encode(),
    "csv": table_of,
    "tsv": lambda rows: table_of(rows, "\t"),
}
