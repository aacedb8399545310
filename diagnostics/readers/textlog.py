"""What training programs print: transformers' dictionaries, torchtune's and mlx-lm's lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from diagnostics.readers.log import Log
from diagnostics.readers.rows import Row, log_of_rows, number
from diagnostics.readers.unreadable import UnreadableLog, text

ENDINGS = {".txt", ".log", ".out", ".err"}
PRINTED = re.compile(r"\{'[^{}\n]*(?:loss|runtime|reward)[^{}\n]*\}")
PAIR = re.compile(r"'([^']+)': *'?([^',}]+)'?")
BAR = re.compile(r"\| *(\d+)/(\d+) \[")
TORCHTUNE = re.compile(r"^Step (\d+) \| (.*:.*)$")
MLX = re.compile(r"^Iter (\d+): (.*)$")
MLX_PAIR = re.compile(r"(Train loss|Val loss|Learning Rate|Trained Tokens) ([-+.\w]+)")

Counts = dict[int, int]
"""Where each progress bar stands, by its total."""


def reads(path: Path) -> bool:
    """Whether the file is printed output that holds losses, by its ending or its first 64 KiB."""
    return os.path.isfile(path) and (path.suffix.lower() in ENDINGS or has_losses(path))


def has_losses(path: Path) -> bool:
    """Whether the first 64 KiB hold a line with a loss."""
    return any("loss" in " ".join(row).lower() for row, _ in _rows(text(path, 1 << 16)))


def read_log(path: Path) -> Log:
    """The log in printed output, steps taken from its progress bar. Raises ``UnreadableLog`` when it tells no loss."""
    rows = list(_rows(text(path)))
    if not rows:
        raise UnreadableLog(f"{path}: no line tells a loss; expected lines such as {{'loss': 1.23, 'epoch': 0.1}}")
    total = _steps_in_all(rows)
    if total is None:
        return log_of_rows([row for row, _ in rows])
    return log_of_rows([{**row, "step": bars.get(total, 0), "total_steps": total} for row, bars in rows])


def _rows(said: str) -> Iterator[tuple[Row, Counts]]:
    """The rows among the lines, in order, each with the progress bars before it."""
    bars: Counts = {}
    for line in re.split(r"[\r\n]+", said):
        if bar := BAR.search(line):
            bars = {**bars, int(bar.group(2)): int(bar.group(1))}
        for printed in PRINTED.finditer(line):
            yield {key: value.strip() for key, value in PAIR.findall(printed.group())}, bars
        if found := TORCHTUNE.match(line):
            pairs = [part.split(":", 1) for part in found.group(2).split() if ":" in part]
            yield {"step": found.group(1), **{key: value for key, value in pairs if number(value) is not None}}, {}
        elif found := MLX.match(line):
            yield {"step": found.group(1), **dict(MLX_PAIR.findall(found.group(2)))}, {}


def _steps_in_all(rows: list[tuple[Row, Counts]]) -> int | None:
    """The total of the progress bar that moves on with every training loss, None when none does.

    Output that was buffered comes in lumps after the bar; its lines are not where their step was.
    """
    steps = [bars for row, bars in rows if "loss" in row]
    for total in sorted(steps[0] if steps else (), reverse=True):
        counts = [bars[total] for bars in steps]
        if all(first < second for first, second in pairwise(counts)):
            return total
    return None
