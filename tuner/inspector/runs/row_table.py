"""The rows of all runs of a folder, each made again only when its run's files change."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Protocol

from diagnostics.readers.file_state import FileState, size, written
from tuner.inspector.runs import row_cache
from tuner.inspector.runs.diagnose_pool import DiagnosePool
from tuner.inspector.runs.diagnose_worker import Task, diagnosed_row
from tuner.inspector.runs.filters import NEWEST, in_order
from tuner.inspector.runs.listing import Listing, shortened
from tuner.inspector.runs.row import Row, waiting_row

MAX_BYTES_AT_ONCE = 1_000_000
"""Logs that are smaller together are diagnosed at once; a larger one never is, so that no page waits for it."""
SAVE_EVERY = 5.0  # seconds


class Pool(Protocol):
    """What diagnoses runs in the background."""

    def submit(self, tasks: Iterable[Task]) -> None:
        """Have these runs diagnosed."""


class RowTable:
    """The rows of the runs below ``root``. Those of large or many logs are made by other processes."""

    def __init__(
        self,
        root: Path,
        cache: Path | None = None,
        start_pool: Callable[[Callable[[Task, Row], None]], Pool] = DiagnosePool,
    ) -> None:
        """No row is made yet; ``cache`` is the file that keeps the rows for the next time."""
        self._root = root
        self._cache = cache
        self._rows: dict[str, tuple[FileState, Row]] | None = None
        self._pending: dict[str, tuple[FileState, Task]] = {}
        self._saved_at = 0.0
        self._saved_state = 0
        self._pool = start_pool(self._receive)
        self._lock = RLock()  # every browser tab is a thread of its own

    def rows(self, listing: Listing, *, within: float = math.inf) -> list[Row]:
        """One row for each run. What cannot be diagnosed ``within`` so many seconds is left to other processes.

        Until they are done a new run has a row that says so, and a changed one keeps its old row.
        """
        end = time.monotonic() + within
        with self._lock:
            known = self._known(listing)
            changed = [run_id for run_id, files in listing.files.items() if known.get(run_id, ((), None))[0] != files]
            few = within > 0 and sum(size(listing.files[run_id]) for run_id in changed) < MAX_BYTES_AT_ONCE
            for run_id in _as_in_the_table(changed, listing):
                files = listing.files[run_id]
                small = size(files) < MAX_BYTES_AT_ONCE and time.monotonic() < end
                if barred := listing.barred_row(run_id):
                    known[run_id] = (files, barred)
                elif within == math.inf or few or small:
                    known[run_id] = (files, self._shortened(diagnosed_row(listing.task(run_id))))
                    self._pending.pop(run_id, None)
                else:
                    self._submit(run_id, listing)
            self._save(more_to_come=bool(self._pending))
            return [known[run_id][1] if run_id in known else listing.waiting_row(run_id) for run_id in listing.runs]

    def waiting(self) -> int:
        """How many runs other processes are still to diagnose."""
        with self._lock:
            return len(self._pending)

    def _known(self, listing: Listing) -> dict[str, tuple[FileState, Row]]:
        """The rows so far, those of runs that are gone left out."""
        if self._rows is None:
            self._rows = row_cache.load(self._cache) if self._cache else {}
        for gone in self._rows.keys() - listing.runs.keys():
            del self._rows[gone]
        for gone in self._pending.keys() - listing.runs.keys():
            del self._pending[gone]
        return self._rows

    def _submit(self, run_id: str, listing: Listing) -> None:
        files = listing.files[run_id]
        if run_id not in self._pending or self._pending[run_id][0] != files:
            task = listing.task(run_id)
            self._pending[run_id] = (files, task)
            self._pool.submit([task])

    def _receive(self, task: Task, row: Row) -> None:
        """Keep a row that a process has made, unless the run's files have changed since."""
        with self._lock:
            files, pending = self._pending.get(task.id, ((), None))
            if pending is task and self._rows is not None:
                del self._pending[task.id]
                self._rows[task.id] = (files, self._shortened(row))
            self._save(more_to_come=bool(self._pending))

    def _save(self, *, more_to_come: bool) -> None:
        """Write the rows to the cache when they have changed, not too often while more are coming."""
        if self._cache is None or self._rows is None:
            return
        if more_to_come and time.monotonic() < self._saved_at + SAVE_EVERY:
            return
        state = hash(frozenset((run_id, files) for run_id, (files, _) in self._rows.items()))
        if state != self._saved_state:
            self._saved_state, self._saved_at = state, time.monotonic()
            row_cache.save(self._cache, self._rows)

    def _shortened(self, row: Row) -> Row:
        return replace(row, why=shortened(self._root, row.why)) if row.why else row


def _as_in_the_table(run_ids: Sequence[str], listing: Listing) -> list[str]:
    """The runs in the order of the table, so that what is seen first is diagnosed first."""
    rows = [waiting_row(run_id, run_id, written(listing.files[run_id])) for run_id in run_ids]
    return [row.id for row in in_order(rows, NEWEST)]
