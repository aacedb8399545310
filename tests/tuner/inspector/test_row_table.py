from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.tuner.inspector.material import write_fine_run, write_overfit_run, write_study
from tests.waiting import until
from tuner.inspector.runs import row_cache
from tuner.inspector.runs.diagnose_worker import Task, diagnosed_row
from tuner.inspector.runs.folder import Folder
from tuner.inspector.runs.listing import list_runs
from tuner.inspector.runs.row import WAITING, Row
from tuner.inspector.runs.row_table import RowTable


def test_a_row_is_made_again_only_when_its_file_changes(tmp_path: Path) -> None:
    a, b = write_overfit_run(tmp_path / "a.csv"), write_overfit_run(tmp_path / "b.csv")
    folder = Folder(tmp_path)
    first = folder.rows()
    assert all(new is old for new, old in zip(folder.rows(), first, strict=True))
    with a.open("a") as file:
        file.write("121,1.0,\n")
    again = folder.rows()
    assert again[0].last_step == 121
    assert again[1] is first[1]
    b.unlink()
    assert [row.id for row in folder.rows()] == ["a.csv"]


def diagnosed_elsewhere(folder: Folder) -> list[Row]:
    """The rows once no other process has one left to diagnose."""
    until(lambda: not folder.waiting(), "the verdicts")
    return folder.rows(within=0)


def test_the_table_is_there_at_once_and_verdicts_fill_in(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    write_fine_run(tmp_path / "b")
    folder = Folder(tmp_path)
    assert [(row.id, row.label, row.written > 0) for row in folder.rows(within=0)] == [
        ("a.csv", WAITING, True),
        ("b", WAITING, True),
    ]
    assert folder.waiting() == 2
    assert diagnosed_elsewhere(folder) == Folder(tmp_path).rows()


def test_a_row_that_has_changed_keeps_its_old_verdict_until_the_new_one_is_there(tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    folder = Folder(tmp_path)
    (before,) = folder.rows()
    with path.open("a") as file:
        file.write("121,1.0,\n")
    assert folder.rows(within=0) == [before]
    assert diagnosed_elsewhere(folder)[0].last_step == 121


class StillPool:
    """A pool that diagnoses nothing until it is told to."""

    def __init__(self, on_row: Callable[[Task, Row], None]) -> None:
        self.on_row = on_row
        self.tasks: list[Task] = []

    def submit(self, tasks: Iterable[Task]) -> None:
        self.tasks.extend(tasks)


def still_table(folder: Path, cache: Path | None = None) -> tuple[RowTable, list[StillPool]]:
    pools: list[StillPool] = []

    def start(on_row: Callable[[Task, Row], None]) -> StillPool:
        pools.append(StillPool(on_row))
        return pools[-1]

    return RowTable(folder, cache, start), pools


def test_a_diagnosis_of_what_a_run_was_before_it_grew_does_not_count(tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    table, (pool,) = still_table(tmp_path)
    table.rows(list_runs(tmp_path, tmp_path), within=0)
    early = diagnosed_row(pool.tasks[0])
    with path.open("a") as file:
        file.write("121,1.0,\n")
    grown = list_runs(tmp_path, tmp_path)
    table.rows(grown, within=0)
    pool.on_row(pool.tasks[0], early)
    assert table.waiting() == 1
    pool.on_row(pool.tasks[1], diagnosed_row(pool.tasks[1]))
    assert table.waiting() == 0
    assert table.rows(grown, within=0)[0].last_step == 121


def test_rows_are_kept_for_the_next_time_while_their_files_stay(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "runs" / "a.csv")
    grown = write_overfit_run(tmp_path / "runs" / "b.csv")
    first = RowTable(tmp_path / "runs", tmp_path / "cache.json").rows(list_runs(grown.parent, grown.parent))
    with grown.open("a") as file:
        file.write("121,1.0,\n")
    again, _ = still_table(tmp_path / "runs", tmp_path / "cache.json")
    assert again.rows(list_runs(grown.parent, grown.parent), within=0)[0] == first[0]
    assert again.waiting() == 1
    assert Folder(tmp_path / "runs").rows(within=0)[0].label == WAITING


def test_a_folder_keeps_its_rows_on_disk_when_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_overfit_run(tmp_path / "runs" / "a.csv")
    Folder(tmp_path / "runs").rows()
    assert not row_cache.place_of(tmp_path / "runs").exists()
    rows = Folder(tmp_path / "runs", on_disk=True).rows()
    assert Folder(tmp_path / "runs", on_disk=True).rows(within=0) == rows


def test_a_run_below_a_study_knows_it(tmp_path: Path) -> None:
    write_study(tmp_path / "demo")
    write_overfit_run(tmp_path / "a.csv")
    assert {row.id: row.study for row in Folder(tmp_path).rows()} == {"a.csv": "", "demo/trial-002": "demo"}
    assert {row.study for row in Folder(tmp_path / "demo").rows()} == {"."}
