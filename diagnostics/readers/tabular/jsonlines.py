"""Logs of one JSON object a line: LLaMA-Factory's trainer_log.jsonl, torchtune, and hand-written ones."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from diagnostics.model.message import message
from diagnostics.readers.assemble.tags import HELD_OUT, TRAIN
from diagnostics.readers.files import UnreadableLog, text
from diagnostics.readers.raw_log import Log
from diagnostics.readers.tabular.rows import MORE_STEPS, STEPS, Row, log_of_rows

ENDINGS = {".jsonl", ".ndjson"}
ANY_TEXT = {".json", ".log", ".txt", ".out"}
HEAD_CHARACTERS = 1 << 16
SPLITS = ("split", "phase", "mode")
"""Keys that say whether a line is about training or held-out rows."""

ROWS_SEARCHED = 200
"""The number of rows in which a key for the split is searched."""

COUNTS = {"epoch", *STEPS, *MORE_STEPS}
RUN_KEYS = ("run", "run_name", "run_id", "experiment", "experiment_name")
"""Keys that name the run a line belongs to, in order of precedence."""


WRAPPERS = {"data", "metrics", "logs", "log", "values", "scalars"}
"""Keys under which some loggers (verl's among them) put all values of a line: they are no part of the names."""


def reads(path: Path) -> bool:
    """Whether the file holds one JSON object a line: by its ending or, where that says little, by its first lines."""
    ending = path.suffix.lower()
    return ending in ENDINGS or (ending in ANY_TEXT and os.path.isfile(path) and _holds_objects(text(path, 1 << 14)))


def _holds_objects(head: str) -> bool:
    """Whether the first two lines that are not blank are an object each, with a loss; one line may hold anything."""
    lines = [line for line in head.splitlines() if line.strip()][:2]
    rows = [_object(line) for line in lines] if len(lines) == 2 and lines[0].startswith("{") else []
    return (
        len(rows) == 2 and all(isinstance(row, dict) for row in rows) and '"' in lines[0] and "loss" in "".join(lines)
    )


def runs_in(path: Path) -> tuple[str, ...]:
    """The names of the runs in a file that holds several, in their order; none for a file of one run."""
    first, _ = objects(text(path, HEAD_CHARACTERS).rpartition("\n")[0])
    key = _run_key(first[0]) if first else None
    if key is None:
        return ()
    names = tuple(dict.fromkeys(name for row in objects(text(path))[0] if (name := _run_of(row, key))))
    return names if len(names) > 1 else ()


def read_log(path: Path) -> Log:
    """The log in a file of JSON objects. Raises ``UnreadableLog`` when no line is one."""
    rows, broken = objects(text(path))
    if not rows:
        raise UnreadableLog(f'{path}: no line is a JSON object; expected one such as {{"step": 1, "loss": 2.3}}')
    return _log(rows, broken)


def read_all(path: Path) -> dict[str, Log]:
    """The log of each of the ``runs_in`` a file that holds several, by its name."""
    rows, broken = objects(text(path))
    key = _run_key(rows[0]) if rows else None
    by_run: dict[str, list[Row]] = {}
    if key is not None:
        for row in rows:
            by_run.setdefault(_run_of(row, key), []).append(row)
    named = {name: own for name, own in by_run.items() if name}
    return {name: _log(own, broken) for name, own in named.items()} if len(named) > 1 else {}


def _log(rows: list[Row], broken: int) -> Log:
    return log_of_rows(rows).with_notes(*([message("lines-skipped", lines=broken)] if broken else []))


def _run_key(row: Row) -> str | None:
    """The key that names the run a row belongs to, None when there is none."""
    return next((key for key in RUN_KEYS if isinstance(row.get(key), str)), None)


def _run_of(row: Row, key: str) -> str:
    """The name of the run that a row belongs to, empty when it does not say."""
    raw = row.get(key)
    return raw.strip() if isinstance(raw, str) else ""


def objects(lines: str) -> tuple[list[Row], int]:
    """The objects on the lines, inner ones flattened with a slash, and the number of other lines."""
    counted = [line for line in lines.splitlines() if line and not line.isspace()]
    found = _all_at_once(counted) or [_object(line) for line in counted]
    kept = [row for row in found if isinstance(row, dict)]
    return rows_of(kept), len(counted) - len(kept)


def rows_of(found: Iterable[Row]) -> list[Row]:
    """The rows in objects: inner ones flattened with a slash, a split that a row names before its names."""
    rows = [_with_swifts_step(row) for row in found]
    rows = [dict(_flat(row)) if dict in map(type, row.values()) else row for row in rows]
    split = next((key for key in SPLITS if any(isinstance(row.get(key), str) for row in rows[:ROWS_SEARCHED])), None)
    return [_of_split(row, split) for row in rows] if split else rows


def _of_split(row: Row, key: str) -> Row:
    """The row with its split as a prefix of its names, where it names one."""
    split = str(row.get(key)).lower()
    if split not in TRAIN | HELD_OUT:
        return row
    return {(name if name in COUNTS else f"{split}/{name}"): value for name, value in row.items() if name != key}


def _with_swifts_step(row: Row) -> Row:
    """A row of ms-swift's logging.jsonl, which gives the step as ``"global_step/max_steps": "10/400"``."""
    counted = row.get("global_step/max_steps")
    if not isinstance(counted, str) or "/" not in counted:
        return row
    step, _, total = counted.partition("/")
    return {**row, "step": step, "max_steps": total}


def _all_at_once(lines: list[str]) -> list[object] | None:
    """The values on the lines, parsed as one list, which is several times as fast; None when that cannot be done."""
    try:
        found = json.loads(f"[{','.join(lines)}]")
    except (ValueError, RecursionError):
        return None
    return found if len(found) == len(lines) else None  # else an object runs over the end of its line


def _object(line: str) -> object:
    """The JSON value on a line, None when there is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _flat(row: Mapping[str, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Names and values, those of inner objects as ``outer/inner``."""
    for key, value in row.items():
        if isinstance(value, dict) and depth < 4:
            yield from _flat(value, prefix if key in WRAPPERS else f"{prefix}{key}/", depth + 1)
        else:
            yield prefix + key, value
