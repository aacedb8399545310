"""Rows, turns and columns that no trainer can use, in files that are whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.wrong_data.case import (
    BAD,
    CHAT,
    DPO,
    ROWS,
    SFT,
    WRITERS,
    Row,
    WrongData,
    bytes_in,
    lines_of,
    table_of,
)

WRONG_ROWS: dict[str, Any] = {
    "null": None,
    "a list": ["a", "b"],
    "a number": 3,
    "a text": "a",
    "nothing in it": {},
    "other columns": {"x": 1},
}


WRONG_FIELDS: dict[str, Any] = {
    "null": None,
    "a number": 7,
    "nan": float("nan"),
    "true": True,
    "an empty text": "",
    "white space": " \n ",
    "an empty list": [],
    "a list of texts": ["a", "b"],
    "a list of lists": [[["a"]]],
    "a mapping": {"a": 1},
    "a lone surrogate": "\ud800",
    "a huge number": 10**30,
}


def broken_rows() -> Iterator[WrongData]:
    """One row that is not a mapping, or a field that holds what no field holds."""
    for kind, method, rows in (
        ("jsonl", "sft", SFT),
        ("json", "sft", SFT),
        ("jsonl", "dpo", DPO),
        ("jsonl", "sft", CHAT),
    ):
        for name, row in WRONG_ROWS.items():
            yield with_row(kind, name, method, rows, row)
    for method, rows, fields in (("sft", SFT, ("prompt", "completion")), ("dpo", DPO, ("chosen", "rejected"))):
        for field in fields:
            for name, value in WRONG_FIELDS.items():
                yield with_row("jsonl", f"{field} is {name}", method, rows, {**rows[BAD - 1], field: value})
        row = {key: value for key, value in rows[BAD - 1].items() if key != fields[-1]}
        yield with_row("jsonl", f"{fields[-1]} is missing", method, rows, row)
    yield WrongData(
        "jsonl: chosen is rejected in every row",
        "dpo",
        bytes_in("rows.jsonl", lines_of([{**row, "rejected": row["chosen"]} for row in DPO])),
    )
    same = [{"prompt": "the same", "completion": str(k)} for k in range(ROWS)]
    yield WrongData("jsonl: one prompt", "sft", bytes_in("rows.jsonl", lines_of(same)))
    yield WrongData("jsonl: one row", "sft", bytes_in("rows.jsonl", lines_of(SFT[:1])))


def with_row(kind: str, name: str, method: str, rows: list[Row], row: Any) -> WrongData:
    """Good rows of which the ``BAD``-th is ``row``."""
    content = WRITERS[kind]([*rows[: BAD - 1], row, *rows[BAD:]])
    return WrongData(f"{kind} of {method}: {name}", method, bytes_in(f"rows.{kind}", content), row=BAD)


def broken_turns() -> Iterator[WrongData]:
    """A conversation, or its calls of tools, of another shape."""
    user, bot = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
    for name, turns in {
        "null": None,
        "a text": "hello",
        "a number": 3,
        "no turn": [],
        "a turn is null": [user, None],
        "a turn is a text": ["q", "a"],
        "a turn without a role": [{"content": "q"}, bot],
        "an unknown role": [{"role": "robot", "content": "q"}, bot],
        "a role that is a number": [{"role": 3, "content": "q"}, bot],
        "a turn without content": [{"role": "user"}, bot],
        "content is null": [user, {"role": "assistant", "content": None}],
        "content is a number": [{"role": "user", "content": 3}, bot],
        "content is a list": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, bot],
        "an empty answer": [user, {"role": "assistant", "content": " "}],
        "nobody answers": [user, user],
        "a system turn alone": [{"role": "system", "content": "s"}],
        "a mapping": {"role": "user", "content": "q"},
        "nested": [[user, bot]],
    }.items():
        yield with_row("jsonl", f"turns: {name}", "sft", CHAT, {"messages": turns})
    for name, tools in {"null": None, "a text": "f()", "a number": 3, "a list of numbers": [1]}.items():
        turn = {"role": "assistant", "content": None, "tool_calls": tools}
        yield with_row("jsonl", f"tool calls: {name}", "sft", CHAT, {"messages": [user, turn]})


def wrong_columns() -> Iterator[WrongData]:
    """Whole files without the columns that the method needs."""
    alpaca = [{"instruction": str(k), "output": "a"} for k in range(ROWS)]
    renamed = [{"Prompt": row["prompt"], "Completion": row["completion"]} for row in SFT]
    for name, method, rows in (
        ("pairs for sft", "sft", DPO),
        ("instructions for dpo", "dpo", SFT),
        ("turns for dpo", "dpo", CHAT),
        ("other columns", "sft", [{"a": k, "b": k} for k in range(ROWS)]),
        ("capital letters", "sft", renamed),
        ("spaces", "sft", [{f" {key} ": value for key, value in row.items()} for row in SFT]),
        ("an empty name", "sft", [{"": "x", **row} for row in renamed]),
        ("a column named None", "sft", [{"None": None} for _ in SFT]),
        ("20,000 columns", "sft", [{f"c{k}": k for k in range(20_000)} for _ in range(3)]),
        ("chosen is text and rejected turns", "dpo", [{**row, "rejected": CHAT[0]["messages"]} for row in DPO]),
        ("turns that share no prompt", "dpo", [{"chosen": _turns(k), "rejected": _turns(-k)} for k in (1, 2, 3)]),
        ("chosen and rejected alone", "dpo", [{"chosen": [None], "rejected": [None]} for _ in DPO]),
        ("history that is no pairs", "sft", [{**row, "history": [1, 2]} for row in alpaca]),
        ("history that is a text", "sft", [{**row, "history": "ab"} for row in alpaca]),
        ("system that is a number", "sft", [{**row, "system": 3} for row in alpaca]),
        ("tokens already", "sft", [{"input_ids": [1, 2, k]} for k in range(9)]),
    ):  # fmt: skip
        yield WrongData(f"columns: {name}", method, bytes_in("rows.jsonl", lines_of(rows)))
    mixed = [{**row, "extra": k if k % 2 else "text"} for k, row in enumerate(SFT)]
    yield WrongData("columns: one of two types", "sft", bytes_in("rows.jsonl", lines_of(mixed)), fine=True)


def _turns(number: int) -> list[Row]:
    turns: list[Row] = CHAT[number]["messages"]
    return turns


def tables() -> Iterator[WrongData]:
    """CSV whose header and lines do not fit together."""
    good = table_of(SFT).decode().splitlines()
    for name, lines, fine in (
        ("a header alone", good[:1], False),
        ("no header", good[1:], False),
        ("a name twice", ["prompt,completion,prompt", *(f"{line},x" for line in good[1:])], False),
        ("an empty name", ["prompt,,", *(f"{line},x" for line in good[1:])], False),
        ("more fields than names", [*good[:5], f"{good[5]},more", *good[6:]], False),
        ("fewer fields than names", [*good[:5], "only one", *good[6:]], False),
        ("a quote that is not closed", [*good[:5], 'q,"a', *good[6:]], False),
        ("semicolons", [line.replace(",", ";") for line in good], False),
        ("empty lines between", [part for line in good for part in (line, "")], True),
        ("line ends in quotes", [*good[:5], 'q,"a', 'b"', *good[6:]], True),
        ("a comment first", ["# rows of ours", *good], False),
    ):
        yield WrongData(f"csv: {name}", "sft", bytes_in("rows.csv", "\n".join(lines).encode()), fine)
