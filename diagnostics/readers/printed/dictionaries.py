"""The dictionaries that transformers prints, ``{'loss': 2.31, 'epoch': 0.1}``, and the progress bars beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from diagnostics.readers.printed.lines import Counts, Printed, counts_in
from diagnostics.readers.tabular.rows import Row

PRINTED = re.compile(r"""\{['"][^{}\n]*+\}""")
LOGGED = ("loss", "runtime", "reward")
PAIR = re.compile(r"""['"]([^'"]+)['"]: *['"]?([^'",}]+)['"]?""")
WRAPPED = re.compile(r"(?:np\.float\d++|tensor|array)\(([^(),]++)[^()]*+\)")
TRAINER = {"loss", "learning_rate", "epoch"}
COUNTED = {"epoch", "step", "global_step"}
BAR = re.compile(r"\| *(\d{1,15})/(\d{1,15}) \[")


def rows(lines: Iterable[str]) -> Iterator[Printed]:
    """The dictionaries in order, each with the progress bars before it."""
    bars: Counts = {}
    for line in lines:
        if "| " in line and (bar := BAR.search(line)):
            bars = {**bars, int(bar.group(2)): int(bar.group(1))}
        if "{" in line:
            yield from (Printed(row, bars) for row in _dictionaries(line))


def _dictionaries(line: str) -> Iterator[Row]:
    """Those of a line, with a script's own words before them where they do not count: ``epoch 0 step 10: {...}``."""
    counts: dict[str, str] = {}
    end = 0
    for printed in PRINTED.finditer(line):
        if any(word in printed.group() for word in LOGGED):
            row = pairs(printed.group())
            counts, end = {**counts, **counts_in(line[end : printed.start()])}, printed.end()
            yield row if COUNTED & row.keys() else {**counts, **row}


def pairs(printed: str) -> Row:
    """The names and values of a printed dictionary."""
    plain = WRAPPED.sub(r"\1", printed) if "(" in printed else printed
    return {key: value.strip() for key, value in PAIR.findall(plain)}


def options_of(found: Iterable[Printed]) -> dict[str, object]:
    """That transformers' Trainer printed the rows, where they hold what it always prints together."""
    return {"written_by": "transformers"} if any(row.keys() >= TRAINER for row, _ in found) else {}


def counted(found: list[Printed]) -> list[Row]:
    """The rows with the step at which their progress bar stands, where one moves on with the training loss."""
    total = _steps_in_all(found)
    return [{**row, "step": bars.get(total, 0), "total_steps": total} if total else row for row, bars in found]


def _steps_in_all(found: list[Printed]) -> int | None:
    """The total of the progress bar that moves on with every training loss, None when none does.

    Output that was buffered comes in lumps after the bar; its lines are not where their step was.
    """
    steps = [bars for row, bars in found if "loss" in row]
    for total in sorted(steps[0] if steps else (), reverse=True):
        counts = [bars.get(total, -1) for bars in steps]
        if all(first < second for first, second in pairwise(counts)):
            return total
    return None
