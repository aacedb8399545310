"""File locks that the kernel releases when their process dies, so that a killed trial can be taken up again."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held: set[str] = set()
_taking = threading.Lock()


class Lock:
    """A lock on a file, held until ``release`` or the end of the process."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path, self._handle = str(path.resolve()), handle

    def release(self) -> None:
        """Let others have it; a second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            _held.discard(self._path)


def try_lock(path: Path) -> Lock | None:
    """The lock on ``path``, or None when this or another process holds it."""
    with _taking:
        # A process may take its own POSIX lock twice, and would lose it by closing the second handle.
        if str(path.resolve()) in _held:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock(handle):
            os.close(handle)
            return None
        _held.add(str(path.resolve()))
        return Lock(path, handle)


@contextmanager
def locked(path: Path, patience: float = 600.0) -> Iterator[None]:
    """A block that one process at a time is in; raises ``TimeoutError`` after ``patience`` seconds."""
    end = time.monotonic() + patience
    while (lock := try_lock(path)) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"{path} has been locked by another process for {patience:.0f} s")
        time.sleep(0.05)
    try:
        yield
    finally:
        lock.release()


def _lock(handle: int) -> bool:
    """Whether the exclusive lock could be had without waiting.

    POSIX record locks (not ``flock``): a forked data worker that outlives its killed parent must not keep the lock.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
