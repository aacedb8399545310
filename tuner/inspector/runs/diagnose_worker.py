"""Read and diagnose one run for its row in the table; also as a process that does so for one line after another.

    python -m tuner.inspector.runs.diagnose_worker

Each line that comes in is a task, each line that goes out is its row, both as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.readers import read
from tuner.inspector.runs.row import Row, row, row_of, unreadable_row


@dataclass(frozen=True)
class Task:
    """A run whose row is wanted; ``written`` is seconds since 1970."""

    id: str
    name: str
    path: str
    written: float
    study: str = ""


def read_and_diagnose(path: Path) -> tuple[Run, Diagnosis] | str:
    """The run with its diagnosis, or why there is none."""
    try:
        run = read(path)
        return run, diagnose(run)
    except (ValueError, OSError) as error:
        return str(error)
    except Exception as error:  # one log that trips over a bug must not take the table of a thousand with it
        return f"{type(error).__name__}: {error}"


def diagnosed_row(task: Task) -> Row:
    """The row of a run, diagnosed in this process."""
    found = read_and_diagnose(Path(task.path))
    if isinstance(found, str):
        return unreadable_row(task.id, task.name, found, task.written, task.study)
    return row(task.id, task.name, *found, task.written, task.study)


def as_line(what: Task | Row) -> str:
    """A task or a row as one line."""
    return json.dumps(asdict(what)) + "\n"


def serve(tasks: TextIO, answers: TextIO) -> None:
    """Answer the line of each task with the line of its row, to the last."""
    for line in tasks:
        answers.write(as_line(diagnosed_row(Task(**json.loads(line)))))
        answers.flush()


def row_in(line: str) -> Row:
    """The row in a line."""
    return row_of(json.loads(line))


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
