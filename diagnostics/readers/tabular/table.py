"""Tables: CSV files by step or epoch, notebook tables, Lightning, Keras, and exports of Weights & Biases.

A table may hold several runs: side by side, as W&B exports a chart (``run - train/loss``), or one below the other with
a column that names the run.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from diagnostics.model.message import message
from diagnostics.readers.files import UnreadableLog, text
from diagnostics.readers.raw_log import Log
from diagnostics.readers.tabular import spelling
from diagnostics.readers.tabular.cells import Block, delimiter, header_and_blocks
from diagnostics.readers.tabular.columns import Column, Columns, joined, numbers
from diagnostics.readers.tabular.rows import UNKNOWN, log_of_columns, number

ENDINGS = {".csv", ".tsv"}
ANY_TEXT = {".log", ".txt", ".dat", ".out"}
"""Endings of tables and of other text alike: Keras's examples write their CSV to ``training.log``."""
HEAD_CHARACTERS, MAX_HEADER_CHARACTERS = 1 << 16, 1 << 24
DASH = " - "
BOUNDS = ("__MIN", "__MAX")
RUN_COLUMNS = ("run", "run_name", "run name", "runname", "run_id", "run id", "experiment", "experiment_name")
"""Columns that name the run a row belongs to, in order of precedence."""


def reads(path: Path) -> bool:
    """Whether the file is a table: by its ending or, where that may be any text's, by its first lines."""
    ending = path.suffix.lower()
    return ending in ENDINGS or (ending in ANY_TEXT and os.path.isfile(path) and spelling.is_table(text(path, 4096)))


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


def read_log(path: Path) -> Log:
    """The log in a table with one header row. Raises ``UnreadableLog`` when there is no header or no number."""
    header, blocks = _table(path)
    parts = _Parts(_tags(header))
    for block in blocks:
        parts.add(block)
    return parts.log()


def read_all(path: Path) -> dict[str, Log]:
    """The log of each of the ``runs_in`` a table that holds several, by its name. Raises as ``read_log`` does."""
    header, blocks = _table(path)
    across = _runs_across(header)
    place = _run_column(header)
    parts = _side_by_side(header, blocks) if len(across) > 1 else {}
    if not parts and place is not None:
        parts = _one_below_the_other(header, blocks, place)
    return {run: found.log() for run, found in parts.items()} if len(parts) > 1 else {}


def _side_by_side(header: Sequence[str], blocks: Iterator[Block]) -> dict[str, _Parts]:
    """The parts of each run that has columns of its own; columns of no run belong to all."""
    places = _places_across(header)
    parts = {run: _Parts([tag for _, tag in own]) for run, own in places.items()}
    for block in blocks:
        for run, own in places.items():
            columns = [block.columns[place] for place, _ in own if place < len(block.columns)]
            parts[run].add(Block(columns, block.size))
    return parts


