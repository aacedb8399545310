"""Runs found, read and judged: one by one, or by several processes where there are many."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from multiprocessing.context import BaseContext
from pathlib import Path

from diagnostics.baseline import compare
from diagnostics.curves import Run
from diagnostics.diagnosis import diagnose
from diagnostics.readers import UnreadableLog, find_runs, read
from diagnostics.report import Unreadable
from diagnostics.verdict import Diagnosis

Found = tuple[Run, Diagnosis] | Unreadable
Tags = Mapping[str, str] | None

MANY = 64
"""From so many runs on, starting a second process costs less than it saves."""

CHUNK = 8


def found(
    paths: Sequence[Path],
    tags: Tags = None,
    *,
    curves: bool = True,
    baseline: Run | None = None,
    workers: int | None = None,
) -> Iterator[Found]:
    """Every run at or below the paths with its diagnosis, or why it could not be read, in the order of the paths.

    ``workers`` processes share the runs when there are many; by default as many as this process has cores. The runs
    come without their points where ``curves`` is False: most reports need none. Each is compared with the ``baseline``.
    """
    places: list[Path | Unreadable] = [place for path in paths for place in _places(path, tags)]
    count = workers if workers is not None else min(_cores(), len(places) // MANY + 1)
    judge = partial(_judged, tags=tags, curves=curves, baseline=baseline)
    yield from map(judge, places) if min(count, len(places)) < 2 else _shared(places, judge, count)


def _places(path: Path, tags: Tags) -> Sequence[Path | Unreadable]:
    """The runs at or below a path, or why there is none."""
    try:
        runs = find_runs(path, tags)
        if not runs:
            raise UnreadableLog(f"{path}: no training log at or below it; see the README for the formats")
    except UnreadableLog as error:
        return [Unreadable(str(path), str(error))]
    return runs


def _judged(place: Path | Unreadable, tags: Tags, curves: bool, baseline: Run | None) -> Found:
    """The run at a place with its diagnosis, or why it could not be read."""
    if isinstance(place, Unreadable):
        return place
    try:
        run = read(place, tags)
    except UnreadableLog as error:
        return Unreadable(str(place), str(error))
    verdict = diagnose(run)
    if baseline is not None:
        verdict = replace(verdict, baseline=compare(run, baseline))
    return run if curves else replace(run, curves={}), verdict


def _shared(
    places: Sequence[Path | Unreadable], judge: Callable[[Path | Unreadable], Found], count: int
) -> Iterator[Found]:
    """The same by several processes, in order; what a process that was killed leaves is done here."""
    done = 0
    with ProcessPoolExecutor(count, mp_context=_context(), initializer=_leave_interrupts) as pool:
        with _no_interrupts():
            answers = pool.map(judge, places, chunksize=CHUNK)
        try:
            for one in answers:
                yield one
                done += 1
        except BrokenProcessPool:
            yield from map(judge, islice(places, done, None))


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """A stretch in which Ctrl-C waits: the processes that begin in it inherit that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> BaseContext:
    """Forked processes where that is safe, for they need not import anything again."""
    alone = sys.platform == "linux" and threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone else "spawn")


def _leave_interrupts() -> None:
    """Let the first process alone answer Ctrl-C: it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
