"""Processes that begin with their libraries imported: each is a fork of a server that has loaded them once."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PRELOADED = ("tests.tuner.study.deadly",)
"""What the server imports before its first fork; whatever else a process needs, it imports itself."""


class Forked:
    """A process of its own that runs ``act``, whose words go to the file ``said``; used like a ``subprocess.Popen``."""

    stderr = None

    def __init__(self, said: Path, act: Callable[..., int | None], *args: object, **more: object) -> None:
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text("")
        self._said = said
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(PRELOADED))
        self._process = context.Process(target=_run, args=(said, act, args, more))
        self._process.start()

    @property
    def stdout(self) -> io.StringIO:
        """What it has printed so far."""
        return io.StringIO(self._said.read_text())

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The status, minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def send_signal(self, sign: signal.Signals) -> None:
        """Send it a signal, unless it is over."""
        if self.returncode is None:
            os.kill(self.pid, sign)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """All that it printed, once it is over; raises ``TimeoutExpired`` for one that is not by then."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
        return self._said.read_text(), None


def _run(said: Path, act: Callable[..., int | None], args: tuple[Any, ...], more: dict[str, Any]) -> None:
    """Run ``act`` with both streams in the file."""
    sys.stdout.flush()
    sys.stderr.flush()
    for stream in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_APPEND), stream)
    sys.exit(act(*args, **more))
