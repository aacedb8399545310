"""The opened folder: which runs lie in it, and each one read and judged no oftener than its files change."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

from diagnostics.chart.build import outline
from diagnostics.model.curves import Run
from diagnostics.chart.model import Chart
from diagnostics.readers import UnreadableLog, find_runs
from diagnostics.readers.run_paths import split
from diagnostics.model.records import Diagnosis
from tuner.inspector.runs import row_cache
from tuner.inspector.runs.filters import NEWEST, in_order
from tuner.inspector.runs.diagnose_worker import Task, read_and_diagnose, diagnosed_row
from tuner.inspector.runs.diagnose_pool import DiagnosePool
from tuner.inspector.runs.file_state import Stamp, Stamps, link_out, size, file_state, written
from tuner.inspector.runs.row import Row, unreadable_row, waiting_row

HERE = "."
STUDY = "study.json"
COSTLY = 0.03
"""Seconds: a look at the folder that takes longer is good for ten times as long."""

SMALL = 1_000_000
"""Bytes: logs that are smaller together are judged at once; a larger one never is, the page need not wait for it."""

SAVE_EVERY = 5.0  # seconds
KEPT_POINTS = 20_000_000


@dataclass(frozen=True, eq=False)
class Opened:
    """A run that could be read, with its verdict, the marks of its chart and the time its log was last written.

    ``seconds`` is how long reading, judging and charting it took.
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


@dataclass(frozen=True)
class Look:
    """The runs of the folder by their ids, the state of their files, and until when that is fresh enough."""

    runs: dict[str, Path]
    stamps: dict[str, Stamp]
    until: float


