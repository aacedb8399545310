"""A reproducible held-out part of the rows, with equal prompts on one side."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tuner.data.files import DataError

HELD_OUT_SHARE = 0.1
MAX_HELD_OUT_ROWS = 1000
"""The held-out rows are evaluated a dozen times in a run."""


def prompt_key(row: Mapping[str, Any]) -> str:
    """The part that two rows with the same question share: the prompt, the first question, or the whole text."""
    if "prompt" in row:
        question = row["prompt"]
    elif "messages" in row:
        question = next((turn["content"] for turn in row["messages"] if turn["role"] == "user"), row["messages"])
    elif "chosen" in row:
        question = _common_start(str(row["chosen"]), str(row["rejected"]))
    else:
        question = list(row.values())
    return json.dumps(question, sort_keys=True, ensure_ascii=False, default=str)


def _common_start(one: str, other: str) -> str:
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]


def held_out(keys: Iterable[str], seed: int, where: str, size: float | None = None) -> tuple[list[int], list[int]]:
    """Row numbers (from 0) to train on and to hold out: a tenth, at least one, at most 1,000.

    ``size`` is another share (below 1) or number of rows (from 1 on). Rows with the same key stay on one side.
    Raises ``DataError`` when all rows have the same key, or there are fewer rows than are to be held out.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        groups[key].append(number)
    if len(groups) < 2:
        raise DataError(f"{where}: must contain at least two different prompts, one to train on and one to hold out")
    total = sum(len(rows) for rows in groups.values())
    wanted = _wanted(total, size, where)
    test: list[int] = []
    for key in sorted(groups, key=lambda key: _rank(key, seed))[:-1]:
        if len(test) >= wanted:
            break
        if not test or len(test) + len(groups[key]) <= 2 * wanted:
            test += groups[key]
    out = set(test)
    return [number for number in range(total) if number not in out], sorted(test)


def _wanted(total: int, size: float | None, where: str) -> int:
    if size is None:
        return min(max(1, round(total * HELD_OUT_SHARE)), MAX_HELD_OUT_ROWS)
    wanted = round(size) if size >= 1 else max(1, round(total * size))
    if not 0 < wanted < total:
        raise DataError(f"{where}: test_split_size {size:g} leaves nothing to train on; it has {total} rows")
    return wanted


def _rank(key: str, seed: int) -> bytes:
    return hashlib.sha1(f"{seed}\0{key}".encode()).digest()
