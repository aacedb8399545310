"""The parent of a pool: it starts the workers, shows what they do in one display, and leaves none behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostics.model.message import message
from tuner.errors import Broken, Unfinished
from tuner.messages import text
from tuner.study.events import Closed, Event, Notice, Opened, Show
from tuner.study.interruptible import interruptible
from tuner.study.pool.worker import Job, work
from tuner.study.protocols import Train
from tuner.study.results import StudyResult

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from optuna.samplers import BaseSampler

    from tuner.config.study_file import StudySpec

WAITS = ("waiting-for-trial", "waiting-for-repeat")
"""Notices that mean nothing where the worker that is waited for is shown as well."""


def run_pool(
    spec: StudySpec,
    train: Train,
    out: Path,
    *,
    workers: int,
    storage: str | None = None,
    show: Show = lambda event: None,
    base: BaseSampler | None = None,
    verbose: bool = False,
) -> StudyResult:
    """As ``run_study``, by ``workers`` processes that share the cores; ``train`` and ``base`` must be picklable.

    A worker that is killed leaves its trial to the others. Ctrl-C and SIGTERM are passed on to all: each ends its step
    and saves it; a second one stops them at once. Raises what the first worker that fails raises, with the others
    stopped, and ``Unfinished`` when the last one is killed.
    """
    job = Job(spec, train, out, storage, base, max(1, _cores() // workers), verbose)
    pool = _Pool(job, workers, show)
    with interruptible():
        try:
            pool.start()
            return pool.result()
        finally:
            pool.stop()


class _Pool:
    """The processes of a study and what they have told so far."""

    def __init__(self, job: Job, workers: int, show: Show) -> None:
        self._job, self._workers, self._show = job, workers, show
        self._running: dict[Connection, SpawnProcess] = {}
        self._lifelines: list[Connection] = []
        self._seen: set[Any] = set()
        self._closed: Closed | None = None
        self._statuses: set[int] = set()

    def start(self) -> None:
        """Start every worker; each is told of the parent's end by a pipe that closes with it."""
        context = get_context("spawn")
        for number in range(self._workers):
            theirs, lifeline = context.Pipe(duplex=False)
            told, tells = context.Pipe(duplex=False)
            process = context.Process(target=work, args=(self._job, theirs, tells), name=f"tuner worker {number}")
            process.start()
            self._lifelines.append(lifeline)
            self._running[told] = process
            theirs.close()
            tells.close()

    def result(self) -> StudyResult:
        """Show events until all workers have ended; the result of the last."""
        for event in self._events():
            if isinstance(event, Broken):
                if isinstance(event.error, RuntimeError):
                    print(event.trace, file=sys.stderr)
                raise event.error
            self._tell(event)
        if self._closed is None:
            raise Unfinished(text(message("workers-killed", statuses=", ".join(map(str, sorted(self._statuses))))))
        self._show(self._closed)
        return self._closed.result

    def stop(self) -> None:
        """End the workers that still run: ask, insist when interrupted again, then kill."""
        for sign in ("terminate", "terminate", "kill"):
            for process in self._running.values():
                getattr(process, sign)()
            try:
                for _ in self._events():
                    pass  # a worker that waits for a reader would not end
            except KeyboardInterrupt:
                continue
            return

    def _events(self) -> Iterator[Event | Broken]:
        """What the workers tell until the last has ended."""
        while self._running:
            wait([*self._running, *(process.sentinel for process in self._running.values())])
            for told, process in list(self._running.items()):
                ended = not process.is_alive()  # asked first: what it told before its end is read below
                try:
                    while told.poll():
                        yield told.recv()
                except (EOFError, OSError):
                    process.join()
                    ended = True
                if ended:
                    del self._running[told]
                    self._statuses.add(process.exitcode or 0)

    def _tell(self, event: Event) -> None:
        """Show what one worker told, once where all of them tell it."""
        if isinstance(event, Closed):
            self._closed = event  # all wait for each other's repeats, so the last knows all
        elif isinstance(event, Opened):
            if Opened not in self._seen:
                self._seen.add(Opened)
                self._show(replace(event, workers=self._workers))
        elif isinstance(event, Notice):
            key = repr(event.message)
            if event.message.code not in WAITS and key not in self._seen:
                self._seen.add(key)
                self._show(event)
        else:
            self._show(event)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