class Folder:
    """The runs at or below one path, and nothing else.

    A run is only ever looked up among those that ``runs`` found, so no name leads out of the folder. Rows are kept for
    every run and whole runs for the ``keep`` latest; both are read again when the name, time or size of a file changes.
    """

    def __init__(self, path: Path, keep: int = 24, on_disk: bool = False) -> None:
        """The folder (or the one log file) at ``path``; nothing is read yet. ``on_disk`` keeps rows for the next time.

        Of runs with very many points fewer than ``keep`` are kept.
        """
        self.path = path.expanduser().absolute()
        self.root = self.path if self.path.is_dir() else self.path.parent
        self._keep = keep
        self._shelf = row_cache.place_of(self.path) if on_disk else None
        self._saved = 0.0
        self._state = 0
        self._rows: dict[str, tuple[Stamp, Row]] | None = None
        self._asked: dict[str, tuple[Stamp, Task]] = {}
        self._opened: OrderedDict[str, tuple[Stamp, Opened | Unreadable]] = OrderedDict()
        self._last: Look | None = None
        self._judges = DiagnosePool(self._told)
        self._lock, self._reading = RLock(), RLock()  # every browser tab is a thread of its own

    def runs(self) -> dict[str, Path]:
        """Every run's path by its id, the path relative to the folder; links that lead out of it are left out."""
        return self._look().runs

    def _look(self) -> Look:
        """The folder as it is, or as it was a moment ago where looking takes long."""
        last = self._last
        if last is not None and time.monotonic() < last.until:
            return last
        began = time.thread_time()
        runs = self._found()
        stamps = {run_id: file_state(path) for run_id, path in runs.items()}
        cost = time.thread_time() - began
        last = self._last = Look(runs, stamps, time.monotonic() + (10 * cost if cost > COSTLY else 0.0))
        return last

    def _found(self) -> dict[str, Path]:
        if not self.path.exists():
            return {}
        inside = self.root.resolve()
        folders: dict[Path, bool] = {}
        found = {}
        for path in self._all():
            file, _ = split(path)
            above = file if path == self.root else file.parent
            if above not in folders:
                folders[above] = above.resolve().is_relative_to(inside)
            if folders[above] and (not file.is_symlink() or file.resolve().is_relative_to(inside)):
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

    def rows(self, *, within: float = math.inf) -> list[Row]:
        """One row for each run. What cannot be judged ``within`` so many seconds is judged by other processes.

        Until they are done a run that is new has a row that says so, and one that has changed keeps its old row.
        """
        look, end = self._look(), time.monotonic() + within
        with self._lock:
            known = self._known(look)
            late = [run_id for run_id, files in look.stamps.items() if known.get(run_id, ((), None))[0] != files]
            few = within > 0 and sum(size(look.stamps[run_id]) for run_id in late) < SMALL
            for run_id in _as_in_the_table(late, look):
                files = look.stamps[run_id]
                if why := self._barred(files):
                    known[run_id] = (files, unreadable_row(run_id, self.name(run_id), why, written(files)))
                elif within == math.inf or few or (size(files) < SMALL and time.monotonic() < end):
                    known[run_id] = (files, self._inside(diagnosed_row(self._task(run_id, look))))
                    self._asked.pop(run_id, None)
                elif run_id not in self._asked or self._asked[run_id][0] != files:
                    self._asked[run_id] = (files, task := self._task(run_id, look))
                    self._judges.ask([task])
            self._save(late=bool(self._asked))
            return [known[run_id][1] if run_id in known else self._waiting(run_id, look) for run_id in look.runs]

    def waiting(self) -> int:
        """How many runs other processes are still to judge."""
        with self._lock:
            return len(self._asked)

    def _known(self, look: Look) -> dict[str, tuple[Stamp, Row]]:
        """The rows so far, those of runs that are gone left out."""
        if self._rows is None:
            self._rows = row_cache.load(self._shelf) if self._shelf else {}
        for gone in self._rows.keys() - look.runs.keys():
            del self._rows[gone]
        for gone in self._asked.keys() - look.runs.keys():
            del self._asked[gone]
        return self._rows

    def _told(self, task: Task, row: Row) -> None:
        """Keep a row that a process has found, unless the run has been asked for again since."""
        with self._lock:
            files, asked = self._asked.get(task.id, ((), None))
            if asked is task and self._rows is not None:
                del self._asked[task.id]
                self._rows[task.id] = (files, self._inside(row))
            self._save(late=bool(self._asked))

    def _save(self, *, late: bool) -> None:
        """Put the rows on disk when they have changed, not too often while more are coming."""
        if self._shelf is None or self._rows is None:
            return
        if late and time.monotonic() < self._saved + SAVE_EVERY:
            return
        state = hash(frozenset((run_id, files) for run_id, (files, _) in self._rows.items()))
        if state != self._state:
            self._state, self._saved = state, time.monotonic()
            row_cache.save(self._shelf, self._rows)

    def _task(self, run_id: str, look: Look) -> Task:
        when = written(look.stamps[run_id])
        return Task(run_id, self.name(run_id), str(look.runs[run_id]), when, self._study(look.runs[run_id]))

    def _waiting(self, run_id: str, look: Look) -> Row:
        return waiting_row(run_id, self.name(run_id), written(look.stamps[run_id]), self._study(look.runs[run_id]))

    def _study(self, path: Path) -> str:
        """The nearest folder above the run that holds a study, as a path relative to the root; empty for none."""
        for above in path.parents:
            if (above / STUDY).is_file():
                return self._id(above)
            if above == self.root or self.root not in above.parents:
                break
        return ""

    def open(self, run_id: str, runs: Mapping[str, Path] | None = None) -> Opened | Unreadable | None:
        """The run of that id with its verdict, why it cannot be read, or None when the folder holds no such run."""
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
            while len(self._opened) > self._keep or (len(self._opened) > 1 and self._points() > KEPT_POINTS):
                self._opened.popitem(last=False)
            return known[1]

    def unread(self, run_id: str, runs: Mapping[str, Path]) -> int:
        """How many bytes ``open`` would have to read, 0 where it knows the run as it is."""
        path = runs.get(run_id)
        files = () if path is None else file_state(path)
        return 0 if self._opened.get(run_id, ((), None))[0] == files else size(files)

    def _points(self) -> int:
        runs = [opened.run for _, opened in self._opened.values() if isinstance(opened, Opened)]
        return sum(len(curve) for run in runs for curve in run.curves.values())

    def stamps(self, run_ids: Collection[str] | None = None) -> Stamps:
        """What changes when a file of these runs (default: of any run) changes, comes or goes."""
        if run_ids is None:
            return tuple(self._look().stamps.items())
        return tuple((run_id, file_state(path)) for run_id, path in self.runs().items() if run_id in run_ids)

    def _id(self, path: Path) -> str:
        return HERE if path == self.root else path.relative_to(self.root).as_posix()

    def _here(self, why: str) -> str:
        """The reason with its paths told from the opened folder."""
        return why.replace(f"{self.root}/", "")

    def _barred(self, files: Stamp) -> str | None:
        """Why a run may not be read: one of its files is a link that leads out of the folder."""
        link = link_out(files, self.root)
        return (
            self._here(f"{link}: is a link that leads out of the opened folder; open the folder that holds both")
            if link
            else None
        )

    def _inside(self, row: Row) -> Row:
        return replace(row, why=self._here(row.why)) if row.why else row

    def _read(self, run_id: str, path: Path, files: Stamp) -> Opened | Unreadable:
        began = time.perf_counter()
        found = self._barred(files) or read_and_diagnose(path)
        if isinstance(found, str):
            return Unreadable(run_id, self.name(run_id), self._here(found), written(files))
        drawn = outline(*found)
        taken = time.perf_counter() - began
        return Opened(run_id, self.name(run_id), path, *found, drawn, written(files), taken)


def _as_in_the_table(run_ids: Sequence[str], look: Look) -> list[str]:
    """The runs in the order of the table, so that what is seen first is judged first."""
    rows = [waiting_row(run_id, run_id, written(look.stamps[run_id])) for run_id in run_ids]
    return [row.id for row in in_order(rows, NEWEST)]


def seconds_since(written: float) -> float:
    """Seconds since the log was last written, 0 for a clock that runs ahead."""
    return max(0.0, time.time() - written)


def latest(folder: Folder) -> str | None:
    """The id of the run that was written last, the one that a study is training; None where nothing has logged."""
    stamps = [(written(files), run_id) for run_id, files in folder.stamps() if files]
    return max(stamps)[1] if stamps else None
