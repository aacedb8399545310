"""Data files that no table can hold: one line with the file and the row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.wrong_data import cases
from benchmarks.wrong_data.case import WrongData
from benchmarks.wrong_data.outcome import outcome
from tuner.data import DataError
from tuner.data.files import read_file

GOOD = json.dumps({"prompt": "a", "completion": "b"})


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ('{"prompt": ' + "[" * 100_000 + "]" * 100_000 + ', "completion": "b"}', "nested"),
        ('{"prompt": ' + "[" * 200 + "]" * 200 + ', "completion": "b"}', "nested more than 50 deep"),
        (f'{{"prompt": "a", "completion": "b", "id": {"9" * 5000}}}', "digits"),
        (f'{{"prompt": "a", "completion": "b", "id": {"9" * 30}}}', "64 bits"),
        ('{"prompt": "a", "completion": "\\ud800"}', "lone surrogate"),
        ('{"prompt": "a", "completion": {"\\udfff": 1}}', "lone surrogate"),
    ],
    ids=["deep", "rather deep", "digits", "64 bits", "surrogate", "surrogate in a key"],
)
@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_a_row_that_no_table_can_hold_is_named(tmp_path: Path, kind: str, bad: str, named: str) -> None:
    path = tmp_path / f"rows.{kind}"
    path.write_text(f"{GOOD}\n{bad}\n" if kind == "jsonl" else f"[{GOOD}, {bad}]")
    with pytest.raises(DataError) as caught:
        read_file(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ") and named in line and "\n" not in line and len(line) < 300
    # A whole JSON file is parsed at once, so that Python says no row.
    assert "row 2" in line or (kind == "json" and named in ("nested", "digits"))


@pytest.mark.parametrize("row", [{"prompt": "\u00e9 \U0001f600", "completion": "b"}, {"prompt": "a", "id": 2**63 - 1}])
def test_other_rows_are_read_as_they_are(tmp_path: Path, row: dict[str, object]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row))
    assert read_file(path) == [row]


def test_a_column_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("prompt,completion,prompt\na,b,c\n")
    with pytest.raises(DataError, match=r"rows.csv: the column 'prompt' is in the header twice"):
        read_file(path)


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("rows.jsonl", b"null\n", "row 1: must be a mapping of columns, not NoneType"),
        ("rows.jsonl", b"3\n", "row 1: must be a mapping of columns, not int"),
        ("rows.json", GOOD.encode("utf-16"), "not UTF-8"),
        ("rows.csv", b'prompt,completion\na,"b\nc,d\n', "line 2: .*; check the quotes"),
        ("rows.parquet", b"PAR1" + bytes(60), "not a parquet file: "),
    ],
)
def test_a_line_says_what_is_wrong_and_not_what_is_not(tmp_path: Path, name: str, content: bytes, named: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=named):
        read_file(tmp_path / name)


@pytest.mark.parametrize("case", list(cases())[::13], ids=lambda case: case.name)
def test_a_sample_of_the_generated_files_is_one_line_or_read_as_it_is(case: WrongData, tmp_path: Path) -> None:
    found = outcome(case, tmp_path)
    assert found.what in case.right, found.line
