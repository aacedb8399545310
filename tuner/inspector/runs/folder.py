"""The opened folder: which runs lie in it, each read and diagnosed no more often than its files change."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from diagnostics.chart.build import outline
from diagnostics.chart.model import Chart
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.readers.file_state import FileState, FileStates, file_state, size, written
from tuner.config.sources import at_home
from tuner.inspector.runs import row_cache
from tuner.inspector.runs.diagnose_worker import read_and_diagnose
from tuner.inspector.runs.listing import HERE, Listing, list_runs, name_of, shortened, why_barred
from tuner.inspector.runs.row import Row
from tuner.inspector.runs.row_table import RowTable

__all__ = ["HERE", "Folder", "Opened", "Unreadable", "latest", "seconds_since"]

COSTLY_LISTING = 0.03
"""Seconds of processor time: a list of the runs that takes longer is used for ten times as long."""
MAX_OPEN_POINTS = 20_000_000


@dataclass(frozen=True, eq=False)
class Opened:
    """A run that could be read, with its diagnosis, its chart without curves and the time its log was last written.

    ``seconds`` is how long it took to read, diagnose and chart it.
    """

    id: str
    name: str
    path: Path
    run: Run
    diagnosis: Diagnosis
    chart: Chart
    written: float
    seconds: float = 0.0


@dataclass(frozen=True)
class Unreadable:
    """A run that could not be read, and why."""

    id: str
    name: str
    why: str
    written: float = 0.0


class Folder:
    """The runs at or below one path, and nothing else.

    A run is only ever looked up among those that ``runs`` found, so no name leads out of the folder. The rows of all
    runs and the ``keep`` runs opened last are cached; both are read again when the name, time or size of a file
    changes.
    """

    def __init__(self, path: Path, keep: int = 24, on_disk: bool = False) -> None:
        """The folder (or the one log file) at ``path``; nothing is read yet.

        ``on_disk`` keeps the rows for the next time. Of runs with very many points fewer than ``keep`` are cached.
        """
        self.path = at_home(path).absolute()
        self.root = self.path if self.path.is_dir() else self.path.parent
        self._keep = keep
        self._table = RowTable(self.root, row_cache.place_of(self.path) if on_disk else None)
        self._opened: OrderedDict[str, tuple[FileState, Opened | Unreadable]] = OrderedDict()
        self._listing: tuple[Listing, float] | None = None
        self._reading = RLock()  # every browser tab is a thread of its own

    def runs(self) -> dict[str, Path]:
        """Every run's path by its id, the path relative to the folder; links that lead out of it are left out."""
        return self._list().runs

    def closed(self) -> tuple[str, ...]:
        """The folders and files below the path that may not be opened, each with why: runs may be in them."""
        return self._list().closed

    def _list(self) -> Listing:
        """The folder as it is, or as it was a moment ago where listing it takes long."""
        if self._listing is not None and time.monotonic() < self._listing[1]:
            return self._listing[0]
        began = time.thread_time()
        listing = list_runs(self.path, self.root)
        cost = time.thread_time() - began
        self._listing = listing, time.monotonic() + (10 * cost if cost > COSTLY_LISTING else 0.0)
        return listing

    def name(self, run_id: str) -> str:
        """What the run is called on the screen: its id, or the folder's own name for the folder itself."""
        return name_of(self.root, run_id)

    def rows(self, *, within: float = math.inf) -> list[Row]:
        """One row for each run; see ``RowTable.rows``."""
        return self._table.rows(self._list(), within=within)

    def waiting(self) -> int:
        """How many runs other processes are still to diagnose."""
        return self._table.waiting()

    def open(self, run_id: str, runs: Mapping[str, Path] | None = None) -> Opened | Unreadable | None:
        """The run of that id with its diagnosis, why it cannot be read, or None when the folder holds no such run."""
        path = (self.runs() if runs is None else runs).get(run_id)
        with self._reading:
            if path is None:
                self._opened.pop(run_id, None)
                return None
            files = file_state(path)
            known = self._opened.pop(run_id, None)
            if known is None or known[0] != files:
                known = (files, self._read(run_id, path, files))
            self._opened[run_id] = known
            while len(self._opened) > self._keep or (len(self._opened) > 1 and self._points() > MAX_OPEN_POINTS):
                self._opened.popitem(last=False)
            return known[1]

    def unread(self, run_id: str, runs: Mapping[str, Path]) -> int:
        """How many bytes ``open`` would have to read, 0 where the run is cached as it is."""
        path = runs.get(run_id)
        files = () if path is None else file_state(path)
        return 0 if self._opened.get(run_id, ((), None))[0] == files else size(files)

    def _points(self) -> int:
        runs = [opened.run for _, opened in self._opened.values() if isinstance(opened, Opened)]
        return sum(len(curve) for run in runs for curve in run.curves.values())

    def file_states(self, run_ids: Collection[str] | None = None) -> FileStates:
        """What changes when a file of these runs (default: of any run) changes, comes or goes."""
        if run_ids is None:
            return tuple(self._list().files.items())
        return tuple((run_id, file_state(path)) for run_id, path in self.runs().items() if run_id in run_ids)

    def _read(self, run_id: str, path: Path, files: FileState) -> Opened | Unreadable:
        began = time.perf_counter()
        found = why_barred(self.root, files) or read_and_diagnose(path)
        if isinstance(found, str):
            return Unreadable(run_id, self.name(run_id), shortened(self.root, found), written(files))
        drawn = outline(*found)
        taken = time.perf_counter() - began
        return Opened(run_id, self.name(run_id), path, *found, drawn, written(files), taken)


def seconds_since(written: float) -> float:
    """Seconds since the log was last written, 0 for a clock that runs ahead."""
    return max(0.0, time.time() - written)


def latest(folder: Folder) -> str | None:
    """The id of the run that was written last, the one that a study is training; None where nothing has logged."""
    times = [(written(files), run_id) for run_id, files in folder.file_states() if files]
    return max(times)[1] if times else None
