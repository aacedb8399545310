"""Runs and studies that were started from the page: found again from their files, whoever started them.

Beside what ``tuner`` writes into the output folder, a started run keeps a hidden folder ``.job`` there: ``job.json``
(what was started, as which process), ``log.txt`` (what it printed), ``stop`` (when a stop was requested) and ``exit``.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Thread

from tuner.config.bounded_read import read_json
from tuner.inspector.jobs import processes
from tuner.inspector.jobs.processes import Process
from tuner.inspector.jobs.worker import EXIT

HIDDEN, RECORD, LOG, STOP = ".job", "job.json", "log.txt", "stop"
MAX_DEPTH = 3
GRACE_SECONDS = 30.0
"""Seconds that a run gets to save itself after a stop was requested."""
INTERRUPTED = 130
TAIL_BYTES = 16_384
"""How much of the end of the log is read for its last lines."""


class State(StrEnum):
    """What became of a started run."""

    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """A started ``train`` or ``study``; ``name`` is its output folder, relative to the opened folder.

    ``began`` and ``ended`` are seconds since 1970; ``status`` is the exit status, None while it runs or when it was
    killed before it could tell.
    """

    name: str
    kind: str
    folder: Path
    file: Path
    state: State
    process: Process
    began: float
    ended: float | None = None
    status: int | None = None

    @property
    def log(self) -> Path:
        """Where it prints to."""
        return self.folder / HIDDEN / LOG

    @property
    def is_on(self) -> bool:
        """Whether its process runs."""
        return self.state in (State.RUNNING, State.STOPPING)


def jobs(root: Path) -> list[Job]:
    """Everything that was started at or a little below ``root``, the latest first."""
    inside = root.resolve()
    found = []
    for deep in range(MAX_DEPTH + 1):
        for path in root.glob("*/" * deep + f"{HIDDEN}/{RECORD}"):
            folder = path.parent.parent
            if path.resolve().is_relative_to(inside) and (known := job(root, folder)):
                found.append(known)
    return sorted(found, key=lambda one: -one.began)


def job(root: Path, folder: Path) -> Job | None:
    """What was started into ``folder``, and its state now; None when nothing was, or its record cannot be read."""
    try:
        raw = read_json(folder / HIDDEN / RECORD)
        known = Process(int(raw["pid"]), str(raw["process"]))
        kind, file, began = str(raw["kind"]), (root / str(raw["file"])).resolve(), float(raw["began"])
        name = folder.resolve().relative_to(root.resolve()).as_posix()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The record is a file like any other: what it names must lie in the opened folder, as all that is started does.
    if kind not in ("train", "study") or not file.is_relative_to(root.resolve()):
        return None
    state, ended, status = _standing(folder, known)
    return Job(name, kind, folder, file, state, known, began, ended, status)


def _standing(folder: Path, known: Process) -> tuple[State, float | None, int | None]:
    """The state of a started run, when it ended, and its exit status."""
    stop_requested = (folder / HIDDEN / STOP).exists()
    if processes.is_running(known, mark(folder)):
        return (State.STOPPING if stop_requested else State.RUNNING), None, None
    try:
        exit_file = folder / HIDDEN / EXIT
        status, ended = int(exit_file.read_text()), exit_file.stat().st_mtime
    except (OSError, ValueError):
        status, ended = None, None
    if status == 0:
        return State.FINISHED, ended, status
    return (State.STOPPED if stop_requested or status == INTERRUPTED else State.FAILED), ended, status


def mark(folder: Path) -> str:
    """What stands in the command line of the process that was started into ``folder``, and of no other."""
    return f"tuner.inspector.jobs.worker {folder.resolve() / HIDDEN} "


def write_record(root: Path, folder: Path, kind: str, file: Path, started: Process) -> None:
    """Note what was started, whole or not at all."""
    raw = {
        "kind": kind,
        "file": file.resolve().relative_to(root.resolve()).as_posix(),
        "pid": started.pid,
        "process": started.began,
        "began": time.time(),
    }
    half = folder / HIDDEN / f"{RECORD}.{os.getpid()}"
    half.write_text(json.dumps(raw), encoding="utf-8")
    half.replace(folder / HIDDEN / RECORD)


def stop(started: Job, grace: float = GRACE_SECONDS) -> None:
    """Request that a run save itself and stop; what still runs after ``grace`` seconds is killed. Returns at once."""
    if not processes.is_running(started.process, mark(started.folder)):
        return
    (started.folder / HIDDEN / STOP).write_text(str(time.time()))
    processes.interrupt(started.process)
    Thread(target=_kill_late, args=(started, grace), daemon=True).start()


def kill(started: Job) -> None:
    """End a run at once; it can be resumed from its last checkpoint."""
    if processes.is_running(started.process, mark(started.folder)):
        (started.folder / HIDDEN / STOP).write_text(str(time.time()))
        processes.kill(started.process)


def _kill_late(started: Job, grace: float) -> None:
    end = time.monotonic() + grace
    while time.monotonic() < end:
        if not processes.is_running(started.process, mark(started.folder)):
            return
        time.sleep(0.1)
    kill(started)


def last_lines(started: Job, lines: int = 12) -> str:
    """The last lines that a run printed; empty while it has said nothing."""
    try:
        with started.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
