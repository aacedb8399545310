from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.readers import read
from diagnostics.readers.tabular import cells
from diagnostics.readers.tabular.cells import delimiter, header_and_blocks

LOG = "step,loss,eval\n" + "".join(f"{k},{3 - k / 900!r},{k / 7 if k % 9 == 0 else ''}\n" for k in range(400))
WILD = st.lists(st.sampled_from([*'\n\n,,;"a1 .\r\x1c\x85é', "nan", "\r\n", "1.5", "1e-3", "\ufeff"]), max_size=60)


def table_of(raw: str) -> tuple[list[str] | None, list[list[str]]]:
    """The header and the rows, short ones filled up with empty cells as a block fills them."""
    header, blocks = header_and_blocks(raw)
    return header, [list(row) for block in blocks for row in zip(*block.columns, strict=True)]


def by_csv(raw: str) -> tuple[list[str] | None, list[list[str]]]:
    lines = raw.splitlines()
    rows = list(filter(any, csv.reader(lines, delimiter=delimiter(lines[0] if lines else ""))))
    return (rows[0] if rows else None), rows[1:]


def same(one: list[list[str]], other: list[list[str]]) -> bool:
    """Whether rows hold the same cells, empty ones at their ends aside."""
    return [bare(row) for row in one] == [bare(row) for row in other]


def bare(row: list[str]) -> list[str]:
    return row[: max((place for place, cell in enumerate(row, 1) if cell), default=0)]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "PART_CHARACTERS", 40)


@pytest.mark.parametrize(
    "raw",
    [
        LOG,
        LOG.replace("\n", "\r\n"),
        LOG.replace(",", ";"),
        LOG.replace(",", "\t"),
        LOG[:-4],
        LOG + "\n\n",
        LOG + ",,\n",
        LOG + "400,1",
        LOG.replace("\n9,", "\n9,nan,inf,-inf\n9,"),
        LOG.replace("\n70,", '\n"70",'),
        LOG.replace("\n70,", '\n70,"a\nb, c"\n70,'),
        LOG.replace("\n70,", "\n70,é\x0b1\n70,"),
        LOG.replace("\n70,", "\n\n \n70\n70,"),
        LOG.replace("\n70,", "\n70\r71\n70,"),
        LOG.replace("step", '"step"'),
        "\n" + LOG,
        "\r\n" + LOG,
        "loss\n1\n\n2\n",
        "",
        "\n",
        "step,loss",
    ],
)
def test_every_table_has_the_cells_that_csv_finds(raw: str):
    (header, rows), (true, expected) = table_of(raw), by_csv(raw)
    assert header == true
    assert same(rows, expected)


@given(WILD)
def test_any_text_has_the_cells_that_csv_finds(pieces: list[str]):
    raw = "".join(pieces)
    (header, rows), (true, expected) = table_of(raw), by_csv(raw)
    assert header == true
    assert same(rows, expected)


@given(st.lists(st.floats(), min_size=3, max_size=60))
def test_values_are_those_that_were_written_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float]
):
    path = tmp_path_factory.getbasetemp() / "bits.csv"
    path.write_text("step,loss\n" + "".join(f"{step},{value!r}\n" for step, value in enumerate(numbers)))
    curve = read(path).curves["train_loss"]
    assert curve.values.tobytes() == np.array([value for value in numbers if np.isfinite(value)]).tobytes()
    assert curve.broken == tuple(step for step, value in enumerate(numbers) if not np.isfinite(value))


def test_a_plain_table_needs_no_csv_and_a_line_that_is_not_plain_costs_its_own_part_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[int] = []
    true = csv.reader

    def counted(lines: list[str], **options: str) -> object:
        asked.append(len(lines))
        return true(lines, **options)

    monkeypatch.setattr(cells.csv, "reader", counted)
    table_of(LOG)
    assert asked == []
    table_of(LOG.replace("\n200,", "\n200\n200,"))
    assert len(asked) == 1
    assert asked[0] < 10


def test_a_cell_that_csv_refuses_is_refused():
    before = csv.field_size_limit(131072)  # other libraries raise it for the whole process
    try:
        with pytest.raises(csv.Error, match="field larger"):
            table_of(LOG + f"400,{'1' * 140_000},\n")
    finally:
        csv.field_size_limit(before)
