"""Printed output: the first kind of line that a file holds is its log.

Colors, progress bars, and what a logging library writes before a line are passed over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from diagnostics.readers.files import UnreadableLog, text
from diagnostics.readers.printed import bars, blocks, dictionaries, mlx, plan, spacy, spoken, trainers
from diagnostics.readers.printed.lines import Printed, lines_of
from diagnostics.readers.raw_log import Log
from diagnostics.readers.tabular.rows import BY_EPOCH, BY_ROW, log_of_rows

ENDINGS = {".txt", ".log", ".out", ".err"}

KINDS: tuple[Callable[[Iterable[str]], Iterator[Printed]], ...] = (
    trainers.rows,
    dictionaries.rows,
    blocks.rows,
    spacy.rows,
    bars.rows,
    spoken.rows,
)
"""Every kind of line, the ones that can hardly be taken for another first."""


def reads(path: Path) -> bool:
    """Whether the file is printed output that holds losses, by its ending or its first 64 KiB."""
    return os.path.isfile(path) and (path.suffix.lower() in ENDINGS or has_losses(path))


def has_losses(path: Path) -> bool:
    """Whether the first 64 KiB hold a line with a loss."""
    lines = lines_of(text(path, 1 << 16))
    return any("loss" in " ".join(printed.row).lower() for rows in KINDS for printed in rows(lines))


def read_log(path: Path) -> Log:
    """The log in printed output, steps taken from its progress bar. Raises ``UnreadableLog`` without a loss."""
    lines = lines_of(text(path))
    found = next((found for rows in KINDS if (found := list(rows(lines)))), None)
    if not found:
        raise UnreadableLog(f"{path}: no line holds a loss; expected lines such as {{'loss': 1.23, 'epoch': 0.1}}")
    own = plan.plan_in(lines)
    log = log_of_rows(plan.with_steps(dictionaries.counted(found), own))
    planned = dict(own.options)
    if BY_ROW in log.notes or BY_EPOCH in log.notes:
        planned.pop("max_steps", None)  # in other steps than these
    printed = {**planned, **mlx.settings_in(lines[: mlx.PANEL_LINES])}
    return replace(log, options={**dictionaries.options_of(found), **log.options, **printed})
