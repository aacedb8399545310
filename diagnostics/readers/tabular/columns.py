"""Rows of a log turned into columns: what one name holds, in row order, and in which rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import FloatArray

Row = Mapping[str, object]
Names = tuple[str, ...]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Column:
    """The numbers under one name, nan and inf included, and the rows in which they stand; both in row order."""

    rows: IntArray
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Columns:
    """``size`` rows by name; ``shapes`` are the names that stand in a row together, with the rows that have them."""

    size: int
    named: Mapping[str, Column]
    shapes: Sequence[tuple[Names, IntArray]] = ()


def number(value: object) -> float | None:
    """The number that a cell holds, nan and inf included; None when it holds none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float, str)):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return None
    return None


def numbers(cells: Sequence[object]) -> tuple[FloatArray, NDArray[np.bool_] | None]:
    """The numbers in the cells, and which cells hold one where not all do."""
    if set(map(type, cells)) in ({float}, {int}, {float, int}, {str}):
        try:
            return np.array(cells, dtype=np.float64), None
        except (ValueError, OverflowError):
            pass
    parsed = [number(cell) for cell in cells]
    kept = np.array([value is not None for value in parsed], dtype=np.bool_)
    return np.array([value for value in parsed if value is not None], dtype=np.float64), kept


def columns_of(rows: Sequence[Row], named: Callable[[Names], Names] = lambda names: names) -> Columns:
    """The columns of rows; ``named`` gives the names that a row's names are to have.

    A training loop writes rows of a few shapes, so each shape is taken apart at once.
    """
    shapes: dict[Names, list[int]] = {}
    for place, row in enumerate(rows):
        shapes.setdefault(tuple(row), []).append(place)
    parts: dict[str, list[Column]] = {}
    held: list[tuple[Names, IntArray]] = []
    for names, places in shapes.items():
        where = np.array(places, dtype=np.int64)
        alike = [rows[place] for place in places]
        held.append((named(names), where))
        for name, new in zip(names, held[-1][0], strict=True):
            parts.setdefault(new, []).append(_column(where, list(map(itemgetter(name), alike))))
    return Columns(len(rows), {name: joined(found) for name, found in parts.items()}, held)


def _column(rows: IntArray, cells: Sequence[object]) -> Column:
    values, kept = numbers(cells)
    return Column(rows if kept is None else rows[kept], values)


def joined(parts: Sequence[Column]) -> Column:
    """The parts of a column in row order."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Column(np.empty(0, dtype=np.int64), np.empty(0))
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    return Column(rows[order], np.concatenate([part.values for part in parts])[order])
