"""From any log to a ``Run``: TensorBoard, transformers, LLaMA-Factory, Lightning, Keras, W&B exports, tables, text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from diagnostics.curves import Run
from diagnostics.readers import folder, jsonlines, neighbours, table, tensorboard, textlog, trainer_state
from diagnostics.readers.assembly import GENERIC_NAMES, assemble
from diagnostics.readers.discovery import find_runs
from diagnostics.readers.log import Log
from diagnostics.readers.unreadable import UnreadableLog, content

__all__ = ["READERS", "Reader", "UnreadableLog", "find_runs", "read"]


@dataclass(frozen=True)
class Reader:
    """A log format: what it is called, whether a path is one, and its log."""

    name: str
    reads: Callable[[Path], bool]
    read: Callable[[Path], Log]


READERS = (
    Reader("run folder", folder.reads, folder.read_log),
    Reader("TensorBoard event file", tensorboard.reads, tensorboard.read_log),
    Reader("trainer_state.json", trainer_state.reads, trainer_state.read_log),
    Reader("JSON lines", jsonlines.reads, jsonlines.read_log),
    Reader("table", table.reads, table.read_log),
    Reader("printed output", textlog.reads, textlog.read_log),
)
"""Every format, in the order in which they are asked; the first that claims a path reads it."""


def read(path: str | Path, tags: Mapping[str, str] | None = None) -> Run:
    """The run that a log file or a run's folder tells of.

    ``tags`` maps a canonical curve name to the log's own tag, as in ``{"train_loss": "my/loss"}``. Raises
    ``UnreadableLog`` when the path holds no log, several runs, or nothing that can be read.
    """
    path = Path(path)
    if not os.path.isdir(path):
        content(path, 1)  # a missing or closed file is told before anyone asks what it holds
    for reader in READERS:
        if reader.reads(path):
            log = reader.read(path)
            if os.path.isfile(path) and _is_general(path):
                log = neighbours.with_settings(log, neighbours.beside(path))
            return assemble(path, log, tags)
    if os.path.isdir(path):
        return read(_only_run(path), tags)
    raise UnreadableLog(f"{path}: no log known here; give an event file, trainer_state.json, a CSV or JSON-lines log")


def _is_general(path: Path) -> bool:
    """Whether a file's name says nothing of the run, so that the folder and its other files are about the run."""
    return ".tfevents." in path.name or GENERIC_NAMES.fullmatch(path.stem.lower()) is not None


def _only_run(path: Path) -> Path:
    """The one run below a folder. Raises ``UnreadableLog`` when there is none or more than one."""
    runs = find_runs(path)
    if not runs:
        raise UnreadableLog(f"{path}: no training log in this folder; give a run's folder or a log file")
    if len(runs) > 1:
        raise UnreadableLog(f"{path}: holds {len(runs)} runs; give one of them, such as {runs[0]}")
    return runs[0]
