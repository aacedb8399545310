"""The cells of a table's text: its header, then its columns, some thousands of rows at a time.

Most tables are plain: one width, no quotes, ordinary line ends. Their cells are had by cutting the text at every sign,
several times as fast as by ``csv``, which reads all that is not plain. Both give the same cells.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

import numpy as np

SIGNS = ",;\t|"
ODD = '"\r\0\x0b\x0c\x1c\x1d\x1e'
"""What a plain table has none of: quotes, and signs that end a line other than the ordinary one."""

PART_CHARACTERS = 1 << 19
"""Characters that are cut up at a time: a table of cells is large in memory."""

COLUMNS_PER_PART = 512
"""A wider table is cut up in larger parts: it would come row by row."""

BLOCK_ROWS = 1 << 14
MAX_CELL = 1 << 17
"""Longer cells are left to ``csv``, which refuses them."""


class Block(NamedTuple):
    """Rows of a table by columns, all of ``size`` cells; a short row has empty cells at its end."""

    columns: Sequence[Sequence[str]]
    size: int


def delimiter(first: str) -> str:
    """The sign that parts the cells of the header."""
    return max(SIGNS, key=first.count)


def header_and_blocks(raw: str) -> tuple[list[str] | None, Iterator[Block]]:
    """The first row that is not empty, None when there is none, and the rows below it that are not.

    Raises ``csv.Error``, also while the blocks are taken, where a cell is longer than ``csv`` reads.
    """
    first, _, rest = raw.partition("\n")
    first = first.removesuffix("\r")
    sign = delimiter((first.splitlines() or [""])[0])
    if any(first.split(sign)) and not any(odd in first for odd in ODD) and first.splitlines() == [first]:
        header = first.split(sign)
        return header, _blocks(rest, sign, len(header))
    rows = _rows(raw, sign)
    return next(rows, None), _by_columns(rows)


def _blocks(raw: str, sign: str, width: int) -> Iterator[Block]:
    """The rows part by part, each part cut at its signs or, where it is not plain, read by ``csv``."""
    start, characters = 0, PART_CHARACTERS * max(1, width // COLUMNS_PER_PART)
    while start < len(raw):
        stop = raw.find("\n", start + characters) + 1 or len(raw)
        part = raw[start:stop].replace("\r\n", "\n")
        plain = _plain(part, sign, width)
        if plain is not None:
            yield Block([plain[place::width] for place in range(width)], len(plain) // width)
        elif '"' in part:  # a quoted cell may continue in the next part
            yield from _by_columns(_rows(raw[start:], sign))
            return
        else:
            yield from _by_columns(_rows(part, sign))
        start = stop


def _plain(part: str, sign: str, width: int) -> list[str] | None:
    """The cells of whole lines, row after row; None where a line is not plain, not of that width, or empty."""
    if not part.isascii() or any(odd in part for odd in ODD):
        return None
    part = part if part.endswith("\n") else part + "\n"
    codes = np.frombuffer(part.encode(), dtype=np.uint8)
    ends = np.flatnonzero((codes == ord(sign)) | (codes == ord("\n")))
    if ends.size % width:
        return None
    last = (codes[ends] == ord("\n")).reshape(-1, width)
    lengths = np.diff(ends, prepend=-1).reshape(-1, width) - 1
    if last[:, :-1].any() or not last[:, -1].all() or not lengths.any(axis=1).all() or lengths.max() >= MAX_CELL:
        return None
    return part[:-1].replace("\n", sign).split(sign)


def _rows(raw: str, sign: str) -> Iterator[list[str]]:
    return filter(any, csv.reader(raw.splitlines(), delimiter=sign))


def _by_columns(rows: Iterator[list[str]]) -> Iterator[Block]:
    while block := list(islice(rows, BLOCK_ROWS)):
        yield Block(list(zip_longest(*block, fillvalue="")), len(block))
