"""Locks that end with the process that holds them, so that a killed worker leaves its trial to the others."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_held: set[str] = set()
_taking = threading.Lock()


class Lock(Protocol):
    """A lock that is held until ``release`` or the end of the process."""

    def release(self) -> None:
        """Let others have it; a second call does nothing."""

    def keep(self) -> bool:
        """Whether it is still held, taken again if it was lost and nobody else has it."""


class Locks(Protocol):
    """The locks of one study, by name, shared by all of its workers."""

    def try_lock(self, name: str) -> Lock | None:
        """The lock of that name, or None while this or another worker holds it."""

    def are_settled(self) -> bool:
        """Whether a lock that can be had belongs to nobody who is alive."""


class FileLock:
    """A lock on a file: the kernel releases it when the process dies."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path, self._handle = str(path.resolve()), handle

    def release(self) -> None:
        """Let others have it; a second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            _held.discard(self._path)

    def keep(self) -> bool:
        """True while it is not released: nobody can take it away."""
        return self._handle >= 0


@dataclass(frozen=True)
class FileLocks:
    """Locks as files in a folder, for the workers of one machine (or of a network file system that knows locks)."""

    folder: Path

    def try_lock(self, name: str) -> Lock | None:
        """The lock of that name, or None while this or another worker holds it."""
        return try_lock(self.folder / f"{name}.lock")

    def are_settled(self) -> bool:
        """True: the kernel takes a lock away from nobody."""
        return True


def try_lock(path: Path) -> FileLock | None:
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
        return FileLock(path, handle)


@contextmanager
def locked(locks: Locks, name: str, patience: float = 600.0) -> Iterator[None]:
    """A block that one worker at a time is in; raises ``TimeoutError`` after ``patience`` seconds."""
    end, pause = time.monotonic() + patience, 0.02
    while (lock := locks.try_lock(name)) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"the lock {name} of {locks} has been held by another worker for {patience:.0f} s")
        time.sleep(pause)
        pause = min(2 * pause, 0.5)
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
