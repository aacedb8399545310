"""Runs found, read and diagnosed: one by one, or by several processes where there are many."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from ctypes import c_bool
from dataclasses import replace
from functools import partial
from itertools import islice
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TypeVar

from diagnostics.diagnosis.baseline import compare
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.readers import read, search
from diagnostics.readers.run_names import names_apart
from diagnostics.report.terminal_table import sketch
from diagnostics.report.write import UnreadRun
from tuner.time_limit import time_limit

Pair = tuple[Run, Diagnosis]
Diagnosed = Pair | UnreadRun
Made = TypeVar("Made")
Item = TypeVar("Item")
Tags = Mapping[str, str] | None

RUNS_PER_PROCESS = 64
"""Each process must get this many runs: starting one costs less than it saves only then."""

RUNS_PER_TASK = 8
"""Runs that are handed to a process at a time."""

FEW_RUNS = 3
"""So many runs are shown one by one, more of them as a table."""

OUTPUT_ENDED = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT)
"""Errors of the place that is printed to: they end the command, whichever run is being printed."""

MAX_ERROR_CHARACTERS = 200

MAX_SECONDS = 60.0
"""What one of several runs may take; a log of 1.5 million rows takes 6."""

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
    yield from diagnose_places(places(paths, tags), tags, curves=curves, baseline=baseline, workers=workers)


def diagnose_places(
    found: Sequence[Path | UnreadRun],
    tags: Tags = None,
    *,
    curves: bool = True,
    baseline: Run | None = None,
    workers: int | None = None,
) -> Iterator[Diagnosed]:
    """The same for ``places`` that were found before."""
    whole = curves or len(found) <= FEW_RUNS
    seconds = MAX_SECONDS if len(found) > 1 else None
    work = partial(diagnosed, tags=tags, curves=whole, baseline=baseline, seconds=seconds)
    answers = each(found, work, workers=workers)
    names = names_of(found)
    for place, answer in zip(found, answers, strict=True):
        yield answer if isinstance(answer, UnreadRun) else named(answer, names[str(place)])


def names_of(found: Sequence[Path | UnreadRun]) -> dict[str, str]:
    """The name of each run that tells it apart from the others, by its path."""
    runs = [place for place in found if isinstance(place, Path)]
    return dict(zip(map(str, runs), names_apart(runs), strict=True))


def named(pair: Pair, name: str) -> Pair:
    """A run and its diagnosis under the name that tells it apart from the others."""
    run, diagnosis = pair
    return pair if run.name == name else (replace(run, name=name), replace(diagnosis, run=name))


def each(items: Sequence[Item], work: Callable[[Item], Made], *, workers: int | None = None) -> Iterator[Made]:
    """What ``work`` makes of each item, in order; several processes share the items when there are many."""
    count = workers if workers is not None else min(_cores(), len(items) // RUNS_PER_PROCESS + 1)
    yield from map(work, items) if min(count, len(items)) < 2 else _in_processes(items, work, count)


def places(paths: Sequence[Path], tags: Tags = None) -> list[Path | UnreadRun]:
    """The runs at or below the paths, in order, and why there is none."""
    return [place for path in paths for place in _places(path, tags)]


def _places(path: Path, tags: Tags) -> Sequence[Path | UnreadRun]:
    """The runs at or below a path, or why there is none."""
    found = guarded(str(path), partial(search, path, tags))
    if isinstance(found, UnreadRun):
        return [found]
    if not found.runs and not found.closed:
        why = f"{path}: no training log at or below this path; see the README for the formats"
        return [UnreadRun(str(path), why)]
    return [*found.runs, *(UnreadRun(str(error.path), str(error)) for error in found.closed)]


def diagnosed(
    place: Path | UnreadRun,
    tags: Tags = None,
    *,
    curves: bool = True,
    baseline: Run | None = None,
    seconds: float | None = None,
) -> Diagnosed:
    """The run at a place with its diagnosis, or why there is none; ``seconds`` bounds the time that it takes."""
    if isinstance(place, UnreadRun):
        return place

    def made() -> Pair:
        with nullcontext() if seconds is None else time_limit(seconds, str(place)):
            return _read_and_diagnosed(place, tags, curves, baseline)

    return guarded(str(place), made)


def _read_and_diagnosed(place: Path, tags: Tags, curves: bool, baseline: Run | None) -> tuple[Run, Diagnosis]:
    run = read(place, tags)
    verdict = diagnose(run)
    if baseline is not None:
        verdict = replace(verdict, baseline=compare(run, baseline))
    return run if curves else replace(run, curves=sketch(run)), verdict


def guarded(run: str, make: Callable[[], Made]) -> Made | UnreadRun:
    """What ``make`` gives for a run, or one line on why it failed: a bug must not take the other runs with it."""
    try:
        return make()
    except BadInput as error:
        return UnreadRun(run, str(error))
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OUTPUT_ENDED:
            raise
        return UnreadRun(run, unexpected(run, error))


def each_that_can(pairs: Sequence[Pair], make: Callable[[Sequence[Pair]], Made]) -> tuple[Made, list[UnreadRun]]:
    """What ``make`` gives for the runs, without those on which it fails, and a line on each of these."""
    try:
        return make(pairs), []
    except Exception:
        tried = [(pair, guarded(pair[0].name, partial(make, [pair]))) for pair in pairs]
    kept = [pair for pair, made in tried if not isinstance(made, UnreadRun)]
    return make(kept), [made for _, made in tried if isinstance(made, UnreadRun)]


def unexpected(run: str, error: Exception) -> str:
    """One line on an error that is a bug: what, where, and what to do."""
    if isinstance(error, MemoryError):
        return f"{run}: does not fit in memory; give a shorter log"
    frames = traceback.extract_tb(error.__traceback__)
    where = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:MAX_ERROR_CHARACTERS]
    return f"{run}: a bug in tuner ({what}{where}); please report it with this log"


def _in_processes(items: Sequence[Item], work: Callable[[Item], Made], count: int) -> Iterator[Made]:
    """The same by several processes, in order; what a process that was killed leaves is done here."""
    done, context = 0, _context()
    over = context.RawValue(c_bool, False)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(over,)) as pool:
        try:
            with _no_interrupts():
                answers = pool.map(partial(_unless_over, work), items, chunksize=RUNS_PER_TASK)
            for one in answers:
                yield one
                done += 1
        except BrokenProcessPool:
            yield from map(work, islice(items, done, None))
        except BaseException:
            # Otherwise leaving the block waits for the runs that were handed out and that nobody wants any more.
            over.value = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _unless_over(work: Callable[[Item], Made], item: Item) -> Made:
    """What the work makes of an item, unless the first process wants no more of it."""
    if _over is not None and _over.value:
        raise InterruptedError
    return work(item)


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
