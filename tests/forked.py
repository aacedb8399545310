"""Processes that begin with their libraries imported: each is a fork of a server that has loaded them once."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path

PRELOADED = ("tests.tuner.study.deadly",)
"""What the server imports before its first fork; whatever else a process needs, it imports itself."""


def forked(said: Path, act: Callable[..., int], *args: object, seconds: float = 200.0) -> int:
    """The status of a process of its own that ran ``act``, minus the signal that ended it; ``said`` holds its words.

    Raises ``AssertionError`` for one that has not ended by then.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    process = context.Process(target=_run, args=(said, act, *args))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"no end within {seconds:g} s: {said.read_text()}")
    return process.exitcode


def _run(said: Path, act: Callable[..., int], *args: object) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    for stream in (1, 2):
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    sys.exit(act(*args))
