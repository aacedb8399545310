"""Processes that outlive a page: which one it is, whether it still runs, and how it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
SETTLES = 20
"""Hundredths of a second in which an empty command line may yet be filled, or the process be gone."""


@dataclass(frozen=True)
class Process:
    """A process by its number and when it began, as the system tells it: numbers are given out again."""

    pid: int
    began: str


def process(pid: int) -> Process | None:
    """The process of that number as it is now; None when there is none, or it has ended and only waits to be read."""
    told = _told(pid)
    return Process(pid, told[0]) if told else None


def is_running(known: Process, words: str) -> bool:
    """Whether it still runs, is the same one, and has ``words`` in its command line.

    The number and the time come out of a file that anybody may have written, so the command line has to agree.
    """
    told = _told(known.pid)
    return told is not None and told[0] == known.began and words in told[1]


def interrupt(known: Process) -> None:
    """Ask it to stop in good order. Its children are left alone: a loader that dies first would look like an error."""
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


def _told(pid: int) -> tuple[str, str] | None:
    """When a process began and its command line; None when it is over."""
    if pid <= 1:
        return None
    return _from_proc(pid) if (PROC / "self" / "stat").exists() else _from_ps(pid)


def _from_proc(pid: int) -> tuple[str, str] | None:
    # While a process takes over its program, and while it ends, its command line reads as empty for a moment.
    told = _read_proc(pid)
    for _ in range(SETTLES):
        if told is None or told[1]:
            break
        time.sleep(0.01)
        told = _read_proc(pid)
    return told


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
    asked = ["ps", "-ww", "-o", "stat=,lstart=,command=", "-p", str(pid)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    fields = told.stdout.split(maxsplit=6)  # state, five words of time, command
    return None if len(fields) < 7 or fields[0].startswith("Z") else (" ".join(fields[1:6]), fields[6])
