"""The runs of a file that holds many, parsed once: whoever reads one of them reads the others next."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from diagnostics.readers.files import UnreadableLog, unopened
from diagnostics.readers.raw_log import Log

Logs = Mapping[str, Log]
ReadAll = Callable[[Path], Logs]
Key = tuple[ReadAll, str, int, int]

_last: tuple[Key, Logs | UnreadableLog] | None = None
"""The last file with its time and size, and its logs, or why there are none."""


def logs_of(path: Path, read_all: ReadAll) -> Logs:
    """The logs in a file by the names of their runs, parsed again only when the file, its time or its size changed.

    Raises ``UnreadableLog`` as ``read_all`` does.
    """
    global _last
    try:
        state = path.stat()
    except OSError as error:
        raise unopened(path, error) from None
    key = read_all, os.path.abspath(path), state.st_mtime_ns, state.st_size
    last = _last
    if last is None or last[0] != key:
        last = _last = key, _logs_or_error(path, read_all)
    if isinstance(last[1], UnreadableLog):
        raise last[1]
    return last[1]


def _logs_or_error(path: Path, read_all: ReadAll) -> Logs | UnreadableLog:
    try:
        return read_all(path)
    except UnreadableLog as error:
        return error
