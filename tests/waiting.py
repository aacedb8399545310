"""Waiting for what another thread or process does, on slow machines too."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any


def until(
    claim: Callable[[], object], what: str, process: subprocess.Popen[Any] | None = None, seconds: float = 120
) -> None:
    """Return once ``claim()`` holds; an error when ``process`` is over before that, or after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        over = process is not None and process.poll() is not None
        if claim():
            return
        if over:
            assert process is not None
            said = process.stderr or process.stdout
            raise AssertionError(f"over (status {process.returncode}) before {what}: {said and said.read()}")
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
