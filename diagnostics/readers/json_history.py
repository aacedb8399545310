"""Histories as JSON: Keras's ``History.history``, a pandas table, rows under a name, one mapping for each split."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from diagnostics.readers.assemble.tags import names_a_loss
from diagnostics.readers.tabular.columns import Row, number

WRAPPERS = ("history", "log", "logs", "metrics", "results", "train_history", "training_history")
"""Names under which programs put the history."""

NAMED = re.compile(r'"([^"\n]*+)"\s*+:\s*+(\[|\{|[-+\d.]++\s*+,)')
"""A name and what its value begins with."""

ROWS_BEGIN = re.compile(rf'\s*(?:\{{\s*"(?:{"|".join(WRAPPERS)})"\s*:\s*)?\[')
"""The beginning of a list of rows, bare or under the name that a program gives it."""


def is_history(head: str) -> bool:
    """Whether a JSON text begins like a history: it names a loss that holds several values, or rows that have one."""
    found = next((begins for name, begins in NAMED.findall(head) if "loss" in name.lower()), "")
    return bool(found) and (found in "[{" or ROWS_BEGIN.match(head) is not None)


def rows_of(state: Mapping[str, object], depth: int = 0) -> list[Row]:
    """The rows of a history, in order; none when the mapping holds none."""
    columns = {name: values for name, values in _columns(state).items() if values}
    if names_a_loss(columns):
        longest = max(map(len, columns.values()))
        return [{name: values[row] for name, values in columns.items() if row < len(values)} for row in range(longest)]
    found: list[Row]
    for name in WRAPPERS if depth < 3 else ():
        inner = state.get(name)
        found = [row for row in inner if isinstance(row, dict)] if isinstance(inner, list) else []
        found = rows_of(inner, depth + 1) if isinstance(inner, dict) else found
        if found:
            return found
    return _by_index(state)


def _columns(state: Mapping[str, object]) -> dict[str, Sequence[object]]:
    """The lists by name, those under ``train`` or ``val`` with their split before the name."""
    found: dict[str, Sequence[object]] = {}
    for name, value in state.items():
        if isinstance(value, list):
            found[name] = value
        elif isinstance(value, dict) and (cells := _cells(value)) is not None:
            found[name] = cells
        elif isinstance(value, dict):
            before = "" if name in WRAPPERS else f"{name}/"
            found |= {f"{before}{key}": inner for key, inner in value.items() if isinstance(inner, list)}
    return found


def _cells(column: Mapping[str, object]) -> Sequence[object] | None:
    """The values of a pandas column, ``{"0": 2.3, "1": 2.1}``, in the order of its index; None for anything else."""
    if not column or not all(key.isdecimal() and len(key) < 16 for key in column):
        return None
    values = [column[key] for key in sorted(column, key=int)]
    return values if all(value is None or number(value) is not None for value in values) else None


def _by_index(state: Mapping[str, object]) -> list[Row]:
    """The rows of a pandas table by row, ``{"0": {"loss": 2.3}, "1": {"loss": 2.1}}``."""
    keys = [key for key in state if key.isdecimal() and len(key) < 16]
    rows: list[Row] = [row for key in sorted(keys, key=int) if isinstance(row := state[key], dict)]
    return rows if len(rows) > 1 and names_a_loss(list(rows[0])) else []
