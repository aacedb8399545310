"""Rows of any known format into TRL's columns, each bad row named by its number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.config.methods import TRL_METHODS, RowKind, TrlMethod
from tuner.data.files import DataError, Rows
from tuner.data.formats import Format, formats, with_answer
from tuner.data.messages import RowError
from tuner.errors import brief_name

ROWS_FOR_COLUMNS = 100
"""How many rows are read to learn which columns there are."""

MAX_NAMED = 12
"""Columns that a line about them names."""

DESCRIPTIONS = {
    RowKind.INSTRUCTION: "instructions with answers",
    RowKind.TEXT: "plain text",
    RowKind.PREFERENCE: "pairs of a chosen and a rejected answer",
    RowKind.LABELED: "answers with a label, true or false",
    RowKind.PROMPT: "questions without answers",
}

NOT_FOR_REWARDS = ("prompt", "completion", "completion_ids")
"""Columns that TRL does not hand to the reward functions."""


@dataclass(frozen=True)
class Converted:
    """Rows with TRL's columns, the format they came in, how many were left out as pairs without a difference.

    ``columns`` are the same rows as the file holds them.
    """

    rows: Rows
    format: str
    dropped: int = 0
    columns: Sequence[Mapping[str, Any]] = ()


def columns_of(rows: Sequence[Any]) -> set[str]:
    """The columns that the first rows have."""
    return {name for row in rows[:ROWS_FOR_COLUMNS] for name in row}


def format_of(columns: Collection[str], method: TrlMethod, where: str, text_column: str = "text") -> Format:
    """The format that these columns mean for a method; raises ``DataError`` when there is none."""
    fitting = [one for one in formats(text_column) if one.fits(columns)]
    wanted = next((one for one in fitting if one.rows in method.rows), None)
    if wanted is not None:
        return wanted
    for name, partner in (("chosen", "rejected"), ("rejected", "chosen")):
        if RowKind.PREFERENCE in method.rows and name in columns and partner not in columns:
            raise DataError(
                f"{where}: has a column {name} and no {partner}; a line such as `columns: {{{partner}: my_column}}` "
                "says which column it is"
            )
    if fitting:
        other = next(name for name, one in TRL_METHODS.items() if fitting[0].rows in one.rows)
        raise DataError(
            f"{where}: contains {DESCRIPTIONS[fitting[0].rows]} ({fitting[0].name}), and method {method.name} needs "
            f"{DESCRIPTIONS[method.rows[0]]}; use method: {other}, or other data"
        )
    known = ", ".join(one.name for one in formats(text_column) if one.rows in method.rows)
    raise DataError(
        f"{where}: its columns {_listed(columns)} match no known format; known: {known}; a line such as "
        "`columns: {prompt: my_column}` says which column is which"
    )


def _listed(columns: Collection[str]) -> str:
    """The names of the columns, as many as fit on a line."""
    names = [brief_name(name) if name.strip() == name != "" else repr(name) for name in sorted(columns)]
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more


def convert(rows: Rows, method: TrlMethod, where: str, text_column: str = "text") -> Converted:
    """The rows with TRL's columns; raises ``DataError`` with the number of the first row that does not fit."""
    form = format_of(columns_of(rows), method, where, text_column)
    made = [converted_row(row, form, method, f"{where}: row {number}") for number, row in enumerate(rows, 1)]
    pairs = [(row, raw) for row, raw in zip(made, rows, strict=True) if not is_identical_pair(row)]
    if not pairs:
        raise DataError(f"{where}: chosen equals rejected in every row; there is nothing to learn")
    kept, columns = zip(*pairs, strict=True)
    return Converted(list(kept), form.name, len(made) - len(kept), columns)


def converted_row(row: Any, form: Format, method: TrlMethod, where: str) -> dict[str, Any]:
    """One row with TRL's columns; raises ``DataError`` that begins with ``where``."""
    try:
        made = form.convert(row)
        return SHAPES[method.shape](row, made) if method.shape else made
    except RowError as error:
        raise DataError(f"{where}: {error}") from None


def _as_prompt(row: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """The question, with everything else in the row for the reward functions; they know the answer as ``answer``."""
    asked = with_answer(made)
    rest = {name: value for name, value in row.items() if name not in (*NOT_FOR_REWARDS, "messages", "conversations")}
    if "completion" in asked and "answer" not in rest:
        rest["answer"] = _text(asked["completion"])
    return {"prompt": asked["prompt"], **rest}


def _as_conversation(row: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Question and answer as one conversation, which ends with the answer."""
    asked = with_answer(made)
    turns = (("user", asked["prompt"]), ("assistant", asked["completion"]))
    return {
        "messages": [
            one
            for role, part in turns
            for one in ([{"role": role, "content": part}] if isinstance(part, str) else part)
        ]
    }


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else str(answer[0]["content"])


SHAPES: Mapping[RowKind, Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]]] = {
    RowKind.PROMPT: _as_prompt,
    RowKind.CONVERSATION: _as_conversation,
}
"""What a method makes of every kind of row that it takes."""


def is_identical_pair(row: dict[str, Any]) -> bool:
    """Whether chosen equals rejected, which teaches nothing and leaves an implicit prompt without an end."""
    return "chosen" in row and bool(row["chosen"] == row["rejected"])
