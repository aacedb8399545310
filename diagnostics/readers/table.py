"""Tables: CSV files by step or epoch, notebook tables, Lightning, Keras, and exports of Weights & Biases."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from diagnostics.readers.log import Log, plural
from diagnostics.readers.rows import UNKNOWN, Row, log_of_rows, number
from diagnostics.readers.unreadable import UnreadableLog, text

ENDINGS = {".csv", ".tsv"}
HEAD = 1 << 16


def reads(path: Path) -> bool:
    """Whether the file is a table, by its ending."""
    return path.suffix.lower() in ENDINGS


def read_log(path: Path) -> Log:
    """The log in a table with one header row. Raises ``UnreadableLog`` when there is no header or no number."""
    header, cells = _table(path)
    notes = []
    if any("__MIN" in name or "__MAX" in name or " - " in name for name in header):
        header, more = _without_run_names(header)
        notes += more
    if "Training Loss" in header:
        header = [_as_held_out(name) for name in header]
    rows, lost = _rows(header, cells)
    if lost:
        notes.append(f"{plural(lost, 'cell')} of text skipped")
    return log_of_rows(rows).noted(*notes)


def header_of(path: Path) -> list[str]:
    """The names in a table's first row, empty when there is none."""
    lines = text(path, HEAD).splitlines()
    return next(csv.reader(lines[:1], delimiter=_delimiter(lines[0])), []) if lines else []


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows below it."""
    lines = text(path).splitlines()
    try:
        table = [row for row in csv.reader(lines, delimiter=_delimiter(lines[0] if lines else "")) if any(row)]
    except csv.Error as error:
        raise UnreadableLog(f"{path}: not a table: {error}") from None
    if not table:
        raise UnreadableLog(f"{path}: the file is empty; wait for the first log line")
    header = [name.strip() for name in table[0]]
    if all(number(name) is not None for name in header if name):
        raise UnreadableLog(
            f"{path}: line 1: the table has no header; name its columns, as in step,train_loss,eval_loss"
        )
    return header, table[1:]


def _delimiter(first: str) -> str:
    """The sign that parts the cells of the header."""
    return max(",;\t|", key=first.count)


def _rows(header: Sequence[str], cells: Sequence[Sequence[str]]) -> tuple[list[Row], int]:
    """The table's rows without blank cells, and how many cells held text among numbers."""
    rows: list[Row] = []
    words: dict[str, int] = {}
    numeric: set[str] = set()
    for line in cells:
        cells_by_name = zip(header, line, strict=False)
        row = {name: cell for name, cell in cells_by_name if name and cell.strip().lower() not in UNKNOWN}
        for name, cell in row.items():
            if number(cell) is None:
                words[name] = words.get(name, 0) + 1
            else:
                numeric.add(name)
        rows.append(row)
    return rows, sum(count for name, count in words.items() if name in numeric)


def _without_run_names(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """The header of a W&B export without ``run - `` and the ``__MIN`` and ``__MAX`` columns; the first run is kept."""
    names: list[str] = []
    runs: dict[str, None] = {}
    for name in header:
        run, dash, tag = name.rpartition(" - ")
        keep = not name.endswith(("__MIN", "__MAX"))
        if dash:
            runs.setdefault(run)
            keep = keep and run == next(iter(runs)) and tag != "_step"
        names.append(tag if keep else "")
    some = ", ".join(list(runs)[:3])
    notes = [f"the table holds {len(runs)} runs ({some}): the first is read"] if len(runs) > 1 else []
    return names, notes


def _as_held_out(name: str) -> str:
    """A notebook table's column: what stands beside the two losses was measured on the held-out rows."""
    known = {"step": "step", "epoch": "epoch", "training loss": "train_loss", "validation loss": "eval_loss"}
    plain = name.lower()
    return known.get(plain, f"eval_{plain.replace(' ', '_')}") if name else name
