"""Rows kept on disk between two visits, so that a folder of a thousand runs opens at once the second time.

They are kept in the user's cache folder, never beside the runs. A row counts only while its run's files are unchanged
and the rules are those that made it; a file that cannot be read or written is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import diagnostics
from diagnostics.readers.file_state import FileState
from tuner.inspector.runs import row
from tuner.inspector.runs.row import Row, row_of

Rows = Mapping[str, tuple[FileState, Row]]


def place_of(folder: Path) -> Path:
    """Where the rows of the runs below ``folder`` are kept."""
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]
    return Path(above).expanduser() / "tuner" / "inspector" / f"{name}.json"


def load(place: Path) -> dict[str, tuple[FileState, Row]]:
    """The rows that were kept at that place; none when there are none, or the rules have changed since."""
    try:
        kept = json.loads(place.read_bytes())
        if kept["rules"] != code_version():
            return {}
        return {run_id: (_file_state(files), row_of(row)) for run_id, (files, row) in kept["rows"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def save(place: Path, rows: Rows) -> bool:
    """Whether the rows could be kept at that place; readers see the old file or the new one, never half of it."""
    kept = {run_id: (files, asdict(row)) for run_id, (files, row) in rows.items()}
    half = ""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, half = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"rules": code_version(), "rows": kept}, file)
        os.replace(half, place)
    except OSError:
        if half:
            Path(half).unlink(missing_ok=True)
        return False
    return True


@cache
def code_version() -> str:
    """What changes whenever the code that reads and diagnoses runs changes; taken once in the life of a process."""
    sources = [*sorted(Path(diagnostics.__file__).parent.rglob("*.py")), Path(row.__file__)]
    states = [(str(file), entry.st_mtime_ns, entry.st_size) for file in sources for entry in [file.stat()]]
    return hashlib.sha256(repr(states).encode()).hexdigest()


def _file_state(files: list[list[object]]) -> FileState:
    return tuple((str(name), int(str(changed)), int(str(size))) for name, changed, size in files)
