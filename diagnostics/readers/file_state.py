"""Whether a run has changed: the names, times and sizes of the files that it is read from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from diagnostics.readers import UnreadableLog, file_of
from diagnostics.readers.discovery import listing, parts
from diagnostics.readers.sidecars import AFTER_THE_LOG, BEFORE_THE_LOG, Folders, around, beside
from diagnostics.readers.split_files import partners_of
from diagnostics.readers.wandb.run_folder import log_file

SETTINGS = (*BEFORE_THE_LOG, *AFTER_THE_LOG)
FileState = tuple[tuple[str, int, int], ...]
"""Name, time of the last change in nanoseconds and size in bytes of each file."""
FileStates = tuple[tuple[str, FileState], ...]
"""The state of the files of each of several runs."""


def file_state(path: Path) -> FileState:
    """The state of the files that a run is read from; empty when they are gone."""
    found = []
    for file in _files(path):
        try:
            entry = file.stat()
        except OSError:  # gone again, or this run never had one
            continue
        found.append((str(file), entry.st_mtime_ns, entry.st_size))
    return tuple(sorted(found))


def written(files: FileState) -> float:
    """When the newest of the files was last written, in seconds since 1970; 0 when there is none."""
    return max((changed / 1e9 for _, changed, _ in files), default=0.0)


def size(files: FileState) -> int:
    """The bytes of all the files together."""
    return sum(number for _, _, number in files)


def link_out(files: FileState, root: Path) -> str | None:
    """The first of the files that is a link to a place outside ``root``; None when none is."""
    inside = root.resolve()
    for name, _, _ in files:
        if os.path.islink(name) and not Path(name).resolve().is_relative_to(inside):
            return name
    return None


def _files(path: Path) -> list[Path]:
    """The logs of a run, and the files with its settings."""
    if not path.is_dir():
        file = file_of(path)
        return [file, *partners_of(file), *_settings(beside(file))]
    try:
        names = listing(path)
        if log := log_file(names.files):
            return [path / log]
        held = parts(path, names)
    except UnreadableLog:
        return []
    if held is None:
        return []
    logs = [*held.events, *held.states, *([held.jsonl] if held.jsonl else [])]
    return [*logs, *_settings(around(path, held.checkpoint))]


def _settings(folders: Folders) -> Iterator[Path]:
    """The files in these folders that may hold settings, as far as they are there."""
    for folder in (*folders.far, *folders.own):
        try:
            there = set(os.listdir(folder))
        except OSError:
            continue
        yield from (folder / name for name in SETTINGS if name in there)
