"""What the kinds of printed lines share: a number, a row with the progress bars before it, lines without colors."""

from __future__ import annotations

import re
from typing import NamedTuple

from diagnostics.readers.tabular.rows import Row

NUMBER = (
    r"[-+]?(?:(?>\d++(?:\.\d*+)?[eE][-+]?\d++|\d++\.\d++)|\d++(?!\.\d|\.?[eE][-+]?\d)\.?"
    r"|\.(?>\d++(?:[eE][-+]?\d++)?)|nan|inf(?:inity)?)"
)
"""A number as programs print it; compile with ``re.IGNORECASE``.

As every pattern of these readers it takes a time in proportion to the line: a line can be a million characters long.
"""

COLOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

COUNT = re.compile(
    r"\b(?:global[ _])?(step|iter(?:ation)?|epoch)s?\b[ \t]{0,12}[:=#]?[ \t]{0,12}\[?(\d+(?:\.\d+)?)", re.IGNORECASE
)

Counts = dict[int, int]
"""Where each progress bar stands, by its total."""


class Printed(NamedTuple):
    """A row that was printed, and the progress bars before it."""

    row: Row
    bars: Counts


def lines_of(raw: str) -> list[str]:
    """The lines without colors; a progress bar that is drawn anew begins a line."""
    return re.split(r"[\r\n]+", COLOR.sub("", raw) if "\x1b" in raw else raw)


def counts_in(said: str) -> dict[str, str]:
    """The ``step`` and the ``epoch`` that a line names, as in ``epoch 3, step 120:``."""
    return {"step" if name.lower().startswith(("step", "iter")) else "epoch": n for name, n in COUNT.findall(said)}
