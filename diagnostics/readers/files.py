"""The error of a log that cannot be read, and the one way to open a file that ends in it."""

from __future__ import annotations

import stat
from pathlib import Path

from diagnostics.errors import BadInput


class UnreadableLog(BadInput):
    """A path holds no readable log; the message is one line: where, what, what to do."""


def content(path: Path, limit: int | None = None) -> bytes:
    """The bytes of a file, the first ``limit`` when given.

    Raises ``UnreadableLog`` when the file is missing, may not be opened, or is not a regular file.
    """
    try:
        plain = stat.S_ISREG(path.stat().st_mode)
        if plain:
            with path.open("rb") as file:
                return file.read() if limit is None else file.read(limit)
    except FileNotFoundError:
        raise UnreadableLog(f"{path}: the file or folder does not exist; check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise UnreadableLog(f"{path}: cannot be opened: {reason(error)}") from None
    raise UnreadableLog(f"{path}: the path is not a file; give a run's folder or a log file")


def text(path: Path, limit: int | None = None) -> str:
    """The text of a file as UTF-8 or, with its mark, UTF-16; bytes that are neither become replacement characters.

    Raises ``UnreadableLog`` as ``content`` does, and when the file is binary.
    """
    data = content(path, limit)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise UnreadableLog(f"{path}: the file is binary and not a known log format; give an event file or a text log")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def reason(error: OSError | ValueError) -> str:
    """The operating system's own reason, on one line."""
    return " ".join((getattr(error, "strerror", None) or str(error)).split()).lower()
