"""Runs with a file for each split: ``training.jsonl`` and ``validation.jsonl``, ``train.csv`` and ``val.csv``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from diagnostics.model.message import message
from diagnostics.readers.assemble.tags import HELD_OUT, TRAIN, match, names_a_loss
from diagnostics.readers.files import UnreadableLog
from diagnostics.readers.raw_log import Log, Series
from diagnostics.readers.tabular.rows import BY_EPOCH, BY_ROW

WORDS = re.compile(r"([A-Za-z]+)")


def partners(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Among the names in a log's folder those of its held-out rows, with the name of their set, empty for the only one.

    They are spelled as the log is, with ``val`` for ``train``; NeMo Automodel writes further sets to
    ``validation_NAME.jsonl``.
    """
    parts = WORDS.split(path.stem)
    places = [place for place, part in enumerate(parts) if part.lower() in TRAIN]
    if len(places) != 1:
        return {}
    before, after = ("".join(some) for some in (parts[: places[0]], parts[places[0] + 1 :]))
    before, after, ending = map(re.escape, (before, after, path.suffix))
    form = re.compile(rf"{before}(?:{'|'.join(HELD_OUT)}){after}(?:_(\w+))?{ending}", re.IGNORECASE)
    found = {name: found.group(1) or "" for name in names if (found := form.fullmatch(name))}
    plain = {name: inner for name, inner in found.items() if not inner}
    return found if len(plain) <= 1 else {}


def partners_of(path: Path) -> dict[Path, str]:
    """The files with the held-out rows of a log, and the names of their sets; none for most logs."""
    if not any(word.lower() in TRAIN for word in WORDS.findall(path.stem)):
        return {}
    try:
        return {path.with_name(name): inner for name, inner in sorted(partners(path, os.listdir(path.parent)).items())}
    except OSError:
        return {}


def joined(log: Log, path: Path, read: Callable[[Path], Log]) -> Log:
    """The log at a path with what the files of its held-out rows hold, as ``read`` reads them."""
    series: dict[str, Series] = {}
    for file, inner in partners_of(path).items():
        try:
            other = read(file)
        except UnreadableLog as error:
            log = log.with_notes(message("log-not-read", why=str(error)))
            continue
        if not names_a_loss(list(other.series)):
            continue
        if _counts(log) != _counts(other):
            log = log.with_notes(message("split-not-joined", file=file.name))
            continue
        series |= {_held_out(tag, inner): points for tag, points in other.series.items()}
    return replace(log, series={**series, **log.series}) if series else log


def _counts(log: Log) -> tuple[object, int]:
    """How the steps of a log were found, and, where its rows were counted, how many there are."""
    notes = frozenset(log.notes)
    rows = max((points.steps.size for points in log.series.values()), default=0) if BY_ROW in notes else 0
    return notes & {BY_EPOCH, BY_ROW}, rows


def _held_out(tag: str, inner: str) -> str:
    """A tag as one of the held-out rows, with the name of their set."""
    found = match(tag)
    bare = tag if found is None or not found.name.startswith("eval_") else re.sub(r"^[A-Za-z]+[/_. -]", "", tag)
    return f"eval/{inner}/{bare}" if inner else f"eval/{bare}"
