"""Printed output: transformers' dictionaries, lines of torchtune, mlx-lm, open-instruct, Keras, and hand-written ones.

Colors, progress bars, and what a logging library writes before a line are passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from diagnostics.readers import mlx_table
from diagnostics.readers.files import UnreadableLog, text
from diagnostics.readers.raw_log import Log
from diagnostics.readers.tabular.rows import Row, log_of_rows, number

ENDINGS = {".txt", ".log", ".out", ".err"}
COLOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PRINTED = re.compile(r"""\{['"][^{}\n]*(?:loss|runtime|reward)[^{}\n]*\}""")
PAIR = re.compile(r"""['"]([^'"]+)['"]: *['"]?([^'",}]+)['"]?""")
WRAPPED = re.compile(r"(?:np\.float\d+|tensor|array)\(([^(),]+)[^()]*\)")
BAR = re.compile(r"\| *(\d{1,15})/(\d{1,15}) \[")
TORCHTUNE = re.compile(r"(?:^|\s)Step (\d+) \| (.*:.*)$")
MLX = re.compile(r"(?:^|\s)Iter (\d+): (.*)$")
MLX_PAIR = re.compile(r"(Train loss|Val loss|Learning Rate|Trained Tokens) ([-+.\w]+)")

NUMBER = r"([-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+|nan|inf(?:inity)?))(?![\w.]*/)"
COUNT = re.compile(
    r"\b(?:global[ _])?(step|iter(?:ation)?|epoch)s?\b[ \t]{0,4}[:=#]?[ \t]{0,4}\[?(\d+(?:\.\d+)?)", re.IGNORECASE
)
SPLIT = r"(?:train|training|val|valid|validation|eval|test)"
PART = r"(?:aux|auxiliary|router|balance|balancing|kl|nll|value|policy)"
"""What stands before the loss that is only a part of it: such a loss keeps a name of its own."""
SPOKEN = re.compile(
    rf"\b((?:(?:{SPLIT}|{PART})[ _/-]?)?loss|lr|learning[ _]rate|grad(?:ient)?[ _]?norm)"
    rf"\b[ \t]{{0,4}}(?:[:=]|is)?[ \t]{{0,4}}{NUMBER}\b",
    re.IGNORECASE,
)
EPOCH_LINE = re.compile(r"^\s*Epoch (\d+)/\d+\s*$")

Counts = dict[int, int]
"""Where each progress bar stands, by its total."""


def reads(path: Path) -> bool:
    """Whether the file is printed output that holds losses, by its ending or its first 64 KiB."""
    return os.path.isfile(path) and (path.suffix.lower() in ENDINGS or has_losses(path))


def has_losses(path: Path) -> bool:
    """Whether the first 64 KiB hold a line with a loss."""
    lines = _lines(text(path, 1 << 16))
    rows = (row for rows in (_printed(lines), _spoken(lines)) for row, _ in rows)
    return any("loss" in " ".join(row).lower() for row in rows)


def read_log(path: Path) -> Log:
    """The log in printed output, steps taken from its progress bar. Raises ``UnreadableLog`` without a loss."""
    lines = _lines(text(path))
    rows = list(_printed(lines)) or list(_spoken(lines))
    if not rows:
        raise UnreadableLog(f"{path}: no line holds a loss; expected lines such as {{'loss': 1.23, 'epoch': 0.1}}")
    total = _steps_in_all(rows)
    counted = [{**row, "step": bars.get(total, 0), "total_steps": total} for row, bars in rows] if total else None
    log = log_of_rows(counted or [row for row, _ in rows])
    return replace(log, options=mlx_table.settings_in(lines[: mlx_table.PANEL_LINES]))


def _lines(raw: str) -> list[str]:
    """The lines without colors; a progress bar that is drawn anew begins a line."""
    return re.split(r"[\r\n]+", COLOR.sub("", raw) if "\x1b" in raw else raw)


def _printed(lines: list[str]) -> Iterator[tuple[Row, Counts]]:
    """The rows that programs print as such, in order, each with the progress bars before it."""
    bars: Counts = {}
    for line in lines:
        if "| " in line and (bar := BAR.search(line)):
            bars = {**bars, int(bar.group(2)): int(bar.group(1))}
        if "{" in line:
            for printed in PRINTED.finditer(line):
                yield _pairs(printed.group()), bars
        elif "Step " in line and (found := TORCHTUNE.search(line)):
            pairs = [part.split(":", 1) for part in found.group(2).split() if ":" in part]
            yield {"step": found.group(1), **{key: value for key, value in pairs if number(value) is not None}}, {}
        elif "Iter " in line and (found := MLX.search(line)) and (spoken := dict(MLX_PAIR.findall(found.group(2)))):
            yield {"step": found.group(1), **spoken}, {}
        elif row := mlx_table.row(line):
            yield row, {}


def _pairs(printed: str) -> Row:
    """The names and values of a printed dictionary."""
    plain = WRAPPED.sub(r"\1", printed) if "(" in printed else printed
    return {key: value.strip() for key, value in PAIR.findall(plain)}


def _spoken(lines: list[str]) -> Iterator[tuple[Row, Counts]]:
    """The rows among lines such as ``step 10: loss 2.31, lr 1e-4``, or Keras's under their ``Epoch 3/10``."""
    epoch: str | None = None
    for line in lines:
        if heading := EPOCH_LINE.match(line):
            epoch = heading.group(1)
        elif "loss" in line.lower() and (spoken := SPOKEN.findall(line)):
            counts = {
                "step" if name.lower().startswith(("step", "iter")) else "epoch": n for name, n in COUNT.findall(line)
            }
            if "loss" in " ".join(name for name, _ in spoken).lower() and (counts or epoch is not None):
                values = {re.sub(r"[ /-]", "_", name.lower()): value for name, value in spoken}
                yield {**(counts or {"epoch": epoch}), **values}, {}


def _steps_in_all(rows: list[tuple[Row, Counts]]) -> int | None:
    """The total of the progress bar that moves on with every training loss, None when none does.

    Output that was buffered comes in lumps after the bar; its lines are not where their step was.
    """
    steps = [bars for row, bars in rows if "loss" in row]
    for total in sorted(steps[0] if steps else (), reverse=True):
        counts = [bars.get(total, -1) for bars in steps]
        if all(first < second for first, second in pairwise(counts)):
            return total
    return None
