"""Paths of runs that share a file: ``export.csv#name``, which ``find_runs`` lists and ``read`` takes."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

SIGN = "#"
PLAIN = "".join(chr(code) for code in range(32, 127) if chr(code) not in "/%\\")
"""Characters of a run's name that stay as they are; the others are percent-encoded."""


def of_run(file: Path, run: str) -> Path:
    """The path of a run inside a file."""
    return file.with_name(f"{file.name}{SIGN}{quote(run, safe=PLAIN)}")


def split(path: Path) -> tuple[Path, str | None]:
    """The file and the name of the run inside it; an existing path is never split."""
    if SIGN not in path.name or os.path.lexists(path):
        return path, None
    for place in (at for at, sign in enumerate(path.name) if sign == SIGN and at):
        file = path.with_name(path.name[:place])
        if os.path.isfile(file):
            return file, unquote(path.name[place + 1 :])
    return path, None


def file_of(path: Path) -> Path:
    """The file or folder on disk that a run's path leads to."""
    return split(path)[0]
