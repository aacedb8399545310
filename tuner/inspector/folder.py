"""The opened folder: which runs lie in it, and each one read and judged no oftener than its files change."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from diagnostics.chart import chart
from diagnostics.curves import Run
from diagnostics.diagnosis import diagnose
from diagnostics.panels import Chart
from diagnostics.readers import UnreadableLog, file_of, find_runs, read
from diagnostics.readers.discovery import parts
from diagnostics.verdict import Diagnosis
from tuner.inspector.table import Row, row, unreadable_row

Stamp = tuple[tuple[str, int, int], ...]
Stamps = tuple[tuple[str, Stamp], ...]
HERE = "."


@dataclass(frozen=True, eq=False)
class Opened:
    """A run that could be read, with its verdict, its chart and the time its log was last written."""

    id: str
    name: str
    path: Path
    run: Run
    diagnosis: Diagnosis
    chart: Chart
    written: float


@dataclass(frozen=True)
class Unreadable:
    """A run that could not be read, and why."""

    id: str
    name: str
    why: str
    written: float = 0.0


class Folder:
    """The runs at or below one path, and nothing else.

    A run is only ever looked up among those that ``runs`` found, so no name leads out of the folder. Rows are kept for
    every run and whole runs for the ``keep`` latest; both are read again when the name, time or size of a file changes.
    """

    def __init__(self, path: Path, keep: int = 24) -> None:
        """The folder (or the one log file) at ``path``; nothing is read yet."""
        self.path = path.expanduser().absolute()
        self.root = self.path if self.path.is_dir() else self.path.parent
        self._keep = keep
        self._rows: dict[str, tuple[Stamp, Row]] = {}
        self._opened: OrderedDict[str, tuple[Stamp, Opened | Unreadable]] = OrderedDict()
        self._lock = RLock()  # every browser tab is a thread of its own

    def runs(self) -> dict[str, Path]:
        """Every run's path by its id, the path relative to the folder; links that lead out of it are left out."""
        if not self.path.exists():
            return {}
        inside = self.root.resolve()
        found = {}
        for path in self._all():
            if path.resolve().is_relative_to(inside):
                found[self._id(path)] = path
        return found

    def _all(self) -> list[Path]:
        try:
            return find_runs(self.path)
        except UnreadableLog:  # the folder went away between two looks, or may not be opened
            return []

    def name(self, run_id: str) -> str:
        """What the run is called on the screen: its id, or the folder's own name for the folder itself."""
        return self.root.name if run_id == HERE else run_id

    def rows(
        self, runs: Mapping[str, Path] | None = None, progress: Callable[[int, int], None] | None = None
    ) -> list[Row]:
        """One row for each run; ``progress`` is called with (done, all) before each run that has to be read."""
        runs = self.runs() if runs is None else runs
        with self._lock:
            for gone in self._rows.keys() - runs.keys():
                del self._rows[gone]
            return [
                self._fresh_row(run_id, path, place, len(runs), progress)
                for place, (run_id, path) in enumerate(runs.items())
            ]

    def open(self, run_id: str, runs: Mapping[str, Path] | None = None) -> Opened | Unreadable | None:
        """The run of that id with its verdict, why it cannot be read, or None when the folder holds no such run."""
        path = (self.runs() if runs is None else runs).get(run_id)
        with self._lock:
            if path is None:
                self._opened.pop(run_id, None)
                return None
            files = stamp(path)
            known = self._opened.pop(run_id, None)
            if known is None or known[0] != files:
                known = (files, self._read(run_id, path, files))
            self._opened[run_id] = known
            while len(self._opened) > self._keep:
                self._opened.popitem(last=False)
            return known[1]

    def stamps(self, run_ids: Collection[str] | None = None) -> Stamps:
        """What changes when a file of these runs (default: of any run) changes, comes or goes."""
        runs = self.runs()
        return tuple((run_id, stamp(path)) for run_id, path in runs.items() if run_ids is None or run_id in run_ids)

    def _fresh_row(
        self, run_id: str, path: Path, place: int, of: int, progress: Callable[[int, int], None] | None
    ) -> Row:
        files = stamp(path)
        known = self._rows.get(run_id)
        if known is None or known[0] != files:
            if progress is not None:
                progress(place, of)
            known = self._rows[run_id] = (files, self._row(run_id, path, files))
        return known[1]

    def _id(self, path: Path) -> str:
        return HERE if path == self.root else path.relative_to(self.root).as_posix()

    def _inside(self, why: str) -> str:
        """The reason with its paths told from the opened folder."""
        return why.replace(f"{self.root}/", "")

    def _row(self, run_id: str, path: Path, files: Stamp) -> Row:
        judged = _judged(path)
        if isinstance(judged, str):
            return unreadable_row(run_id, self.name(run_id), self._inside(judged), _written(files))
        return row(run_id, self.name(run_id), *judged, _written(files))

    def _read(self, run_id: str, path: Path, files: Stamp) -> Opened | Unreadable:
        judged = _judged(path)
        if isinstance(judged, str):
            return Unreadable(run_id, self.name(run_id), self._inside(judged), _written(files))
        return Opened(run_id, self.name(run_id), path, *judged, chart(*judged), _written(files))


def _judged(path: Path) -> tuple[Run, Diagnosis] | str:
    """The run with its verdict, or why there is none."""
    try:
        run = read(path)
        return run, diagnose(run)
    except (ValueError, OSError) as error:
        return str(error)
    except Exception as error:  # one log that trips over a bug must not take the table of a thousand with it
        return f"{type(error).__name__}: {error}"


def _written(files: Stamp) -> float:
    return max((changed / 1e9 for _, changed, _ in files), default=0.0)


def stamp(path: Path) -> Stamp:
    """Name, time and size of the files that a run is read from; empty when they are gone."""
    found = []
    for file in _files(path):
        try:
            entry = file.stat()
        except OSError:  # gone again, or no such file in this run
            continue
        found.append((str(file), entry.st_mtime_ns, entry.st_size))
    return tuple(sorted(found))


def _files(path: Path) -> list[Path]:
    """The logs of a run, and the ``config.yaml`` that tells its settings."""
    if not path.is_dir():
        return [file_of(path)]
    try:
        held = parts(path)
    except UnreadableLog:
        return []
    if held is None:
        return []
    return [*held.events, *held.states, *([held.jsonl] if held.jsonl else []), path / "config.yaml"]


def seconds_since(written: float) -> float:
    """Seconds since the log was last written, 0 for a clock that runs ahead."""
    return max(0.0, time.time() - written)
