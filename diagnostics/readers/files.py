"""The error of a log that cannot be read, and the one way to open a file that ends in it."""

from __future__ import annotations

import stat
from pathlib import Path

from diagnostics.errors import BadInput

BLOCK = 1 << 20
MAX_TEXT_BYTES = 1 << 28
"""A longer text is not read: parsed, it takes several times as much memory. A million steps need half of it."""

MAX_EVENTS_BYTES = 1 << 31
"""A longer event file is not read."""

REPLACED = "\ufffd"
"""What stands for bytes that cannot be decoded."""


class UnreadableLog(BadInput):
    """A path holds no readable log; the message is one line: where, what, what to do."""


class Unopened(UnreadableLog):
    """A path is there and may not be opened, or the disk fails: whether it holds a log is unknown."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: cannot be opened: {why}")
        self.path = path

    def __reduce__(self) -> tuple[type[Unopened], tuple[Path, str]]:
        """How it is handed from one process to another."""
        return Unopened, (self.path, str(self).rpartition(": ")[2])


def content(path: Path, limit: int | None = None, *, most: int = MAX_EVENTS_BYTES) -> bytes:
    """The bytes of a file, the first ``limit`` when given.

    Raises ``UnreadableLog`` when the file is missing, may not be opened, is not a regular file, or is to be read whole
    and has more than ``most`` bytes.
    """
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and (limit is not None or found.st_size <= most):
            with path.open("rb") as file:
                return file.read(most if limit is None else limit)
    except FileNotFoundError:
        raise UnreadableLog(f"{path}: the file or folder does not exist; check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise unopened(path, error) from None
    if stat.S_ISREG(found.st_mode):
        sizes = f"the file has {found.st_size >> 20:,} MiB, and at most {most >> 20:,} MiB are read"
        raise UnreadableLog(f"{path}: {sizes}; log less often, or give a part of it")
    raise UnreadableLog(f"{path}: the path is not a file; give a run's folder or a log file")


def content_without_zero_tail(path: Path) -> bytes:
    """The bytes of a file without the zeros that a crash or a reservation leaves at its end, except a few of them.

    Raises ``UnreadableLog`` as ``content`` does.
    """
    content(path, 1)
    zeros = bytes(BLOCK)
    try:
        with path.open("rb") as file:
            end = path.stat().st_size
            while end > 2 * BLOCK and file.seek(end - BLOCK) and file.read(BLOCK) == zeros:
                end -= BLOCK
    except OSError as error:
        raise unopened(path, error) from None
    return content(path, end if end < path.stat().st_size else None)


def text(path: Path, limit: int | None = None, *, most: int = MAX_TEXT_BYTES) -> str:
    """The text of a file as UTF-8, as Windows' Latin-1 or, with its mark, UTF-16; other bytes become replacements.

    Raises ``UnreadableLog`` as ``content`` does, and when the file is binary.
    """
    data = content(path, limit, most=most)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").rstrip("\0")
    data = data.rstrip(b"\0")  # a crash of the machine leaves them
    if b"\0" in data:
        raise UnreadableLog(f"{path}: the file is binary and not a known log format; give an event file or a text log")
    return _decoded(data.removeprefix(b"\xef\xbb\xbf"))


def _decoded(data: bytes) -> str:
    """The text of bytes in UTF-8 or, where no sign beyond ASCII is valid in it, in the Latin alphabet of Windows."""
    found = data.decode("utf-8", "replace")
    if found.isascii() or REPLACED not in found[:-1] or not found.replace(REPLACED, "").isascii():
        return found  # a cut in the middle of a sign leaves one replacement at the end
    return data.decode("cp1252", "replace")


def unopened(path: Path, error: OSError | ValueError) -> Unopened:
    """The error of a path that may not be opened."""
    return Unopened(path, reason(error))


def reason(error: OSError | ValueError) -> str:
    """The operating system's own reason, on one line."""
    return " ".join((getattr(error, "strerror", None) or str(error)).split()).lower()
