"""Columns under the names that the formats know, as the study file's ``columns`` maps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tuner.data.files import DataError, Rows
from tuner.errors import brief_name, nearest

Columns = Mapping[str, str]


def renamed(rows: Rows, columns: Columns, where: str) -> Rows:
    """The rows with the mapped columns under their new names; raises ``DataError`` for a column that no row has."""
    if not columns:
        return rows
    new_names = new_names_of({name for row in rows for name in row}, columns, where)
    return [{new_names.get(name, name): value for name, value in row.items()} for row in rows]


def renamed_set(dataset: Any, columns: Columns, where: str) -> Any:
    """The same for a set of the datasets library."""
    if not columns:
        return dataset
    names = list(dataset.column_names or next(iter(dataset)))
    return dataset.rename_columns(new_names_of(names, columns, where))


def new_names_of(there: Collection[str], columns: Columns, where: str) -> dict[str, str]:
    """The new name of each column that gets one; a column that already bears such a name makes way."""
    for new, old in columns.items():
        if old not in there:
            known = ", ".join(sorted(there))
            raise DataError(f"{where}: columns.{new}: no column {brief_name(old)}{nearest(old, there)}; it has {known}")
    made = {str(old): str(new) for new, old in columns.items() if old != new}
    return made | {name: f"{name}_" for name in there if name in made.values() and name not in made}
