"""A PostgreSQL server that restarts is waited for; one that stays away ends the study so that it can continue."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from optuna.samplers import RandomSampler
from sqlalchemy.exc import OperationalError, PendingRollbackError, ProgrammingError

from diagnostics.model.message import Message
from tests.tuner.madeup import Bowl, notices, spec
from tests.tuner.study import server
from tuner.errors import Unfinished
from tuner.study import open_study
from tuner.study.events import Event
from tuner.study.loop import run_study
from tuner.study.workers.patience import Patience, is_lost_connection

NO_SERVER = server.why_not()
needs_server = pytest.mark.skipif(NO_SERVER is not None, reason=str(NO_SERVER))
GONE = OperationalError("SELECT 1", {}, Exception("server closed the connection"))


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (GONE, True),
        (PendingRollbackError("Can't reconnect until invalid transaction is rolled back."), True),
        (ProgrammingError("SELECT x", {}, Exception("no such column")), False),
        (ValueError("x"), False),
    ],
)
def test_a_lost_connection_is_told_from_a_wrong_question(error: Exception, lost: bool) -> None:
    assert is_lost_connection(error) == lost


def patience(said: list[Message], seconds: float) -> Patience:
    made = Patience("the server", said.append, seconds)
    made.begin()
    return made


def test_the_wait_is_said_once_and_ends_with_the_answer() -> None:
    said, answers = list[Message](), iter([GONE, GONE, 3])

    def ask() -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patience(said, 60.0).through(ask) == 3
    assert [one.code for one in said] == ["database-gone", "database-back"]


def test_the_wait_has_an_end_and_does_not_begin_before_the_server_has_answered_once() -> None:
    said = list[Message]()

    def ask() -> int:
        raise GONE

    begun = time.monotonic()
    with pytest.raises(OperationalError):
        patience(said, 0.1).through(ask)
    assert [one.code for one in said] == ["database-gone"] and time.monotonic() - begun < 30
    with pytest.raises(OperationalError):
        Patience("the server", said.append).through(ask)
    assert len(said) == 1


@pytest.fixture
def machine() -> Iterator[server.Server]:
    with server.restartable() as one:
        yield one


def interrupted(machine: server.Server, tmp_path: Path, back: bool) -> tuple[Bowl, list[Event], Any]:
    """A study whose server stops while trial 1 trains, and comes back after a second or never."""

    def stop(moves: Mapping[str, Any], call: int) -> None:
        if call == 2:
            machine.stop()
            if back:
                threading.Timer(1.0, machine.start).start()

    trainer, events = Bowl(evaluations=4, fails=stop), list[Event]()
    study = spec(tmp_path, trials=4, seeds=0, stop_early=False)

    def begin() -> Any:
        out, base = tmp_path / "out", RandomSampler(seed=0)
        return run_study(study, trainer, out, storage=machine.address, show=events.append, base=base)

    return trainer, events, begin


@pytest.mark.long
@needs_server
def test_a_server_that_restarts_costs_no_trial(machine: server.Server, tmp_path: Path) -> None:
    trainer, events, begin = interrupted(machine, tmp_path, back=True)
    result = begin()
    assert trainer.calls == ["trial-000", "trial-001", "trial-002", "trial-003"]
    assert [trial.state.by_failure for trial in result.trials] == [False] * 4
    codes = [one.code for one in notices(events) if isinstance(one, Message)]
    assert codes.count("database-gone") == codes.count("database-back") == 1


@pytest.mark.long
@needs_server
def test_a_server_that_stays_away_ends_the_study_which_continues_later(
    machine: server.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_study, "Patience", lambda address, say: Patience(address, say, 1.0))
    trainer, _, begin = interrupted(machine, tmp_path, back=False)
    with pytest.raises(Unfinished, match="the same command continues") as error:
        begin()
    assert "\n" not in str(error.value)
    machine.start()
    trainer.fails = None
    result = begin()
    # Nobody takes over a running trial in the first seconds of a server, so others may come before it.
    assert sorted(trainer.calls) == ["trial-000", "trial-001", "trial-001", "trial-002", "trial-003"]
    assert [trial.state.by_failure for trial in result.trials] == [False] * 4
