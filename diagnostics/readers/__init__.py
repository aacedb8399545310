"""From any log to a ``Run``: TensorBoard, transformers, LLaMA-Factory, Lightning, Keras, W&B exports, tables, text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from diagnostics.model.curves import Run
from diagnostics.readers import run_folder, run_paths, sidecars, split_files, trainer_state
from diagnostics.readers.assemble.build_run import assemble
from diagnostics.readers.discovery import find_runs, search
from diagnostics.readers.files import UnreadableLog, content
from diagnostics.readers.one_parse import ReadAll, logs_of
from diagnostics.readers.printed import log as printed
from diagnostics.readers.raw_log import Log
from diagnostics.readers.run_paths import file_of
from diagnostics.readers.tabular import jsonlines, table
from diagnostics.readers.tensorboard import event_files
from diagnostics.readers.wandb import run_folder as wandb_run

__all__ = ["READERS", "Reader", "UnreadableLog", "file_of", "find_runs", "read", "search"]


@dataclass(frozen=True)
class Reader:
    """A log format: what it is called, whether a path is one, and its log.

    A format that may hold several runs in a file has ``runs``, their names (none for a file of one run), and
    ``read_all``, the logs of all of them by their names.
    """

    name: str
    reads: Callable[[Path], bool]
    read: Callable[[Path], Log]
    runs: Callable[[Path], tuple[str, ...]] | None = None
    read_all: ReadAll | None = None


READERS = (
    Reader("run folder", run_folder.reads, run_folder.read_log),
    Reader("TensorBoard event file", event_files.reads, event_files.read_log),
    Reader("W&B run", wandb_run.reads, wandb_run.read_log),
    Reader("JSON lines", jsonlines.reads, jsonlines.read_log, jsonlines.runs_in, jsonlines.read_all),
    Reader("trainer_state.json", trainer_state.reads, trainer_state.read_log),
    Reader("table", table.reads, table.read_log, table.runs_in, table.read_all),
    Reader("printed output", printed.reads, printed.read_log),
)
"""Every format in order of precedence; the first that claims a path reads it."""


def read(path: str | Path, tags: Mapping[str, str] | None = None) -> Run:
    """The run in a log file or in a run's folder.

    A run that shares its file with others is named behind the path, as ``find_runs`` lists it: ``export.csv#name``.
    ``tags`` maps a canonical curve name to the log's own tag, as in ``{"train_loss": "my/loss"}``. Raises
    ``UnreadableLog`` when the path holds no log, several runs, or nothing that can be read.
    """
    path, inner = run_paths.split(Path(path))
    if not os.path.isdir(path):
        content(path, 1)  # report a missing or unreadable file before looking for its format
    for reader in READERS:
        if reader.reads(path):
            log = _log(reader, path, inner)
            if os.path.isfile(path):
                log = split_files.joined(log, path, reader.read) if inner is None else log
                log = sidecars.with_settings(log, sidecars.beside(path))
            return assemble(path, log, tags, name=inner)
    if os.path.isdir(path):
        return read(_only_run(path), tags)
    raise UnreadableLog(
        f"{path}: not a known log format; give an event file, trainer_state.json, a CSV or JSON-lines log"
    )


def _log(reader: Reader, path: Path, inner: str | None) -> Log:
    """The log of a file or of one run in it. Raises ``UnreadableLog`` when it holds several and none is named."""
    if inner is None:
        names = reader.runs(path) if reader.runs else ()
        if names:
            one = run_paths.of_run(path, names[0])
            raise UnreadableLog(f"{path}: the file holds {len(names)} runs; give one of them, such as {one}")
        return reader.read(path)
    logs = logs_of(path, reader.read_all) if reader.read_all else {}
    if inner not in logs:
        near = get_close_matches(inner, logs, 3, 0.0)
        held = f"it has {', '.join(near)}" if near else "it holds one run"
        raise UnreadableLog(f"{path}: the file has no run {inner}; {held}")
    return logs[inner]


def _only_run(path: Path) -> Path:
    """The one run below a folder. Raises ``UnreadableLog`` when there is none or more than one."""
    found = search(path)
    runs = found.runs
    if not runs and found.closed:
        raise found.closed[0]
    if not runs:
        raise UnreadableLog(f"{path}: the folder holds no training log; give a run's folder or a log file")
    if len(runs) > 1:
        raise UnreadableLog(f"{path}: the folder holds {len(runs)} runs; give one of them, such as {runs[0]}")
    return runs[0]
