"""Processes that outlive a page: which one it is, whether it still runs, and how it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MAX_READS = 20
"""Reads, a hundredth of a second apart, after which an empty command line is taken as it is."""


@dataclass(frozen=True)
class Process:
    """A process by its number and when it began, as the system has it: numbers are given out again."""

    pid: int
    began: str


def process(pid: int) -> Process | None:
    """The process of that number as it is now; None when there is none, or it has ended and only waits to be read."""
    found = _identity(pid)
    return Process(pid, found[0]) if found else None


def is_running(known: Process, words: str) -> bool:
    """Whether it still runs, is the same one, and has ``words`` in its command line.

    The number and the time come out of a file that anybody may have written, so the command line has to agree.
    """
    found = _identity(known.pid)
    return found is not None and found[0] == known.began and words in found[1]


def interrupt(known: Process) -> None:
    """Request that it stop in good order. Children are left alone: a loader that dies first looks like an error."""
    _send(known.pid, signal.SIGTERM, group=False)


def kill(known: Process) -> None:
    """End it and its children at once."""
    _send(known.pid, signal.SIGKILL, group=True)


def _send(pid: int, number: int, *, group: bool) -> None:
    if pid <= 1:
        return
    try:
        if group and os.getpgid(pid) == pid:  # only a group of its own, never that of the server
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return


def _identity(pid: int) -> tuple[str, str] | None:
    """When a process began and its command line; None when it is over."""
    if pid <= 1:
        return None
    return _from_proc(pid) if (PROC / "self" / "stat").exists() else _from_ps(pid)


def _from_proc(pid: int) -> tuple[str, str] | None:
    # While a process takes over its program, and while it ends, its command line reads as empty for a moment.
    found = _read_proc(pid)
    for _ in range(MAX_READS):
        if found is None or found[1]:
            break
        time.sleep(0.01)
        found = _read_proc(pid)
    return found


def _read_proc(pid: int) -> tuple[str, str] | None:
    try:
        # The name in brackets may hold spaces and brackets; the fields after it are counted from the third.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        command = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        boot = (PROC / "sys" / "kernel" / "random" / "boot_id").read_text()[:8]
    except OSError:
        return None
    return None if fields[0] in "ZX" else (f"{boot}-{fields[19]}", command)


def _from_ps(pid: int) -> tuple[str, str] | None:
    command = ["ps", "-ww", "-o", "stat=,lstart=,command=", "-p", str(pid)]
    printed = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    fields = printed.stdout.split(maxsplit=6)  # state, five words of time, command
    return None if len(fields) < 7 or fields[0].startswith("Z") else (" ".join(fields[1:6]), fields[6])
