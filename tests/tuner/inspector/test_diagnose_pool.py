import io
import sys
import threading
from pathlib import Path

import pytest

from diagnostics.model.records import Label
from tests.tuner.inspector.material import HOSTILE, write_fine_run, write_overfit_run
from tuner.inspector.runs import diagnose_pool
from tuner.inspector.runs.diagnose_pool import DiagnosePool
from tuner.inspector.runs.diagnose_worker import Task, as_line, diagnosed_row, row_in, serve
from tuner.inspector.runs.row import UNREAD, Row, row_of, waiting_row


def task(path: Path, name: str = "a") -> Task:
    return Task(name, name, str(path), 7.0, "demo")


def rows_of(tasks: list[Task], **options: float) -> dict[str, Row]:
    """The rows of the tasks, by name, once all have come."""
    rows: dict[str, Row] = {}
    all_there = threading.Event()

    def keep(task: Task, row: Row) -> None:
        rows[task.id] = row
        if len(rows) == len(tasks):
            all_there.set()

    DiagnosePool(keep, count=2, **options).submit(tasks)
    assert all_there.wait(60)
    return rows


def test_processes_find_the_same_rows_as_this_one(tmp_path: Path) -> None:
    tasks = [task(write_overfit_run(tmp_path / "a.csv"))]
    tasks += [task(write_fine_run(tmp_path / name.replace("/", "_")), name) for name in HOSTILE]
    assert rows_of(tasks) == {one.id: diagnosed_row(one) for one in tasks}


def test_a_row_comes_through_a_line_unchanged(tmp_path: Path) -> None:
    row = diagnosed_row(task(write_fine_run(tmp_path / "a")))
    assert row_in(as_line(row)) == row
    assert row.settings
    answers = io.StringIO()
    serve(io.StringIO(as_line(task(tmp_path / "gone.csv"))), answers)
    assert row_in(answers.getvalue()).label == UNREAD
    with pytest.raises(TypeError):
        row_of({**vars(waiting_row("a", "a", 0.0)), "secret": 1})


def stub(folder: Path, act: str) -> tuple[str, ...]:
    """A worker that diagnoses as ours does, except for the run called bad."""
    file = folder / "stub.py"
    file.write_text(
        "import json, os, sys, time\nfrom tuner.inspector.runs.diagnose_worker import *\n"
        f"for line in sys.stdin:\n    one = Task(**json.loads(line))\n    if one.id == 'bad':\n        {act}\n"
        "    else:\n        print(as_line(diagnosed_row(one)), end='')\n    sys.stdout.flush()\n"
    )
    return (sys.executable, str(file))


@pytest.mark.parametrize("act", ["os._exit(9)", "print('no row')"])
def test_a_log_that_ends_its_process_costs_no_other_run_its_verdict(
    tmp_path: Path, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnose_pool, "COMMAND", stub(tmp_path, act))
    good = write_overfit_run(tmp_path / "a.csv")
    rows = rows_of([task(good, "bad"), task(good, "first"), task(good, "second")])
    assert rows["bad"].label == UNREAD
    assert rows["bad"].why
    assert (rows["first"].label, rows["second"].label) == (Label.OVERFIT, Label.OVERFIT)


def test_a_log_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnose_pool, "COMMAND", stub(tmp_path, "time.sleep(600)"))
    assert rows_of([task(tmp_path / "a.csv", "bad")], seconds=1)["bad"].label == UNREAD
