"""Rows out of local files: .json, .jsonl, .csv, .tsv, .parquet, .txt, or a folder of them by split."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tuner.errors import SpecError, error_text

Rows = list[dict[str, Any]]
SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DEPTH = 50
MAX_WHOLE = 2**63


class DataError(SpecError):
    """Data that cannot be used; the message names the file and, where it is one row, its number."""


def read_file(path: Path) -> Rows:
    """The rows of one file, in order; raises ``DataError`` that names the file and the row."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: unknown file type {path.suffix!r}; must be one of {', '.join(READERS)}")
    try:
        rows = reader(path)
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error_text(error)}") from None
    if not rows:
        raise DataError(f"{path}: contains no rows")
    for number, row in enumerate(rows, 1):
        if (fault := _unstorable(row)) is not None:
            raise DataError(f"{path}: row {number}: {fault}")
    return rows


def _unstorable(value: Any, depth: int = 0) -> str | None:
    """Why no table of rows can hold a value; None where one can."""
    if isinstance(value, str):
        return None if value.isascii() or not SURROGATE.search(value) else "half of a character (a lone surrogate)"
    if isinstance(value, int):
        return None if -MAX_WHOLE <= value < MAX_WHOLE else "a whole number of more than 64 bits; write it as a text"
    if not isinstance(value, (dict, list)):
        return None
    if depth > MAX_DEPTH:
        return f"nested more than {MAX_DEPTH} deep"
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return next((fault for part in parts if (fault := _unstorable(part, depth + 1)) is not None), None)


def _json(path: Path) -> Rows:
    text = path.read_text(encoding="utf-8-sig")
    try:
        loaded = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return _jsonl(path)  # JSON lines under the wrong name
        raise DataError(f"{path}: line {error.lineno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: {_why_unread(error)}") from None
    if isinstance(loaded, dict):
        lists = [value for value in loaded.values() if isinstance(value, list)]
        loaded = loaded.get("data", lists[0] if len(lists) == 1 else None)
    if not isinstance(loaded, list):
        raise DataError(f'{path}: must be a list of rows, or {{"data": [...]}}')
    return [_row(row, path, number) for number, row in enumerate(loaded, 1)]


def _jsonl(path: Path) -> Rows:
    rows = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{path}: row {number}: not JSON: {error.msg}") from None
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path}: row {number}: {_why_unread(error)}") from None
            rows.append(_row(row, path, number))
    return rows


def _why_unread(error: Exception) -> str:
    """Why Python does not read what is JSON all the same."""
    return "nested too deep" if isinstance(error, RecursionError) else "a number of too many digits; write it as a text"


def _row(row: Any, path: Path, number: int) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise DataError(f"{path}: row {number}: must be a mapping of columns, not {type(row).__name__}")
    return row


def _csv(path: Path) -> Rows:
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        reader = csv.DictReader(lines, delimiter=delimiter, strict=True)  # else an open quote swallows what follows
        try:
            names = reader.fieldnames or []
            twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
            if twice is not None:
                raise DataError(f"{path}: the column {twice!r} is in the header twice; name each column once")
            rows = [dict(row) for row in reader]
        except csv.Error as error:
            # The number is that of the last line that was read whole.
            raise DataError(f"{path}: line {reader.line_num + 1}: {error}; check the quotes in it") from None
    for number, row in enumerate(rows, 1):
        if None in row:
            raise DataError(f"{path}: row {number}: has more fields than the header")
    return rows


def _parquet(path: Path) -> Rows:
    import pyarrow
    import pyarrow.parquet

    try:
        rows: Rows = pyarrow.parquet.read_table(path, page_checksum_verification=True).to_pylist()
    except pyarrow.ArrowException as error:
        raise DataError(f"{path}: not a parquet file: {error_text(error)}") from None
    return rows


def _text(path: Path) -> Rows:
    return [{"text": line} for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]


READERS: Mapping[str, Callable[[Path], Rows]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".txt": _text,
}
