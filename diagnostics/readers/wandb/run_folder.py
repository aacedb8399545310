"""A W&B run's folder: ``run-ID.wandb`` holds its history and its config, each record a protobuf message.

The numbers of the fields are those of ``wandb_internal.proto``: of ``Record``, ``HistoryRecord``, ``HistoryItem``,
``RunRecord`` and ``ConfigRecord``.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from diagnostics.model.message import message
from diagnostics.readers.files import UnreadableLog, content, content_without_zero_tail
from diagnostics.readers.raw_log import Log
from diagnostics.readers.tabular.rows import Row, log_of_rows
from diagnostics.readers.tensorboard.event_proto import BYTES, FIXED64, VARINT, Damaged, Field, fields
from diagnostics.readers.wandb.leveldb_log import MAGIC, Records

ENDING = ".wandb"
HISTORY, CONFIG, RUN = 2, 5, 17
HISTORY_ITEM, RUN_CONFIG, CONFIG_UPDATE = 1, 4, 1
KEY, NESTED_KEY, BOOLEAN, INTEGER, NUMBER, TEXT, VALUE_JSON = 1, 2, 4, 5, 6, 7, 16
MAX_VALUE = 1 << 16
"""A longer value of the history is a picture or a table."""


def log_file(names: tuple[str, ...]) -> str | None:
    """The log among the names in a folder, None when the folder is not that of a run."""
    return next((name for name in names if name.endswith(ENDING) and name.startswith("run-")), None)


def reads(path: Path) -> bool:
    """Whether the path is a W&B run's folder or the log in it."""
    if os.path.isfile(path):
        return path.suffix == ENDING and content(path, len(MAGIC)) == MAGIC
    try:
        return os.path.isdir(path) and log_file(tuple(os.listdir(path))) is not None
    except OSError:
        return False


def read_log(path: Path) -> Log:
    """The log of a run, with its config as options. Raises ``UnreadableLog`` when it cannot be read."""
    file = path if os.path.isfile(path) else path / (log_file(tuple(sorted(os.listdir(path)))) or "")
    raw = content_without_zero_tail(file)
    if not raw.startswith(MAGIC):
        raise UnreadableLog(f"{file}: not a log of W&B; export the run's history as CSV, or give its output.log")
    records = Records(raw)
    rows: list[Row] = []
    options: dict[str, object] = {}
    for record in records:
        try:
            rows += _history(record)
            options |= _config(record)
        except Damaged:
            records.damaged += 1
    if not rows:
        raise UnreadableLog(f"{file}: the log holds no history yet; wait for the first log point")
    log = log_of_rows(rows)
    notes = [message("records-damaged", file=file.name, places=records.damaged)] if records.damaged else []
    return replace(log, options={**options, **log.options}).with_notes(*notes)


def _history(record: bytes) -> Iterator[Row]:
    """The row of values in a record of the history, none in another."""
    for part in _inside(record, 0, len(record), HISTORY):
        row = dict(_items(record, part, HISTORY_ITEM))
        yield {key: value for key, value in row.items() if isinstance(value, (int, float, str))}


def _config(record: bytes) -> dict[str, object]:
    """The settings in a record of the run or of a change of its config, none in another."""
    parts = list(_inside(record, 0, len(record), CONFIG))
    for run in _inside(record, 0, len(record), RUN):
        parts += _inside(record, run.start, run.stop, RUN_CONFIG)
    found = {key: value for part in parts for key, value in _items(record, part, CONFIG_UPDATE)}
    return {key: value for key, value in found.items() if key != "_wandb"}


def _inside(data: bytes, start: int, stop: int, number: int) -> Iterator[Field]:
    return (part for part in fields(data, start, stop) if part.number == number and part.wire == BYTES)


def _items(data: bytes, message: Field, number: int) -> Iterator[tuple[str, object]]:
    """The keys and values in a message that lists them."""
    for item in _inside(data, message.start, message.stop, number):
        key: list[str] = []
        value: object = None
        for part in fields(data, item.start, item.stop):
            if part.number in (KEY, NESTED_KEY) and part.wire == BYTES:
                key.append(data[part.start : part.stop].decode("utf-8", "replace"))
            else:
                value = _value(data, part) if value is None else value
        if key and value is not None:
            yield "/".join(key), value


def _value(data: bytes, part: Field) -> object:
    """A value as JSON or in a field of its kind; None for what is no value of ours."""
    if part.number == VALUE_JSON and part.wire == BYTES and part.stop - part.start <= MAX_VALUE:
        try:
            return json.loads(data[part.start : part.stop])
        except (ValueError, RecursionError):
            return None
    if part.number == NUMBER and part.wire == FIXED64:
        return float(struct.unpack_from("<d", data, part.start)[0])
    if part.number == INTEGER and part.wire == VARINT:
        return (part.value >> 1) ^ -(part.value & 1)
    if part.number == BOOLEAN and part.wire == VARINT:
        return bool(part.value)
    if part.number == TEXT and part.wire == BYTES:
        return data[part.start : part.stop].decode("utf-8", "replace")
    return None
