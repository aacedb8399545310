"""Several workers on one study, with real kills: on one SQLite file, and on a PostgreSQL server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from diagnostics.errors import BadInput
from diagnostics.model.message import message
from tests.forked import Forked
from tests.tuner.madeup import Bowl, main, spec
from tests.tuner.study import server
from tests.waiting import until
from tuner.messages import text as words
from tuner.study.loop import run_study
from tuner.study.workers import postgres_locks
from tuner.study.workers.file_locks import FileLocks
from tuner.study.workers.postgres_locks import ServerLocks
from tuner.study.workers.storage import database_at, locks_for

ROOT = Path(__file__).parents[3]
NO_SERVER = server.why_not()
needs_server = pytest.mark.skipif(NO_SERVER is not None, reason=str(NO_SERVER))


def die_between_ask_and_lock() -> None:
    """Have this process killed when it has asked for the second trial and is about to lock it."""
    for kind in (FileLocks, ServerLocks):

        def dying(self: Any, name: str, take: Any = kind.try_lock) -> Any:
            if name == "trial-001":
                os.kill(os.getpid(), signal.SIGKILL)
            return take(self, name)

        kind.try_lock = dying  # type: ignore[method-assign]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[needs_server, pytest.mark.long])])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shared.db'}"
    else:
        yield request.getfixturevalue("postgres")


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[str]:
    with server.server() as address:
        yield address


def execute(address: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)


def answer(address: str, question: str) -> Any:
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
        return row and row[0]


@pytest.fixture
def postgres(postgres_server: str) -> str:
    """A new database on the server."""
    name = f"study{time.monotonic_ns()}"
    execute(postgres_server, f"CREATE DATABASE {name}")
    return postgres_server.replace("/postgres", f"/{name}")


def _study_after(before: Callable[[], None] | None, folder: str, pause: float, **block: Any) -> None:
    """The made-up study in a folder, after an act."""
    if before is not None:
        before()
    main(folder, pause, **block)


@pytest.fixture
def work(tmp_path: Path, storage: str) -> Iterator[Callable[..., Forked]]:
    """Starts a worker with a folder of its own: ``work("a", pause=0.1, before=act)``."""
    started: list[Forked] = []

    def begin(name: str, *, pause: float = 0.05, before: Callable[[], None] | None = None, **block: Any) -> Forked:
        block = {"trials": 6, "seeds": 1, "storage": storage, "stop_early": False, **block}
        said = tmp_path / f"said-{len(started)}.txt"
        started.append(Forked(said, _study_after, before, str(tmp_path / name), pause, **block))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def trials_of(storage: str) -> list[optuna.trial.FrozenTrial]:
    """The trials in a database, which is closed again."""
    database = database_at(storage)
    try:
        return optuna.load_study(study_name="bowl", storage=database).trials
    finally:
        database.remove_session()
        database.engine.dispose()


def trained(tmp_path: Path, *names: str) -> list[str]:
    """The runs that the workers began, by folder name, repeats included."""
    return sorted(path.parent.name for name in names for path in (tmp_path / name).glob("*/log.json"))


TRIALS = [f"trial-{number:03d}" for number in range(6)]


@pytest.mark.long
def test_workers_with_folders_of_their_own_share_trials_and_repeats(work: Any, storage: str, tmp_path: Path):
    processes = [work(name) for name in ("a", "b")]
    texts = [process.communicate(timeout=200)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], texts
    runs = trained(tmp_path, "a", "b")
    assert [run for run in runs if run.startswith("trial")] == TRIALS
    assert len(runs) == len(set(runs)) == 8
    assert all(trained(tmp_path, name) for name in ("a", "b"))
    trials = trials_of(storage)
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 6
    assert [trial.user_attrs.get("moved_by") == "file" for trial in trials] == [True] + [False] * 5
    # Each folder has the whole report, and says where the trials lie that it does not hold.
    for name, other in (("a", "b"), ("b", "a")):
        report = (tmp_path / name / "study.md").read_text()
        assert f"{tmp_path / other / 'trial-00'}" in report
        assert f"{tmp_path / name / 'trial-00'}" not in report
        assert "1 of 1 seeds better" in report


@pytest.mark.long
def test_a_worker_that_is_killed_leaves_its_trial_to_the_others(work: Any, storage: str, tmp_path: Path):
    doomed = work("a", pause=1.0)
    until(lambda: (tmp_path / "a" / "trial-000" / "log.json").exists(), "the first worker in a trial", doomed)
    other = work("b")
    until(lambda: trained(tmp_path, "b"), "the second worker in a trial of its own", other)
    lost = int(trained(tmp_path, "a")[-1].removeprefix("trial-"))
    doomed.kill()
    text, _ = other.communicate(timeout=200)
    assert other.returncode == 0, text
    assert words(message("trial-taken-over", trial=lost)) in text
    runs = trained(tmp_path, "b")
    assert [run for run in runs if run.startswith("trial")] == TRIALS[lost:]
    trials = trials_of(storage)
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 6
    assert trials[lost].user_attrs["place"][1] == str(tmp_path / "b" / f"trial-{lost:03d}")


@pytest.mark.long
def test_a_worker_killed_between_asking_for_a_trial_and_locking_it_leaves_it_too(
    work: Any, storage: str, tmp_path: Path
):
    doomed = work("a", pause=0.0, before=die_between_ask_and_lock)
    doomed.communicate(timeout=100)
    assert doomed.returncode == -9
    trials = trials_of(storage)
    assert [trial.state.name for trial in trials] == ["COMPLETE", "RUNNING"]
    other = work("b", pause=0.0)
    text, _ = other.communicate(timeout=200)
    assert other.returncode == 0, text
    trials = trials_of(storage)
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 6
    assert trained(tmp_path, "a", "b") == sorted([*TRIALS, *(run for run in trained(tmp_path, "b") if "repeat" in run)])


@needs_server
def test_a_server_s_lock_is_held_by_one_and_can_be_had_again(postgres: str, tmp_path: Path):
    mine, theirs = (locks_for(postgres, tmp_path, "bowl") for _ in range(2))
    lock = mine.try_lock("trial-000")
    assert lock is not None and lock.keep()
    assert theirs.try_lock("trial-000") is None
    assert mine.try_lock("trial-000") is None
    other = locks_for(postgres, tmp_path, "another").try_lock("trial-000")
    assert other is not None
    other.release()
    lock.release()
    lock.release()
    assert not lock.keep()
    again = theirs.try_lock("trial-000")
    assert again is not None
    again.release()


def cut(address: str) -> None:
    """End all other connections to a database, as a restart of the server does."""
    own = "pid <> pg_backend_pid() AND datname = current_database()"
    execute(address, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {own}")


@needs_server
def test_a_lock_whose_connection_was_cut_is_taken_again_at_once(postgres: str, tmp_path: Path):
    mine, theirs = (locks_for(postgres, tmp_path, "bowl") for _ in range(2))
    lock = mine.try_lock("trial-000")
    assert lock is not None
    holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
    before = answer(postgres, holder)
    cut(postgres)
    until(lambda: answer(postgres, holder) not in (None, before), "the lock, without being asked", seconds=30)
    assert theirs.try_lock("trial-000") is None
    lock.release()
    assert theirs.try_lock("trial-000") is not None


@needs_server
def test_a_lock_whose_connection_was_cut_is_taken_again_unless_another_has_it(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres_locks, "_watch_over", lambda lock: None)
    mine, theirs = (locks_for(postgres, tmp_path, "bowl") for _ in range(2))
    lock = mine.try_lock("trial-000")
    assert lock is not None
    cut(postgres)
    assert lock.keep()
    assert theirs.try_lock("trial-000") is None
    cut(postgres)
    stolen = theirs.try_lock("trial-000")
    assert stolen is not None
    assert not lock.keep()
    stolen.release()


@needs_server
def test_a_forked_child_that_outlives_its_killed_parent_does_not_keep_the_lock(postgres: str, tmp_path: Path):
    script = f"""
import os, sys, time
from pathlib import Path
from tuner.study.workers import postgres_locks
from tuner.study.workers.storage import database_at, locks_for
lock = locks_for({postgres!r}, Path(), "bowl").try_lock("trial-000")
child = os.fork()
if child == 0:
    time.sleep(300)
print("held", child, lock.keep(), flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None and process.stdin is not None
    word, child, kept = process.stdout.readline().split()
    assert (word, kept) == ("held", "True")
    locks = locks_for(postgres, tmp_path, "bowl")
    assert locks.try_lock("trial-000") is None
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    taken: list[Any] = []
    until(lambda: taken.append(locks.try_lock("trial-000")) or taken[-1], "the lock of the killed parent")
    os.kill(int(child), 9)
    taken[-1].release()


@needs_server
def test_a_server_that_is_gone_is_one_line_without_the_password(tmp_path: Path):
    with pytest.raises(BadInput, match="Connection refused") as error:
        run_study(spec(tmp_path), Bowl(), tmp_path / "out", storage="postgresql://tuner:secret@127.0.0.1:1/none")
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
    assert "the same command continues" in str(error.value)
