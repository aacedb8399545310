"""The runs at or below one path: their ids, files and studies, and which of them may be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diagnostics.readers import UnreadableLog, search
from diagnostics.readers.discovery import Found
from diagnostics.readers.file_state import FileState, file_state, link_out, written
from diagnostics.readers.files import Unopened
from diagnostics.readers.run_paths import split
from tuner.inspector.runs.diagnose_worker import Task
from tuner.inspector.runs.row import Row, unreadable_row, waiting_row
from tuner.study.folder import RESULT

HERE = "."
"""The id of the folder itself, where it is a run."""


@dataclass(frozen=True)
class Listing:
    """The runs below ``root`` by their ids, the state of their files, and why some places there cannot be opened."""

    root: Path
    runs: dict[str, Path]
    files: dict[str, FileState]
    closed: tuple[str, ...] = ()

    def task(self, run_id: str) -> Task:
        """The task of diagnosing a run."""
        path = self.runs[run_id]
        return Task(run_id, name_of(self.root, run_id), str(path), written(self.files[run_id]), self._study(path))

    def waiting_row(self, run_id: str) -> Row:
        """The row of a run that is not diagnosed yet."""
        task = self.task(run_id)
        return waiting_row(run_id, task.name, task.written, task.study)

    def barred_row(self, run_id: str) -> Row | None:
        """The row of a run that may not be read, None when it may."""
        why = why_barred(self.root, self.files[run_id])
        return unreadable_row(run_id, name_of(self.root, run_id), why, written(self.files[run_id])) if why else None

    def _study(self, path: Path) -> str:
        """The id of the nearest folder above the run that holds a study; empty when there is none."""
        for above in path.parents:
            if (above / RESULT).is_file():
                return id_of(self.root, above)
            if above == self.root or self.root not in above.parents:
                break
        return ""


def list_runs(path: Path, root: Path) -> Listing:
    """The runs at or below ``path``, which is ``root`` or a file in it; links that lead out of it are left out."""
    inside = root.resolve()
    folders: dict[Path, bool] = {}
    runs = {}
    found = _found(path)
    for run_path in found.runs:
        file, _ = split(run_path)
        above = file if run_path == root else file.parent
        if above not in folders:
            folders[above] = above.resolve().is_relative_to(inside)
        if folders[above] and (not file.is_symlink() or file.resolve().is_relative_to(inside)):
            runs[id_of(root, run_path)] = run_path
    closed = tuple(shortened(root, str(error)) for error in found.closed)
    return Listing(root, runs, {run_id: file_state(run_path) for run_id, run_path in runs.items()}, closed)


def _found(path: Path) -> Found:
    try:
        return search(path) if path.exists() else Found()
    except Unopened as error:
        return Found(closed=[error])
    except UnreadableLog:  # the folder was removed in the meantime
        return Found()


def id_of(root: Path, path: Path) -> str:
    """A run's path relative to the root."""
    return HERE if path == root else path.relative_to(root).as_posix()


def name_of(root: Path, run_id: str) -> str:
    """What a run is called on the screen: its id, or the folder's own name for the folder itself."""
    return root.name if run_id == HERE else run_id


def why_barred(root: Path, files: FileState) -> str | None:
    """Why a run may not be read: one of its files is a link that leads out of the root. None when it may."""
    link = link_out(files, root)
    reason = "is a link that leads out of the opened folder; open the folder that holds both"
    return shortened(root, f"{link}: {reason}") if link else None


def shortened(root: Path, why: str) -> str:
    """The reason with its paths relative to the root."""
    return why.replace(f"{root}/", "")
