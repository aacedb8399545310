"""Rows that ``max_length`` cuts or leaves out are counted and said, exactly, for one column of tokens or several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from diagnostics.model.message import Message
from tuner.assets import TINY
from tuner.training.train import train

LIMIT = 40


def length(text: str) -> int:
    return len(AutoTokenizer.from_pretrained(TINY)(text)["input_ids"])


def notes_of(make: Any, folder: Path, method: str, rows: list[dict[str, str]]) -> list[Message]:
    (folder / "rows").mkdir()
    for split in ("train", "test"):
        (folder / "rows" / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = train(make(method, dataset_name=str(folder / "rows"), max_length=LIMIT, max_steps=1), {}, folder / "run")
    codes = ("rows-cut", "rows-left-out")
    return [note for note in run.notes if isinstance(note, Message) and note.code in codes]


def rows(*answers: int) -> list[dict[str, str]]:
    return [{"prompt": f"Question {k}?", "completion": " red" * words} for k, words in enumerate(answers)]


def test_cut_rows_and_the_longest_of_them_are_said(make: Any, tmp_path: Path) -> None:
    given = rows(2, 3, 60, 4, 90)
    (train_note, _) = notes_of(make, tmp_path, "sft", given)
    longest = max(length(row["prompt"] + row["completion"]) for row in given)
    values = dict(train_note.values)
    assert (train_note.code, values["rows"], values["total"], values["limit"]) == ("rows-cut", 2, 5, LIMIT)
    assert abs(values["longest"] - longest) <= 2  # and what the tokenizer puts around them


def test_rows_whose_answer_is_cut_off_are_said_to_be_left_out(make: Any, tmp_path: Path) -> None:
    given = [*rows(2, 3, 4), {"prompt": "word " * 80, "completion": " red"}]
    (note, _) = notes_of(make, tmp_path, "sft", given)
    assert (note.code, dict(note.values)["rows"], dict(note.values)["total"]) == ("rows-left-out", 1, 4)


def test_the_longer_answer_of_a_pair_counts(make: Any, tmp_path: Path) -> None:
    pairs = [{"prompt": f"Q{k}?", "chosen": " red" * k, "rejected": " blue"} for k in (1, 2, 70)]
    (note, _) = notes_of(make, tmp_path, "dpo", pairs)
    assert (note.code, dict(note.values)["rows"]) == ("rows-cut", 1)
    assert dict(note.values)["longest"] > 70


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_nothing_is_said_where_nothing_is_cut(make: Any, tmp_path: Path, method: str) -> None:
    given = [{**row, "chosen": row["completion"], "rejected": " no"} for row in rows(2, 3, 4)]
    kept = ("prompt", "completion") if method == "sft" else ("prompt", "chosen", "rejected")
    assert notes_of(make, tmp_path, method, [{key: row[key] for key in kept} for row in given]) == []
