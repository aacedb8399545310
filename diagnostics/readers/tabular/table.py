"""Tables: CSV files by step or epoch, notebook tables, Lightning, Keras, and exports of Weights & Biases.

A table may hold several runs: side by side, as W&B exports a chart (``run - train/loss``), or one below the other with
a column that names the run.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

import numpy as np

from diagnostics.model.message import message
from diagnostics.readers.files import UnreadableLog, text
from diagnostics.readers.raw_log import Log
from diagnostics.readers.tabular.cells import Block, delimiter, header_and_blocks
from diagnostics.readers.tabular.columns import Column, Columns, joined, numbers
from diagnostics.readers.tabular.rows import UNKNOWN, log_of_columns, number

ENDINGS = {".csv", ".tsv"}
HEAD_CHARACTERS = 1 << 16
DASH = " - "
BOUNDS = ("__MIN", "__MAX")
RUN_COLUMNS = ("run", "run_name", "run name", "runname", "run_id", "run id", "experiment", "experiment_name")
"""Columns that name the run a row belongs to, in order of precedence."""


def reads(path: Path) -> bool:
    """Whether the file is a table, by its ending."""
    return path.suffix.lower() in ENDINGS


def runs_in(path: Path) -> tuple[str, ...]:
    """The names of the runs in a table that holds several, in their order; none for a table of one run."""
    header = header_of(path)
    across = _runs_across(header)
    if len(across) > 1:
        return across
    place = _run_column(header)
    if place is None:
        return ()
    _, blocks = _table(path)
    below = dict.fromkeys(
        cell.strip() for block in blocks for cells in block.columns[place : place + 1] for cell in cells
    )
    names = tuple(name for name in below if name)
    return names if len(names) > 1 else ()


def read_log(path: Path, run: str | None = None) -> Log:
    """The log in a table with one header row, of one of its ``runs_in`` where it holds several.

    Raises ``UnreadableLog`` when there is no header or no number.
    """
    header, blocks = _table(path)
    by_run = _run_column(header) if run is not None and not _runs_across(header) else None
    parts = _Parts(_tags(header, run))
    for block in blocks:
        parts.add(block if by_run is None else _of_one(block, by_run, run))
    columns, lost = parts.columns()
    return log_of_columns(columns).with_notes(*([message("cells-skipped", cells=lost)] if lost else []))


def header_of(path: Path) -> list[str]:
    """The names in a table's first row, empty when there is none."""
    lines = text(path, HEAD_CHARACTERS).splitlines()
    try:
        first = next(csv.reader(lines[:1], delimiter=delimiter(lines[0])), []) if lines else []
    except csv.Error:
        return []
    return [name.strip() for name in first]


def _table(path: Path) -> tuple[list[str], Iterator[Block]]:
    """The names in the header and the rows below it.

    Raises ``UnreadableLog`` when there is no header, and while the rows are read when they are not a table.
    """
    try:
        header, blocks = header_and_blocks(text(path))
    except csv.Error as error:
        raise UnreadableLog(f"{path}: the file is not a table ({error}); give a CSV file with a header") from None
    if header is None:
        raise UnreadableLog(f"{path}: the file is empty; wait for the first log line")
    if all(number(name) is not None for name in header if name):
        raise UnreadableLog(
            f"{path}: line 1: the table has no header; name its columns, as in step,train_loss,eval_loss"
        )
    return [name.strip() for name in header], _checked(path, blocks)


def _checked(path: Path, blocks: Iterator[Block]) -> Iterator[Block]:
    try:
        yield from blocks
    except csv.Error as error:
        raise UnreadableLog(f"{path}: the file is not a table ({error}); give a CSV file with a header") from None


def _of_one(block: Block, place: int, run: str | None) -> Block:
    """The rows of a block that belong to one run."""
    own = [cell.strip() == run for cells in block.columns[place : place + 1] for cell in cells]
    return Block([list(compress(cells, own)) for cells in block.columns], sum(own))


class _Parts:
    """The numbers under each tag, taken from the table block by block."""

    def __init__(self, tags: Sequence[str]) -> None:
        self.tags = tags
        self.size = 0
        self.found: dict[str, list[Column]] = {tag: [] for tag in tags if tag}
        self.words: dict[str, int] = {}

    def add(self, block: Block) -> None:
        """Take in the rows of a block; where a tag stands over two columns, the later one counts."""
        for tag, cells in zip(self.tags, block.columns, strict=False):
            if tag:
                self.found[tag].append(self._column(tag, cells))
        self.size += block.size

    def _column(self, tag: str, cells: Sequence[str]) -> Column:
        rows, filled = np.arange(self.size, self.size + len(cells)), cells
        if "" in cells:
            rows = rows[np.fromiter(map(bool, cells), np.bool_, len(cells))]
            filled = list(filter(None, cells))
        values, kept = numbers(filled)
        if kept is None:
            return Column(rows, values)
        words = sum(filled[place].strip().lower() not in UNKNOWN for place in np.flatnonzero(~kept).tolist())
        self.words[tag] = self.words.get(tag, 0) + words
        return Column(rows[kept], values)

    def columns(self) -> tuple[Columns, int]:
        """All columns, and how many cells held text among numbers."""
        named = {tag: joined(parts) for tag, parts in self.found.items()}
        return Columns(self.size, named), sum(n for tag, n in self.words.items() if named[tag].rows.size)


def _runs_across(header: Sequence[str]) -> tuple[str, ...]:
    """The runs that a W&B export names before its tags."""
    return tuple(dict.fromkeys(name.rpartition(DASH)[0] for name in header if DASH in name))


def _run_column(header: Sequence[str]) -> int | None:
    """The index of the column that names the run of a row, None when there is none."""
    plain = [name.lower() for name in header]
    return next((plain.index(name) for name in RUN_COLUMNS if name in plain), None)


def _tags(header: Sequence[str], run: str | None) -> list[str]:
    """The tag of each column, empty where it is not read: another run's, or a bound of the values in a chart."""
    if any(DASH in name or name.endswith(BOUNDS) for name in header):
        across = _runs_across(header)
        wanted = run if run is not None or not across else across[0]
        return [_of_run(name, wanted) for name in header]
    return [_as_held_out(name) for name in header] if "Training Loss" in header else list(header)


def _of_run(name: str, wanted: str | None) -> str:
    """The tag of a W&B export's column, empty when it is another run's or a bound."""
    owner, dash, tag = name.rpartition(DASH)
    return "" if name.endswith(BOUNDS) or (dash and (owner != wanted or tag == "_step")) else tag


def _as_held_out(name: str) -> str:
    """A notebook table's column: what stands beside the two losses was measured on the held-out rows."""
    known = {"step": "step", "epoch": "epoch", "training loss": "train_loss", "validation loss": "eval_loss"}
    plain = name.lower()
    return known.get(plain, f"eval_{plain.replace(' ', '_')}") if name else name
