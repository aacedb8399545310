"""Wrong data files: JSON, JSON lines, CSV, Parquet, folders and saved data sets with damage of every kind."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.wrong_data.case import WrongData
from benchmarks.wrong_data.rows import broken_rows, broken_turns, tables, wrong_columns
from benchmarks.wrong_data.stored import folders, parquet_files
from benchmarks.wrong_data.texts import broken_texts, encodings


def cases() -> Iterator[WrongData]:
    """All of them."""
    yield from encodings()
    yield from broken_texts()
    yield from broken_rows()
    yield from broken_turns()
    yield from wrong_columns()
    yield from tables()
    yield from parquet_files()
    yield from folders()
