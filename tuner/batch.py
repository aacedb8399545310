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
from diagnostics.report.write import Unreadable

Found = tuple[Run, Diagnosis] | Unreadable
Tags = Mapping[str, str] | None

MANY = 64
"""From so many runs on, starting a second process costs less than it saves."""

CHUNK = 8

_over: c_bool | None = None
"""In a process that shares the work: whether the first one wants no more of it."""


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
    done, context = 0, _context()
    over = context.RawValue(c_bool, False)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(over,)) as pool:
        try:
            with _no_interrupts():
                answers = pool.map(partial(_unless_over, judge), places, chunksize=CHUNK)
            for one in answers:
                yield one
                done += 1
        except BrokenProcessPool:
            yield from map(judge, islice(places, done, None))
        except BaseException:
            # Else leaving the block waits for the runs that were shared out, by then of interest to nobody.
            over.value = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _unless_over(judge: Callable[[Path | Unreadable], Found], place: Path | Unreadable) -> Found:
    """The run judged, unless the first process wants no more of them."""
    return Unreadable(str(place), "stopped") if _over is not None and _over.value else judge(place)


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
