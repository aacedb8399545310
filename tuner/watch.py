"""Follow a run that another program writes, and say when its verdict changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from diagnostics.changes import changes
from diagnostics.diagnosis import diagnose
from diagnostics.readers import UnreadableLog, find_runs, read
from diagnostics.verdict import Diagnosis

Stamp = tuple[tuple[str, int, int], ...]


def watch(
    path: Path,
    *,
    every: float = 5.0,
    rounds: int | None = None,
    tags: Mapping[str, str] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Print one line whenever a finding of a run at or below ``path`` appears or clears, until interrupted.

    The folder is looked at ``every`` seconds and a run is read again only when its files changed. ``rounds`` ends the
    watch after so many looks. Raises ``UnreadableLog`` when the path does not exist.
    """
    if not path.exists():
        raise UnreadableLog(f"{path}: no such file or folder; give the folder that the run logs to")
    stamps: dict[Path, Stamp] = {}
    verdicts: dict[Path, Diagnosis] = {}
    say(f"watching {path} (Ctrl-C ends)")
    look = 0
    while rounds is None or look < rounds:
        for run_path in find_runs(path):
            stamp = _stamp(run_path)
            if stamps.get(run_path) != stamp:
                stamps[run_path] = stamp
                _look(run_path, verdicts, tags, say)
        look += 1
        if rounds is None or look < rounds:
            time.sleep(every)


def _look(
    run_path: Path, verdicts: dict[Path, Diagnosis], tags: Mapping[str, str] | None, say: Callable[[str], None]
) -> None:
    """Read and judge one run, and say what changed; a log that is half written is tried again at its next change."""
    try:
        run = read(run_path, tags)
    except UnreadableLog as error:
        say(f"{run_path.name}: {error}")
        return
    verdict = diagnose(run)
    for line in changes(verdicts.get(run_path), verdict):
        say(f"{run.name} step {run.last_step:g}: {line}")
    verdicts[run_path] = verdict


def _stamp(path: Path) -> Stamp:
    """Name, size and modification time of the run's own files."""
    files = [path] if path.is_file() else [p for p in path.iterdir() if p.is_file()]
    stats = []
    for file in files:
        try:
            stat = file.stat()
        except FileNotFoundError:  # a temporary file of the writer that is gone again
            continue
        stats.append((file.name, stat.st_size, stat.st_mtime_ns))
    return tuple(sorted(stats))
