"""Logs of one JSON object a line: LLaMA-Factory's trainer_log.jsonl, torchtune, and hand-written ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from diagnostics.readers.log import Log, plural
from diagnostics.readers.rows import Row, log_of_rows
from diagnostics.readers.unreadable import UnreadableLog, text

ENDINGS = {".jsonl", ".ndjson"}


def reads(path: Path) -> bool:
    """Whether the file holds one JSON object a line, by its ending."""
    return path.suffix.lower() in ENDINGS


def read_log(path: Path) -> Log:
    """The log in a file of JSON objects. Raises ``UnreadableLog`` when no line is one."""
    rows, broken = objects(text(path))
    if not rows:
        raise UnreadableLog(f'{path}: no line is a JSON object; expected one such as {{"step": 1, "loss": 2.3}}')
    notes = [f"{plural(broken, 'line')} skipped that {'is' if broken == 1 else 'are'} no JSON object"] if broken else []
    return log_of_rows(rows).noted(*notes)


def objects(lines: str) -> tuple[list[Row], int]:
    """The objects on the lines, inner ones flattened with a slash, and the number of lines that are none."""
    rows: list[Row] = []
    broken = 0
    for line in lines.splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            rows.append(dict(_flat(row)))
        else:
            broken += 1
    return rows, broken


def _flat(row: Mapping[str, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Names and values, those of inner objects as ``outer/inner``."""
    for key, value in row.items():
        if isinstance(value, dict) and depth < 4:
            yield from _flat(value, f"{prefix}{key}/", depth + 1)
        else:
            yield prefix + key, value
