"""Runs found, read and diagnosed: one by one, or by several processes where there are many."""

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
from ctypes import c_bool
from dataclasses import replace
from functools import partial
from itertools import islice
from multiprocessing.context import BaseContext
from pathlib import Path

from diagnostics.diagnosis.baseline import compare
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.readers import UnreadableLog, find_runs, read
from diagnostics.report.terminal_table import sketch
from diagnostics.report.write import UnreadRun

Diagnosed = tuple[Run, Diagnosis] | UnreadRun
Tags = Mapping[str, str] | None

RUNS_PER_PROCESS = 64
"""Each process must get this many runs: starting one costs less than it saves only then."""

RUNS_PER_TASK = 8
"""Runs that are handed to a process at a time."""

FEW_RUNS = 3
"""So many runs are shown one by one, more of them as a table."""

_over: c_bool | None = None
"""In a process that shares the work: whether the first one wants no more of it."""


def diagnose_runs(
    paths: Sequence[Path],
    tags: Tags = None,
    *,
    curves: bool = True,
    baseline: Run | None = None,
    workers: int | None = None,
) -> Iterator[Diagnosed]:
    """Every run at or below the paths with its diagnosis, or why it could not be read, in the order of the paths.

    ``workers`` processes share the runs when there are many; by default as many as this process has cores. The runs
    come with a sketch of their loss where ``curves`` is False and there are more than a few: a table needs no more.
    Each is compared with the ``baseline``.
    """
    found = places(paths, tags)
    count = workers if workers is not None else min(_cores(), len(found) // RUNS_PER_PROCESS + 1)
    whole = curves or len(found) <= FEW_RUNS
    diagnose_one = partial(_diagnosed, tags=tags, curves=whole, baseline=baseline)
    yield from map(diagnose_one, found) if min(count, len(found)) < 2 else _in_processes(found, diagnose_one, count)


def places(paths: Sequence[Path], tags: Tags = None) -> list[Path | UnreadRun]:
    """The runs at or below the paths, in order, and why there is none."""
    return [place for path in paths for place in _places(path, tags)]


def _places(path: Path, tags: Tags) -> Sequence[Path | UnreadRun]:
    """The runs at or below a path, or why there is none."""
    try:
        runs = find_runs(path, tags)
        if not runs:
            raise UnreadableLog(f"{path}: no training log at or below this path; see the README for the formats")
    except UnreadableLog as error:
        return [UnreadRun(str(path), str(error))]
    return runs


def _diagnosed(place: Path | UnreadRun, tags: Tags, curves: bool, baseline: Run | None) -> Diagnosed:
    """The run at a place with its diagnosis, or why it could not be read."""
    if isinstance(place, UnreadRun):
        return place
    try:
        run = read(place, tags)
    except UnreadableLog as error:
        return UnreadRun(str(place), str(error))
    verdict = diagnose(run)
    if baseline is not None:
        verdict = replace(verdict, baseline=compare(run, baseline))
    return run if curves else replace(run, curves=sketch(run)), verdict


def _in_processes(
    places: Sequence[Path | UnreadRun], diagnose_one: Callable[[Path | UnreadRun], Diagnosed], count: int
) -> Iterator[Diagnosed]:
    """The same by several processes, in order; what a process that was killed leaves is done here."""
    done, context = 0, _context()
    over = context.RawValue(c_bool, False)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(over,)) as pool:
        try:
            with _no_interrupts():
                answers = pool.map(partial(_unless_over, diagnose_one), places, chunksize=RUNS_PER_TASK)
            for one in answers:
                yield one
                done += 1
        except BrokenProcessPool:
            yield from map(diagnose_one, islice(places, done, None))
        except BaseException:
            # Otherwise leaving the block waits for the runs that were handed out and that nobody wants any more.
            over.value = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _unless_over(diagnose_one: Callable[[Path | UnreadRun], Diagnosed], place: Path | UnreadRun) -> Diagnosed:
    """The run diagnosed, unless the first process wants no more of them."""
    return UnreadRun(str(place), "stopped") if _over is not None and _over.value else diagnose_one(place)


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


def _begin(over: c_bool) -> None:
    """Let the first process alone answer Ctrl-C: it ends the others, by ``over``."""
    global _over
    _over = over
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
