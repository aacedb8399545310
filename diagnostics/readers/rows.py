"""Rows of a log, each a mapping of names to numbers, as series over steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from diagnostics.readers.log import Log, Series

Row = Mapping[str, object]
STEPS = (
    "step",
    "global_step",
    "current_steps",
    "current_step",
    "steps",
    "_step",
    "train/global_step",
    "trainer/global_step",
)
MORE_STEPS = ("iteration", "iter", "iterations", "update", "num_updates", "batch")
NOT_CURVES = {"total_steps", "percentage", "max_steps", "_timestamp", "_runtime", "timestamp"}
LARGEST = 1e15
"""A step from here on is damage."""

BY_EPOCH = "steps are epochs: the log counts no steps"
UNKNOWN = {"", "no log", "none", "null", "n/a", "na", "-"}


def number(value: object) -> float | None:
    """The number that a cell holds, nan and inf included; None when it holds none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float, str)):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return None
    return None


def renamed(row: Row) -> Row:
    """A row of transformers' log; of the last one, which sums up the run, with the tags it has in TensorBoard."""
    if "train_runtime" not in row:
        return row
    return {(f"train/{key}" if key.startswith(("train_", "total_flos")) else key): row[key] for key in row}


def step_name(names: Iterable[str]) -> str | None:
    """The name that counts steps, None when there is none."""
    plain = {name.strip().lower(): name for name in names}
    return next((plain[known] for known in (*STEPS, *MORE_STEPS) if known in plain), None)


def log_of_rows(rows: Sequence[Row]) -> Log:
    """The log of rows in order; steps are taken from a step-like name, else from the epoch, else from the order."""
    rows = [renamed(row) for row in rows]
    names = list(dict.fromkeys(key for row in rows for key in row))
    steps, skip, notes = _steps(rows, names)
    series: dict[str, tuple[list[float], list[float]]] = {}
    for step, row in zip(steps, rows, strict=True):
        for name, cell in row.items():
            value = number(cell)
            if value is not None and name not in skip:
                xs, ys = series.setdefault(name, ([], []))
                xs.append(step)
                ys.append(value)
    found = {name: Series.of(*points) for name, points in series.items()}
    if BY_EPOCH in notes and min(steps) == 0:
        # Keras counts epochs from 0 and logs at their end.
        found = {name: _one_more(points) if name.lower() == "epoch" else points for name, points in found.items()}
    return Log(found, notes=tuple(notes), total_steps=_total(rows))


def _one_more(points: Series) -> Series:
    """The series with one added to its values."""
    return points._replace(values=points.values + 1)


def _steps(rows: Sequence[Row], names: Sequence[str]) -> tuple[Sequence[float], set[str], list[str]]:
    """The step of each row, the names that are no curves, and how the steps were found."""
    skip = {name for name in names if name.strip().lower() in NOT_CURVES}
    counted = step_name(names)
    if counted is not None:
        return _filled([number(row.get(counted)) for row in rows]), {*skip, counted}, []
    epoch = next((name for name in names if name.strip().lower() in ("epoch", "epochs")), None)
    epochs = [number(row.get(epoch)) for row in rows] if epoch is not None else []
    if epochs and all(value is not None and value.is_integer() for value in epochs):
        return _filled(epochs), skip, [BY_EPOCH]
    return _by_order(rows), skip, ["steps are row numbers: the log counts no steps"]


def _by_order(rows: Sequence[Row]) -> list[float]:
    """Row numbers from 1; a row of held-out results alone shares the number of the row before it."""
    steps, step = [], 0
    for row in rows:
        held_out = any(str(key).startswith("eval") for key in row) and "loss" not in row
        step += not (held_out or "train/train_runtime" in row)
        steps.append(float(step))
    return steps


def _filled(steps: Sequence[float | None]) -> list[float]:
    """The steps, a missing one taken from the row before."""
    filled, last = [], 0.0
    for step in steps:
        last = step if step is not None and abs(step) < LARGEST else last
        filled.append(last)
    return filled


def _total(rows: Sequence[Row]) -> float | None:
    """The planned number of steps, as the last row that tells it says."""
    told = (number(row.get(key)) for row in reversed(rows) for key in ("total_steps", "max_steps"))
    return next((value for value in told if value is not None and 0 < value < LARGEST), None)
