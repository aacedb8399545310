"""Which rows of the table a reader wants to see, and in which order."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tuner.inspector.runs.row import LABELS, STILL_WRITTEN, Row

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
ANY_SIGN = "|".join(OPERATORS)
ABBREVIATIONS = {"lr": "learning_rate", "batch": "batch_size", "epochs": "num_train_epochs", "rank": "lora_r"}
BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}


class BadPattern(ValueError):
    """A filter that cannot be understood; the message says where, and what is valid."""


@dataclass(frozen=True)
class RowFilter:
    """What the rows are filtered by; an empty part lets every row pass.

    ``text``: words that must all occur in the name, the verdict, the cause or a curve's name, or with ``regex`` a
    pattern for one of them; ``settings``: conditions such as ``learning_rate>1e-4 optim=adamw``.
    """

    text: str = ""
    regex: bool = False
    labels: Collection[str] = ()
    studies: Collection[str] = ()
    settings: str = ""


def matching(rows: Sequence[Row], wanted: RowFilter) -> list[Row]:
    """The rows that fit, in the order in which they came. Raises ``BadPattern``."""
    fits = _pattern(wanted.text) if wanted.regex else _words(wanted.text)
    holds = conditions(wanted.settings, rows)
    return [
        row
        for row in rows
        if (not wanted.labels or row.label in wanted.labels)
        and (not wanted.studies or row.study in wanted.studies)
        and holds(row)
        and fits((row.name, row.label, row.cause or "", *row.curves))
    ]


Fits = Callable[[Sequence[str]], bool]


def _words(text: str) -> Fits:
    words = text.lower().split()
    return lambda parts: all(word in "\n".join(parts).lower() for word in words)


def _pattern(text: str) -> Fits:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise BadPattern(f"the filter must be a regular expression: {error.msg}{where}") from error
    return lambda parts: any(pattern.search(part) for part in parts)


def conditions(text: str, rows: Sequence[Row]) -> Callable[[Row], bool]:
    """Whether a row's settings meet every condition of ``text``; a run without a setting meets no condition on it.

    ``eval_loss`` and ``steps`` are valid names too. Raises ``BadPattern`` for a name that no row has.
    """
    parts = re.sub(rf"\s*({ANY_SIGN})\s*", r"\1", text).replace(",", " ").split()
    tests = [_condition(part, rows) for part in parts]
    return lambda row: all(test(row) for test in tests)


def _condition(part: str, rows: Sequence[Row]) -> Callable[[Row], bool]:
    found = re.fullmatch(rf"(.+?)({ANY_SIGN})(.+)", part)
    if found is None:
        raise BadPattern(f"{part}: must be a setting, a sign and a value, such as learning_rate>1e-4")
    name, sign, given = ABBREVIATIONS.get(found[1], found[1]), found[2], found[3]
    known = dict.fromkeys(knob for row in rows for knob in facts(row))
    if name not in known:
        near = get_close_matches(name, list(known), 1, 0.0)
        raise BadPattern(f"{name}: no run here has this setting{f'; did you mean {near[0]}?' if near else ''}")
    value = _value(given)
    if sign in ("<", ">", "<=", ">=") and not isinstance(value, float):
        raise BadPattern(f"{part}: {given} is not a number; other values can only be = or !=")
    return lambda row: _holds(facts(row).get(name), sign, value)


def facts(row: Row) -> dict[str, object]:
    """The values of a row that a condition can name: its settings, its lowest eval loss, its last step."""
    known = dict(row.settings)
    if row.best_eval_loss is not None:
        known["eval_loss"] = row.best_eval_loss
    return {**known, "steps": row.last_step} if row.last_step else known


def _value(text: str) -> float | bool | str:
    try:
        return float(text)
    except ValueError:
        return BOOLEANS.get(text.lower(), text.lower())


def _holds(actual: object, sign: str, value: float | bool | str) -> bool:
    if actual is None:
        return False
    if isinstance(value, float) and isinstance(actual, (int, float)) and not isinstance(actual, bool):
        return OPERATORS[sign](float(actual), value)
    if sign not in ("=", "==", "!="):
        return False
    same = actual is value if isinstance(actual, bool) else str(actual).lower() == str(value)
    return same if sign != "!=" else not same


def _natural(text: str) -> tuple[object, ...]:
    """A sort key that puts ``trial-2`` before ``trial-10``."""
    parts = re.split(r"(\d+)", text.lower())
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


WORST, NEWEST = "worst verdict first", "newest first"
SORTS: dict[str, Callable[[Row], tuple[object, ...]]] = {
    WORST: lambda row: (LABELS.index(row.label),),
    NEWEST: lambda row: (-row.written, _natural(row.id)),
    "name": lambda row: _natural(row.id),
    "lowest eval loss": lambda row: (row.best_eval_loss is None, row.best_eval_loss or 0.0, row.id),
    "most steps": lambda row: (-row.last_step, row.id),
}


def in_order(rows: Sequence[Row], order: str) -> list[Row]:
    """The rows sorted by one of ``SORTS``; an unknown order is that of the first.

    Of equal verdicts the newest is first. Of the newest, those that are still being written are ordered by name: they
    would change places at every check.
    """
    order = order if order in SORTS else WORST
    if order not in (WORST, NEWEST):
        return sorted(rows, key=SORTS[order])
    newest = max((row.written for row in rows), default=0.0)
    at_work = [row for row in rows if row.written > newest - STILL_WRITTEN]
    rest = [row for row in rows if row.written <= newest - STILL_WRITTEN]
    latest = sorted(at_work, key=SORTS["name"]) + sorted(rest, key=SORTS[NEWEST])
    return latest if order == NEWEST else sorted(latest, key=SORTS[WORST])
