"""Reading at most so many bytes of what a path names, and waiting no longer than a moment for it."""

from __future__ import annotations

import errno
import os
import select
import stat
from pathlib import Path

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
