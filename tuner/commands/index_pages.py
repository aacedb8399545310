"""``tuner diagnose --html`` on very many runs: a table of them all, and beside it a page for each."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.report.drafts import draft_of, sweep
from diagnostics.report.html_index import as_index
from diagnostics.report.html_overview import Entry, entry
from diagnostics.report.order import severity
from diagnostics.report.sections import sections
from diagnostics.report.write import UnreadRun, as_html, write_text
from tuner import batch
from tuner.batch import Pair, Tags

MAX_RUNS_IN_A_PAGE = 200
"""A page of more runs is slow to open and too large to send: each run then has a page of its own."""
PAGE_NAME = re.compile(r"run-\d+\.html")


class Item(NamedTuple):
    """A run to write: its number, where it is, and the name that tells it apart from the others."""

    number: int
    place: Path | UnreadRun
    name: str


@dataclass(frozen=True)
class Line:
    """A run's line in the index, and what it is sorted by."""

    entry: Entry
    rank: tuple[int, float]


def pages_beside(path: Path) -> Path:
    """The folder with the pages of the runs; browsers and file managers keep a folder of that name with its page."""
    return path.with_name(f"{path.stem}_files")


def write_index(
    places: Sequence[Path | UnreadRun],
    path: Path,
    next_run: Callable[[Path, Pair], str],
    tags: Tags = None,
    baseline: Run | None = None,
) -> tuple[set[str], list[UnreadRun]]:
    """Write the index of these runs and a page for each; the labels found, and what could not be read.

    A run is read, judged and written by one process and then forgotten, so that memory does not grow with their
    number. Everything appears at the end, or nothing. Raises ``BadInput`` where the folder for the pages is not ours.
    """
    lines, errors = list[Line](), list[UnreadRun]()
    with _replaced(pages_beside(path)) as folder:
        work = partial(_written, path=path, folder=folder, next_run=next_run, tags=tags, baseline=baseline)
        names = batch.names_of(places)
        items = [Item(number, place, names.get(str(place), "")) for number, place in enumerate(places, 1)]
        for made in batch.each(items, work):
            lines.append(made) if isinstance(made, Line) else errors.append(made)
        lines.sort(key=lambda line: line.rank)
        index = as_index([line.entry for line in lines], {one.run: one.error for one in errors})
        write_text(path, index)
    return {str(line.entry.label) for line in lines}, errors


def _written(
    item: Item,
    path: Path,
    folder: Path,
    next_run: Callable[[Path, Pair], str],
    tags: Tags,
    baseline: Run | None,
) -> Line | UnreadRun:
    """A run's page written, and its line for the index; or why there is none."""
    place = item.place
    if isinstance(place, UnreadRun):
        return place
    answer = batch.diagnosed(place, tags, baseline=baseline)
    if isinstance(answer, UnreadRun):
        return answer
    pair = batch.named(answer, item.name)

    def write() -> Line:
        name = f"run-{item.number:05d}.html"
        page = as_html([pair], next_runs=[next_run(place, pair)], index=f"../{quote(os.fsencode(path.name))}")
        (folder / name).write_text(page, encoding="utf-8")
        line = entry(sections(*pair), f"{quote(os.fsencode(pages_beside(path).name))}/{name}")
        return Line(line, severity(pair[1]))

    return batch.guarded(str(place), write)


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """A block that fills a new folder, which then takes the place of the one before it; a failure leaves nothing."""
    _check_ours(folder)
    draft = draft_of(folder)
    sweep(folder)
    try:
        draft.mkdir()
        yield draft
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check_ours(folder: Path) -> None:
    """Raise ``BadInput`` for a folder with anything but pages of ours: it is replaced."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder}: is no folder, and the pages of the runs go there; choose another --html")
    other = (
        next((one for one in folder.iterdir() if not PAGE_NAME.fullmatch(one.name)), None) if folder.exists() else None
    )
    if other is not None:
        raise BadInput(f"{folder}: contains {other.name}, and the pages of the runs go there; choose another --html")
