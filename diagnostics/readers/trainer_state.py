"""transformers' trainer_state.json, and other JSON files with a history."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from diagnostics.readers import json_history
from diagnostics.readers.files import UnreadableLog, text
from diagnostics.readers.raw_log import Log
from diagnostics.readers.tabular import jsonlines
from diagnostics.readers.tabular.columns import Names, columns_of, number
from diagnostics.readers.tabular.rows import MAX_STEP, log_of_columns, log_of_rows

NAME = "trainer_state.json"
OPTIONS = ("logging_steps", "eval_steps")


def reads(path: Path) -> bool:
    """Whether the file is a JSON file."""
    return path.suffix.lower() == ".json"


def read_log(path: Path) -> Log:
    """The log in ``log_history``, a list of rows, or a mapping of name to list.

    Raises ``UnreadableLog`` when the file is not JSON or holds none of these.
    """
    state = _json(path)
    history = state.get("log_history") if isinstance(state, dict) else state
    if isinstance(history, list):
        entries = [row for row in history if isinstance(row, dict)]
        if any(dict in map(type, row.values()) for row in entries):
            return _with_state(log_of_rows(jsonlines.rows_of(entries)), state)
        return _with_state(log_of_columns(columns_of(entries, _tagged)), state)
    rows = json_history.rows_of(state) if isinstance(state, dict) else []
    if not rows:
        raise UnreadableLog(f"{path}: the file has no log_history; give a trainer_state.json or the run's folder")
    return log_of_rows(jsonlines.rows_of(rows))


def _json(path: Path) -> Any:
    raw = text(path)
    try:
        return json.loads(raw)
    except RecursionError:
        raise UnreadableLog(f"{path}: the JSON is nested too deeply for a log; give a trainer_state.json") from None
    except ValueError as error:
        where = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        why = "the file is empty" if not raw.strip() else f"{where}not valid JSON"
        raise UnreadableLog(f"{path}: {why}; it may be cut off: give an older checkpoint's {NAME}") from None


def tag(name: str) -> str:
    """The tag that transformers gives a logged name in TensorBoard, so that both logs can be joined."""
    for split in ("eval", "test"):
        if name.startswith(f"{split}_"):
            return f"{split}/{name.removeprefix(f'{split}_')}"
    return name if name.startswith("train/") else f"train/{name}"


def _tagged(names: Names) -> Names:
    """The tags of a row's names; the epoch keeps its name where it is the only count."""
    counts = ("step",) if "step" in names else ("step", "epoch")
    return tuple(name if name in counts else tag(name) for name in names)


def _with_state(log: Log, state: object) -> Log:
    """The log with what the state says of the run."""
    if not isinstance(state, dict):
        return log
    options: dict[str, object] = {key: state[key] for key in OPTIONS if number(state.get(key))}
    if "global_step" in state:
        options["written_by"] = "transformers"
    if number(state.get("train_batch_size")):
        options["per_device_train_batch_size"] = state["train_batch_size"]
    total = number(state.get("max_steps"))
    if number(state.get("num_train_epochs")):
        options["num_train_epochs"] = state["num_train_epochs"]
    total = total if total and 0 < total < MAX_STEP else None
    return replace(log, options=options, total_steps=total, derived=frozenset({"num_train_epochs"}))
