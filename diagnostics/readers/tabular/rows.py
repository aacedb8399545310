"""Rows of a log, each a mapping of names to numbers, as series over steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.message import Message, message
from diagnostics.readers.assemble.forms import trainer_of
from diagnostics.readers.assemble.negative_steps import without_negatives
from diagnostics.readers.assemble.restarts import kept_rows
from diagnostics.readers.assemble.tags import match
from diagnostics.readers.raw_log import Log, Series
from diagnostics.readers.tabular.columns import Columns, IntArray, Names, Row, columns_of, number
from diagnostics.readers.tabular.ultralytics import with_whole_loss

__all__ = ["MAX_STEP", "UNKNOWN", "Row", "log_of_columns", "log_of_rows", "number", "step_name"]

STEPS = (
    "step",
    "global_step",
    "current_steps",
    "current_step",
    "steps",
    "train/global_step",
    "trainer/global_step",
    "_step",
)
MORE_STEPS = ("iteration", "iter", "iterations", "update", "num_updates", "batch")
NOT_CURVES = {"total_steps", "percentage", "max_steps", "_timestamp", "_runtime", "timestamp"}
MAX_STEP = 1e15
"""Larger steps are damage in the log."""

BY_EPOCH, BY_ROW = message("steps-are-epochs"), message("steps-are-row-numbers")
UNKNOWN = {"", "no log", "none", "null", "n/a", "na", "-"}


def renamed(names: Names) -> Names:
    """The names in a row of transformers' log; in the last one, which sums up the run, as they are in TensorBoard."""
    if "train_runtime" not in names:
        return names
    return tuple(f"train/{name}" if name.startswith(("train_", "total_flos")) else name for name in names)


def step_name(names: Iterable[str]) -> str | None:
    """The name that counts steps, None when there is none."""
    plain = {name.strip().lower(): name for name in names}
    return next((plain[known] for known in (*STEPS, *MORE_STEPS) if known in plain), None)


def log_of_rows(rows: Sequence[Row]) -> Log:
    """The log of rows in order; steps are taken from a step-like name, else from the epoch, else from the order."""
    return log_of_columns(columns_of(rows, renamed))


def log_of_columns(columns: Columns) -> Log:
    """The log of columns; steps are taken from a step-like name, else from the epoch, else from the order."""
    columns = with_whole_loss(columns)
    steps, skip, notes = _steps(columns)
    keep, discontinuities, more_notes = kept_rows(steps, _training_rows(columns))
    found = {}
    for name, column in columns.named.items():
        there = keep[column.rows]
        if name not in skip and there.any():
            found[name] = Series(steps[column.rows[there]], column.values[there])
    if BY_EPOCH in notes and steps.size and steps.min() == 0:
        # Keras counts epochs from 0 and logs at their end.
        found = {name: _one_more(points) if name.lower() == "epoch" else points for name, points in found.items()}
    return Log(
        found,
        options=trainer_of(columns.named),
        notes=(*notes, *more_notes),
        total_steps=_total(columns),
        discontinuities=discontinuities,
    )


def _training_rows(columns: Columns) -> IntArray:
    """The rows with a training loss; all rows when no name looks like one."""
    best = [(found.distance, name) for name in columns.named if (found := match(name)) and found.name == "train_loss"]
    return columns.named[min(best)[1]].rows if best else np.arange(columns.size)


def _one_more(points: Series) -> Series:
    """The series with one added to its values."""
    return points._replace(values=points.values + 1)


def _steps(columns: Columns) -> tuple[FloatArray, set[str], list[Message]]:
    """The step of each row, the names that are not curves, and notes on how the steps were found."""
    names = columns.named
    skip = {name for name in names if name.strip().lower() in NOT_CURVES}
    counted = step_name(names)
    epoch = next((name for name in names if name.strip().lower() in ("epoch", "epochs")), None)
    if counted is not None:
        steps = _filled(columns, counted)
        negative = _negative(names[counted].values)
        through = _through_epochs(steps, _filled(columns, epoch) if epoch is not None else None)
        if through is not None:
            return through, {*skip, counted}, [*negative, message("steps-start-again", column=counted)]
        return steps, {*skip, counted}, negative
    if epoch is not None and names[epoch].rows.size == columns.size and _are_whole(names[epoch].values):
        return _filled(columns, epoch), skip, [BY_EPOCH, *_negative(names[epoch].values)]
    return _by_order(columns), skip, [BY_ROW]


def _through_epochs(steps: FloatArray, epochs: FloatArray | None) -> FloatArray | None:
    """Steps that are counted anew in every epoch as one count, None when they are not.

    They are counted anew where the epoch advances, or, without epochs, where three or more stretches are equally long.
    """
    back = np.flatnonzero(np.diff(steps) < 0)
    if not back.size:
        return None
    if epochs is None:
        alike = back.size > 1 and (steps[back + 1] == steps[0]).all() and (steps[back] == steps[back[0]]).all()
    else:
        alike = bool((epochs[back + 1] > epochs[back]).all())
    if not alike:
        return None
    first = 1.0 - float(steps[back + 1].min())  # counts from 0 need one more
    more = np.zeros(steps.size)
    more[back + 1] = steps[back] + max(0.0, first)
    return steps + np.cumsum(more)


def _are_whole(values: FloatArray) -> bool:
    return bool(np.isfinite(values).all() and (values == np.floor(values)).all())


def _by_order(columns: Columns) -> FloatArray:
    """Row numbers from 1; a row of held-out results alone shares the number of the row before it."""
    counts = np.ones(columns.size)
    for names, rows in columns.shapes:
        held_out = any(name.startswith("eval") for name in names) and "loss" not in names
        if held_out or "train/train_runtime" in names:
            counts[rows] = 0.0
    return np.cumsum(counts)


def _negative(steps: FloatArray) -> list[Message]:
    """A note where steps below 0 were changed."""
    changed = without_negatives(steps) is not steps
    return [message("steps-negative", rows=int((steps < 0).sum()))] if changed else []


def _filled(columns: Columns, name: str) -> FloatArray:
    """The steps under a name; a missing or damaged one is taken from the row before."""
    column = columns.named[name]
    steps = without_negatives(column.values)
    known = np.abs(steps) < MAX_STEP  # False for nan
    rows, values = column.rows[known], steps[known]
    before = np.searchsorted(rows, np.arange(columns.size), side="right")
    return np.concatenate([[0.0], values])[before]


def _total(columns: Columns) -> float | None:
    """The planned number of steps in the last row that gives one."""
    best: tuple[int, float] | None = None
    for name in ("total_steps", "max_steps"):
        column = columns.named.get(name)
        if column is None:
            continue
        given = np.flatnonzero((column.values > 0) & (column.values < MAX_STEP))
        if given.size and (best is None or column.rows[given[-1]] > best[0]):
            best = int(column.rows[given[-1]]), float(column.values[given[-1]])
    return best[1] if best else None
