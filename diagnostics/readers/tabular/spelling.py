"""Tables as other programs spell them: a comment as header, blanks between the columns, commas in the numbers."""

from __future__ import annotations

import re

from diagnostics.readers.assemble.tags import match
from diagnostics.readers.tabular.cells import SIGNS, delimiter
from diagnostics.readers.tabular.columns import number
from diagnostics.readers.tabular.rows import step_name

COMMENT = "#"
EXCEL_MARK = re.compile(r"sep=.\r?\n", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
DECIMAL_POINT = re.compile(r"\d\.\d")
MAX_NAME = 80
"""A longer cell in the first line is prose, not the name of a column."""


def plain(raw: str) -> str:
    """The table with its header in the first line, a sign between its columns, and points in its numbers."""
    raw = EXCEL_MARK.sub("", raw, count=1) if raw[:4].lower() == "sep=" else raw
    raw = _uncommented(raw) if raw.startswith(COMMENT) else raw
    first, _, rest = raw.partition("\n")
    if _is_parted_by_blanks(first, rest.partition("\n")[0]):
        return "\n".join("\t".join(line.split()) for line in raw.splitlines())
    if delimiter(first) != "," and DECIMAL_COMMA.search(rest) and not DECIMAL_POINT.search(rest):
        return f"{first}\n{DECIMAL_COMMA.sub('.', rest)}"
    return raw


def _uncommented(raw: str) -> str:
    """The table without the comments above it; the last of them is the header where only numbers follow it."""
    header = ""
    while raw.startswith(COMMENT):
        header, _, raw = raw.partition("\n")
    first = raw.partition("\n")[0]
    cells = first.split(delimiter(first) if _has_sign(first) else None)
    return f"{header.lstrip('# ')}\n{raw}" if all(number(cell) is not None for cell in cells if cell) else raw


def _is_parted_by_blanks(first: str, second: str) -> bool:
    """Whether the header and the row below it are as many words, with no other sign between them."""
    return not _has_sign(first + second) and 1 < len(first.split()) == len(second.split())


def _has_sign(line: str) -> bool:
    return any(sign in line for sign in SIGNS)


def is_table(head: str) -> bool:
    """Whether a text begins with a header that names a loss and, below it, as many cells of which most are numbers."""
    lines = [line for line in plain(head).splitlines()[:3] if line.strip()]
    if not lines or not _has_sign(lines[0]):
        return False
    sign = delimiter(lines[0])
    names = [name.strip().strip('"') for name in lines[0].split(sign)]
    if any(len(name) > MAX_NAME or number(name) is not None or re.search(r"[:=]\s*\d", name) for name in names):
        return False
    return _names_loss_over_steps(names) and all(_fits(line.split(sign), len(names)) for line in lines[1:2])


def _fits(cells: list[str], width: int) -> bool:
    """Whether a row is as wide as the header and holds numbers for the most part."""
    return len(cells) == width and 2 * sum(number(cell) is not None for cell in cells) >= width


def _names_loss_over_steps(names: list[str]) -> bool:
    """Whether one of the names is a loss, and another counts steps or epochs or is a further curve."""
    found = {one.name for name in names if (one := match(name))}
    losses = found & {"train_loss", "eval_loss"}
    return bool(losses) and (len(found) > 1 or step_name(names) is not None)
