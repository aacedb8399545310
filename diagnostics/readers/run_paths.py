"""Paths of runs that share a file: ``export.csv#name``, which ``find_runs`` lists and ``read`` takes."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

SIGN = "#"
PLAIN = "".join(chr(code) for code in range(32, 127) if chr(code) not in "/%\\")
"""What may stand in a file's name as it is; the rest of a run's name is written as in an address of the web."""


def of_run(file: Path, run: str) -> Path:
    """The path of a run inside a file."""
    return file.with_name(f"{file.name}{SIGN}{quote(run, safe=PLAIN)}")


def split(path: Path) -> tuple[Path, str | None]:
    """The file and the name of the run inside it; a path that exists as it stands is no such path."""
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
