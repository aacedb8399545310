"""``tuner watch``: follow runs that another program writes, and print when a verdict changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from textwrap import wrap

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.diagnosis.live import LiveState, update
from diagnostics.messages import live_line
from diagnostics.model.curves import Run
from diagnostics.model.live import LiveEvent
from diagnostics.readers import UnreadableLog, file_of, read, search
from diagnostics.readers.file_state import FileState, file_state, written
from diagnostics.readers.run_names import names_apart
from diagnostics.report.write import UnreadRun
from tuner.batch import Pair, guarded
from tuner.throttle import MAX_SHARE, Throttle

IDLE_SECONDS = 120.0
"""Seconds without a write after which a log counts as finished; if it continues, so does the watch."""


@dataclass
class Watched:
    """What is known of one run between two checks: its files as they were read, the run, and what was reported."""

    files: FileState = ()
    run: Run | None = None
    state: LiveState = field(default_factory=LiveState)
    over: bool = False
    spacing: Throttle = field(default_factory=Throttle)


def watch(
    path: Path,
    *,
    every: float = 5.0,
    rounds: int | None = None,
    tags: Mapping[str, str] | None = None,
    say: Callable[[str], None] = print,
    share: float = MAX_SHARE,
    width: int | None = None,
) -> None:
    """Print one line whenever a finding of a run at or below ``path`` appears or clears, until interrupted.

    In a terminal of ``width`` columns the lines of a run stand below its name, and wrap at words.

    The folder is checked every ``every`` seconds; a run is read again only when its files changed, and not while
    reading would take more than ``share`` (0.5 %) of the time. A finding of an unfinished run is reported once it
    lasts. ``rounds`` ends the watch after that many checks. A path that is not there yet is waited for; raises
    ``UnreadableLog`` when the folder above it does not exist either.
    """
    _check_place(path)
    runs: dict[Path, Watched] = {}
    said: set[str] = set()
    say(f"watching {path} (Ctrl-C to stop)")
    checks = 0
    while rounds is None or checks < rounds:
        began = time.perf_counter()
        found, waiting = _found(path, tags)
        for line in waiting:
            if line not in said:
                say(line)
                said.add(line)
        searching = time.perf_counter() - began
        for run_path, name in zip(found, names_apart(found), strict=True):
            watched = runs.setdefault(run_path, Watched(spacing=Throttle(share)))
            _visit(run_path, name, watched, tags, say, width)
        checks += 1
        if rounds is None or checks < rounds:
            time.sleep(max(every, searching * (1.0 / share - 1.0)))


def _check_place(path: Path) -> None:
    """Raise ``UnreadableLog`` for a path that is most likely mistyped: the folder above it is not there either."""
    place = file_of(path).absolute()
    if not (place.exists() or place.parent.is_dir()):
        raise UnreadableLog(f"{path}: the folder above it does not exist; give the folder that the run logs to")


def _found(path: Path, tags: Mapping[str, str] | None) -> tuple[list[Path], list[str]]:
    """The runs at or below a path, and what to say of it: what is waited for, what may not be opened."""
    if not file_of(path).exists():
        return [], [f"{path} does not exist yet; waiting for it"]
    try:
        there = search(path, tags)
    except UnreadableLog as error:  # removed or closed in the meantime
        return [], [str(error)]
    waiting = [] if there.runs else ["no training log there yet; waiting for one"]
    return there.runs, [*map(str, there.closed), *waiting]


def _visit(
    run_path: Path,
    name: str,
    watched: Watched,
    tags: Mapping[str, str] | None,
    say: Callable[[str], None],
    width: int | None,
) -> None:
    """Read a run whose files changed, as often as its share of the time allows, and report what is new."""
    files = file_state(run_path)
    over = time.time() - written(files) > IDLE_SECONDS
    if files != watched.files:
        if not watched.spacing.allows() and watched.files and not over:
            return
        watched.files, watched.run = files, None
    elif watched.run is None or over == watched.over:
        return
    with watched.spacing.check():
        _check(run_path, name, watched, over, tags, say, width)


def _check(
    run_path: Path,
    name: str,
    watched: Watched,
    over: bool,
    tags: Mapping[str, str] | None,
    say: Callable[[str], None],
    width: int | None,
) -> None:
    """Diagnose a run and report what is new; a half-written log is tried again at its next change."""
    answer = guarded(str(run_path), partial(_diagnosed, watched.run, run_path, tags))
    if isinstance(answer, UnreadRun):
        say(answer.error if run_path.name in answer.error else f"{run_path.name}: {answer.error}")
        return
    run, verdict = answer
    last = run.settings.max_steps
    over = over or (last is not None and run.last_step >= last)
    watched.state, events = update(watched.state, verdict, run.last_step, over=over)
    watched.run, watched.over = run, over
    for line in _lines(f"{name} step {run.last_step:g}", events, width):
        say(line)


def _lines(head: str, events: Sequence[LiveEvent], width: int | None) -> Iterator[str]:
    """The events of one check: each in a line with the head, or below it in lines that fit a terminal's ``width``."""
    if width is None:
        yield from (f"{head}: {live_line(event)}" for event in events)
    elif events:
        yield head
        for event in events:
            yield from wrap(live_line(event), max(width, 20), initial_indent="  ", subsequent_indent="    ")


def _diagnosed(run: Run | None, path: Path, tags: Mapping[str, str] | None) -> Pair:
    run = run or read(path, tags)
    return run, diagnose(run)
