"""Rows that ``max_length`` cuts or leaves out, counted: TRL does both without a word."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.model.message import Message, message

Prepare = Callable[[Any, Any], Any]
MEASURED_ROWS = 2000
"""The most rows, by their text the longest, that are tokenized a second time without the limit."""


@dataclass(frozen=True)
class Cut:
    """What a limit did to the rows of a split: ``cut`` are shortened, ``left_out`` are gone, of ``total``.

    ``longest`` is the number of tokens of the longest row, None where no row is cut.
    """

    split: str
    limit: int
    total: int
    cut: int
    left_out: int
    longest: int | None = None

    def notes(self) -> Iterator[Message]:
        """What there is to say of it."""
        if self.cut:
            values = {"limit": self.limit, "rows": self.cut, "total": self.total, "longest": self.longest}
            yield message("rows-cut", split=self.split, **values)
        if self.left_out:
            yield message("rows-left-out", split=self.split, limit=self.limit, rows=self.left_out, total=self.total)


def cut_of(split: str, source: Any, made: Any, args: Any, prepare: Prepare) -> Cut | None:
    """What ``args.max_length`` did to the rows that were ``made`` from the ``source``; None without a limit.

    ``prepare(rows, args)`` prepares rows with other arguments: rows that are stored cut have lost their length.
    """
    limit = getattr(args, "max_length", None)
    if limit is None or getattr(args, "packing", False) or not hasattr(made, "num_rows"):
        return None
    total, left_out = len(source), max(0, len(source) - len(made))
    lengths = lengths_of(made)
    if not left_out and not (lengths >= limit).any():
        return Cut(split, limit, total, 0, 0)
    if "input_ids" in made.column_names:
        free = copy.copy(args)
        free.max_length = None
        lengths = lengths_of(prepare(longest_of(source, limit), free))
    cut = max(0, int((lengths > limit).sum()) - (left_out if "input_ids" in made.column_names else 0))
    return Cut(split, limit, total, cut, left_out, int(lengths.max()) if cut else None)


def lengths_of(rows: Any) -> np.ndarray:
    """The tokens of each prepared row: of its text, or of its question with the longer answer; empty where unknown."""
    names = [name for name in rows.column_names if name.endswith("_ids") and name != "prompt_ids"]
    names = ["input_ids"] if "input_ids" in names else names
    if not names:
        return np.zeros(0, dtype=np.int64)
    import pyarrow.compute as compute

    parts = []
    wanted = rows.select_columns([*names, *({"prompt_ids"} & {*rows.column_names} - {*names})])
    for table in wanted.with_format("arrow").iter(10_000):
        sizes = {name: compute.list_value_length(table[name]).to_numpy() for name in table.column_names}
        parts.append(np.max([sizes[name] for name in names], axis=0) + sizes.get("prompt_ids", 0))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def longest_of(source: Any, limit: int) -> Any:
    """The rows that may be longer than the limit: a token has a byte at least, and a template adds some of its own."""
    sizes = np.array([_size(row) for row in source])
    order = np.argsort(-sizes, kind="stable")[:MEASURED_ROWS]
    return source.select([int(place) for place in order if sizes[place] >= limit / 2])


def _size(value: Any) -> int:
    """The bytes of the texts in a row."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_size, parts))
