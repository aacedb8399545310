"""The checks of the rows: none is trained on twice, none is held out and trained on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.config.methods import TRL_METHODS
from tuner.config.study_spec import StudySpec
from tuner.data import load_data
from tuner.data.conversion import convert
from tuner.data.files import DataError
from tuner.data.splits import prompt_key
from tuner.drivers.held_out import FOLDER, question
from tuner.study.checks.record import Check, passed, skipped, warned


@dataclass(frozen=True)
class Rows:
    """The rows of a study in TRL's columns, and the fingerprints by which they are compared."""

    train: Sequence[Mapping[str, Any]]
    test: Sequence[Mapping[str, Any]]
    asked: Sequence[str]
    whole: Sequence[str]
    held: Sequence[str]


def rows_of(spec: StudySpec, study: Path) -> Rows | None:
    """The rows that can be seen here: our own trainer's, and those that were cut into two files; else None."""
    if spec.driver is None:
        data = load_data(spec.config, spec.method, spec.path.parent, seed=int(spec.config.get("seed", 42)))
        asked, held = ([prompt_key(row) for row in rows] for rows in (data.train, data.test))
        return Rows(list(data.train), list(data.test), asked, [_whole(row) for row in data.train], held)
    train, test = (_cut_rows(study / FOLDER, ends) for ends in (TRAIN, TEST))
    if not train or not test:
        return None
    asked, held = ([question(row) for row in rows] for rows in (train, test))
    return Rows(_converted(spec, train), _converted(spec, test), asked, [_whole(row) for row in train], held)


TRAIN, TEST = ("-train.json", "train.jsonl"), ("-held-out.json", "test.jsonl")


def _converted(spec: StudySpec, rows: list[dict[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Rows in TRL's columns; none where their format is the trainer's own."""
    try:
        return list(convert(rows, TRL_METHODS[spec.method], str(spec.path)).rows)
    except DataError:
        return []


def checks_of_rows(rows: Rows | None) -> Iterator[Check]:
    """The checks of the rows: duplicates, and questions on both sides."""
    if rows is None:
        yield skipped("check-rows-elsewhere")
    else:
        yield from _checks(rows.asked, rows.whole, rows.held)


def _checks(asked: Sequence[str], rows: Sequence[str], held: Sequence[str]) -> Iterator[Check]:
    known = set(asked)
    leaked = sum(one in known for one in held)
    twice = sum(count - 1 for count in Counter(rows).values())
    if leaked:
        yield warned("check-leak", count=leaked, held=len(held))
    else:
        yield passed("check-rows", rows=len(rows), held=len(held))
    if twice:
        yield warned("check-duplicates", count=twice, rows=len(rows))


def _whole(row: Mapping[str, Any]) -> str:
    return json.dumps(dict(row), sort_keys=True, default=str)


def _cut_rows(folder: Path, ends: tuple[str, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.name.endswith(ends):
            text = path.read_text(encoding="utf-8")
            found += json.loads(text) if path.suffix == ".json" else map(json.loads, text.splitlines())
    return found
