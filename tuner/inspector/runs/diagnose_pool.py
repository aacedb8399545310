"""Runs diagnosed beside the server: a few processes take one run after another, and no page waits for them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from tuner.inspector.runs.diagnose_worker import Task, as_line, row_in
from tuner.inspector.runs.row import Row, unreadable_row

MAX_SECONDS_PER_LOG = 120.0
"""A log that takes longer is called unreadable, and its process is ended."""

COMMAND = (sys.executable, "-P", "-m", "tuner.inspector.runs.diagnose_worker")
SOURCE_ROOT = Path(__file__).parents[3]
NICENESS = 5  # the pages come first


class DiagnosePool:
    """Processes that diagnose runs: ``submit`` returns at once, and ``on_row`` is called with each row as it comes.

    A log that hangs or kills its process costs only that run its verdict. The processes end when there is nothing left
    to do, and with the server.
    """

    def __init__(
        self, on_row: Callable[[Task, Row], None], count: int | None = None, seconds: float = MAX_SECONDS_PER_LOG
    ) -> None:
        """``count`` processes, by default one for each core, at most four; none is started before ``submit``."""
        self._on_row = on_row
        self._count = count or min(4, os.cpu_count() or 1)
        self._seconds = seconds
        self._waiting: deque[Task] = deque()
        self._working = 0
        self._lock = threading.Lock()

    def submit(self, tasks: Iterable[Task]) -> None:
        """Have these runs diagnosed, in this order, after those that are already waiting."""
        with self._lock:
            self._waiting.extend(tasks)
            new = min(self._count - self._working, len(self._waiting))
            self._working += max(0, new)
        for _ in range(new):
            threading.Thread(target=self._work, name="diagnose", daemon=True).start()

    def _next(self) -> Task | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._working -= 1
            return None

    def _work(self) -> None:
        """Work off the tasks with one process, and a new one whenever that is lost."""
        task = self._next()
        while task is not None:
            with _process() as process:
                while task is not None and (row := self._answer(process, task)) is not None:
                    self._on_row(task, row)
                    task = self._next()
            if task is not None:
                why = "diagnosing it took too long or ended the process that tried"
                self._on_row(task, unreadable_row(task.id, task.name, why, task.written, task.study))
                task = self._next()

    def _answer(self, process: subprocess.Popen[str], task: Task) -> Row | None:
        """The row, None when the process is lost."""
        timer = threading.Timer(self._seconds, process.kill)
        timer.start()
        try:
            cast(IO[str], process.stdin).write(as_line(task))
            cast(IO[str], process.stdin).flush()
            line = cast(IO[str], process.stdout).readline()
            return row_in(line) if line.endswith("\n") else None
        except (OSError, ValueError):
            return None
        finally:
            timer.cancel()


@contextmanager
def _process() -> Iterator[subprocess.Popen[str]]:
    # A fork of a server with threads is not safe, and a spawned one would run the page's script again.
    home = os.pathsep.join(part for part in (str(SOURCE_ROOT), os.environ.get("PYTHONPATH", "")) if part)
    alone = {**os.environ, "PYTHONPATH": home, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=alone
    )
    try:
        _lower_priority(process.pid)
        yield process
    finally:
        process.kill()
        process.communicate()


def _lower_priority(pid: int) -> None:
    if hasattr(os, "setpriority"):
        try:
            os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid) + NICENESS)
        except OSError:  # it has ended, or may not be changed here
            return
