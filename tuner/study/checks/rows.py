"""The checks of the rows: none is trained on twice, none is held out and trained on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.config.study_spec import StudySpec
from tuner.data import load_data
from tuner.data.splits import prompt_key
from tuner.drivers.held_out import FOLDER, question
from tuner.study.checks.record import Check, passed, warned


def checks_of_rows(spec: StudySpec, study: Path) -> Iterator[Check]:
    """The checks of the rows that can be seen here: our own trainer's, and those that were cut into two files."""
    if spec.driver is None:
        data = load_data(spec.config, spec.method, spec.path.parent, seed=int(spec.config.get("seed", 42)))
        yield from _checks(
            [prompt_key(row) for row in data.train],
            [_whole(row) for row in data.train],
            [prompt_key(row) for row in data.test],
        )
        return
    train, test = (
        _cut_rows(study / FOLDER, ("-train.json", "train.jsonl")),
        _cut_rows(study / FOLDER, ("-held-out.json", "test.jsonl")),
    )
    if train and test:
        yield from _checks(
            [question(row) for row in train], [_whole(row) for row in train], [question(row) for row in test]
        )


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


def _cut_rows(folder: Path, ends: tuple[str, ...]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.name.endswith(ends):
            text = path.read_text(encoding="utf-8")
            found += json.loads(text) if path.suffix == ".json" else map(json.loads, text.splitlines())
    return found
