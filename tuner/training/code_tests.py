"""Answers that are Python, run against the tests of their row: in a process of their own, with little of everything.

This runs code that a model wrote, and is done only where a study file asks for pass@k. The process has no environment
and an empty folder, and limits of time, memory and file size; it is no sandbox against a hostile program.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuner.errors import SpecError

SECONDS = 10
MEMORY = 2**30
FILE_SIZE = 2**20
TESTS = ("test", "tests", "test_list")
FENCED = re.compile(r"```(?:python|py)?\n(.*?)```", re.DOTALL)


def passes(answer: str, columns: Mapping[str, Any]) -> bool:
    """Whether the code in an answer passes the tests of its row; raises ``SpecError`` for a row without tests."""
    tests = next((columns[name] for name in TESTS if columns.get(name)), None)
    if tests is None:
        raise SpecError(f"study.metric: pass@k needs a column of tests ({', '.join(TESTS)}) in the held-out rows")
    fenced = FENCED.search(answer)
    lines = [fenced.group(1) if fenced else answer, *([tests] if isinstance(tests, str) else tests)]
    if columns.get("entry_point"):  # HumanEval's tests define check(candidate)
        lines.append(f"check({columns['entry_point']})")
    return _runs("\n".join(map(str, lines)))


def _runs(program: str) -> bool:
    """Whether a program comes to its end, in time: one that leaves early, with whatever status, does not."""
    word = secrets.token_hex(16)
    program += f"\nopen('end', 'w').write('{word}')\n"
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", program],
            cwd=folder,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_limit,
        )
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            return False
        finally:
            _end(process)
        end = Path(folder) / "end"
        return end.is_file() and end.read_text(encoding="utf-8", errors="replace") == word


def _limit() -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
    ):
        resource.setrlimit(what, (most, most))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