def _places_across(header: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    """The places and tags of each run's columns, in the order of the header."""
    shared: list[tuple[int, str]] = []
    own: dict[str, list[tuple[int, str]]] = {run: [] for run in _runs_across(header)}
    for place, name in enumerate(header):
        owner, dash, tag = name.rpartition(DASH)
        if _is_read(dash, tag):
            (own[owner] if dash else shared).append((place, tag))
    return {run: sorted([*shared, *places]) for run, places in own.items()}


def _one_below_the_other(header: Sequence[str], blocks: Iterator[Block], place: int) -> dict[str, _Parts]:
    """The parts of each run whose rows have its name in a column."""
    tags = _tags(header)
    parts: dict[str, _Parts] = {}
    for block in blocks:
        rows: dict[str, list[int]] = {}
        for row, cell in enumerate(block.columns[place] if place < len(block.columns) else ()):
            rows.setdefault(cell.strip(), []).append(row)
        for run, own in rows.items():
            if run:
                parts.setdefault(run, _Parts(tags)).add(_rows_of(block, own))
    return parts


def _rows_of(block: Block, rows: list[int]) -> Block:
    """Some rows of a block; as a slice where they follow each other, as the rows of a run mostly do."""
    first, last = rows[0], rows[-1] + 1
    if last - first == len(rows):
        return Block([cells[first:last] for cells in block.columns], len(rows))
    return Block([[cells[row] for row in rows] for cells in block.columns], len(rows))


def header_of(path: Path) -> list[str]:
    """The names in a table's first row, empty when there is none."""
    head = text(path, HEAD_CHARACTERS)
    if "\n" not in head and "\r" not in head:
        head = text(path, MAX_HEADER_CHARACTERS)  # of thousands of runs side by side
    lines = spelling.plain(head).splitlines()
    try:
        first = next(csv.reader(lines[:1], delimiter=delimiter(lines[0])), []) if lines else []
    except csv.Error:
        return []
    return _of_tensorboard(path, [name.strip() for name in first])


def _of_tensorboard(path: Path, header: list[str]) -> list[str]:
    """The header; that of a curve downloaded from TensorBoard has the tag that its file is named after as its value."""
    if [name.lower() for name in header] != ["wall time", "step", "value"]:
        return header
    return [*header[:2], path.stem.rpartition("tag-")[2]]


def _table(path: Path) -> tuple[list[str], Iterator[Block]]:
    """The names in the header and the rows below it.

    Raises ``UnreadableLog`` when there is no header, and while the rows are read when they are not a table.
    """
    try:
        header, blocks = header_and_blocks(spelling.plain(text(path)))
    except csv.Error as error:
        raise UnreadableLog(f"{path}: the file is not a table ({error}); give a CSV file with a header") from None
    if header is None:
        raise UnreadableLog(f"{path}: the file is empty; wait for the first log line")
    if all(number(name) is not None for name in header if name):
        raise UnreadableLog(
            f"{path}: line 1: the table has no header; name its columns, as in step,train_loss,eval_loss"
        )
    return _of_tensorboard(path, [name.strip() for name in header]), _checked(path, blocks)


def _checked(path: Path, blocks: Iterator[Block]) -> Iterator[Block]:
    try:
        yield from blocks
    except csv.Error as error:
        raise UnreadableLog(f"{path}: the file is not a table ({error}); give a CSV file with a header") from None


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

    def log(self) -> Log:
        """The log of all columns, with a note where cells held text among numbers."""
        named = {tag: joined(parts) for tag, parts in self.found.items()}
        lost = sum(count for tag, count in self.words.items() if named[tag].rows.size)
        notes = [message("cells-skipped", cells=lost)] if lost else []
        return log_of_columns(Columns(self.size, named)).with_notes(*notes)


def _runs_across(header: Sequence[str]) -> tuple[str, ...]:
    """The runs that a W&B export names before its tags."""
    return tuple(dict.fromkeys(name.rpartition(DASH)[0] for name in header if DASH in name))


def _run_column(header: Sequence[str]) -> int | None:
    """The index of the column that names the run of a row, None when there is none."""
    plain = [name.lower() for name in header]
    return next((plain.index(name) for name in RUN_COLUMNS if name in plain), None)


def _tags(header: Sequence[str]) -> list[str]:
    """The tag of each column of a table of one run, empty where it is not read: a bound of the values in a chart."""
    if any(DASH in name or name.endswith(BOUNDS) for name in header):
        parted = [name.rpartition(DASH) for name in header]
        return [tag if _is_read(dash, tag) else "" for _, dash, tag in parted]
    return [_as_held_out(name) for name in header] if "Training Loss" in header else list(header)


def _is_read(dash: str, tag: str) -> bool:
    """Whether a column of a W&B export is read: not a bound, and not the steps of a run beside the chart's own."""
    return not tag.endswith(BOUNDS) and not (dash and tag == "_step")


def _as_held_out(name: str) -> str:
    """A notebook table's column: what stands beside the two losses was measured on the held-out rows."""
    known = {"step": "step", "epoch": "epoch", "training loss": "train_loss", "validation loss": "eval_loss"}
    plain = name.lower()
    return known.get(plain, f"eval_{plain.replace(' ', '_')}") if name else name
