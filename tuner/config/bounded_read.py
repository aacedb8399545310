"""Reading at most so many bytes of what a path names, as they are or as JSON, and waiting no longer than a moment."""

from __future__ import annotations

import errno
import json
import os
import select
import stat
from pathlib import Path
from typing import Any

MAX_JSON_BYTES = 64_000_000
PATIENCE = 4.0
"""Seconds without a byte after which a pipe is given up: nobody may be there to write into it."""


def read_bounded(path: Path, most: int) -> bytes:
    """The first ``most`` bytes; raises ``OSError``, ``TimeoutError`` where nothing comes from a pipe or a device."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb", buffering=0) as file:
        is_file = stat.S_ISREG(os.fstat(handle).st_mode)
        read = b""
        while len(read) < most:
            if not is_file and not select.select([handle], [], [], PATIENCE)[0]:
                raise TimeoutError(errno.ETIMEDOUT, f"nothing came from it within {PATIENCE:g} s")
            part = file.read(most - len(read))
            if not part:
                break
            read += part
        return read


def read_json(path: Path, most: int = MAX_JSON_BYTES) -> Any:
    """The value in a JSON file that anybody may have written.

    Raises ``OSError``, and ``ValueError`` for what is no JSON, nested too deep, or of more than ``most`` bytes.
    """
    raw = read_bounded(path, most + 1)
    if len(raw) > most:
        raise ValueError(f"larger than {most // 1_000_000} MB")
    try:
        return json.loads(raw.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deep") from None
