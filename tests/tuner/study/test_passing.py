"""Failures that lie at the machine: the run is tried again or left open, and no number is invented for it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from sqlalchemy.exc import OperationalError

from diagnostics.errors import BadInput
from diagnostics.model.message import Message
from tests.tuner.madeup import Bowl, notices, run
from tuner.cli import main
from tuner.errors import Unfinished
from tuner.study import retry
from tuner.study.events import Event
from tuner.study.passing import is_passing


def full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three further attempts, as ever, without the wait."""
    monkeypatch.setattr(retry, "RETRY_PAUSES", (0.0,) * len(retry.RETRY_PAUSES))


class Server(Exception):
    """An answer over HTTP, as ``requests`` and ``httpx`` hold it."""

    def __init__(self, status: int) -> None:
        self.response = type("Response", (), {"status_code": status})()


class Named(Exception):
    """An error of a library that is told by its name."""


Named.__module__, Named.__qualname__ = "requests.exceptions", "ConnectionError"


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (full(), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EIO, "Input/output error"), True),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (OperationalError("SELECT 1", {}, Exception("server closed the connection")), True),
        (Server(503), True),
        (Named(), True),
        (Server(404), False),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ZeroDivisionError(), False),
    ],
)
def test_a_failure_of_the_machine_is_told_from_one_of_the_run(error: Exception, passing: bool):
    assert is_passing(error) == passing
    wrapped = RuntimeError("the save failed")
    wrapped.__cause__ = error
    assert is_passing(wrapped) == passing


def test_a_run_that_fails_once_is_tried_again_under_its_number(tmp_path: Path):
    def once(moves: Mapping[str, Any], call: int) -> None:
        if call == 2:
            raise full()

    trainer, events = Bowl(evaluations=6, fails=once), list[Event]()
    result = run(tmp_path / "out", trainer, show=events.append)
    assert trainer.calls == ["trial-000", "trial-001", "trial-001", "trial-002", "trial-003"]
    assert [trial.state.by_failure for trial in result.trials] == [False] * 4
    (said,) = [one for one in notices(events) if isinstance(one, Message) and one.code == "failure-may-pass"]
    assert said.values["run"] == "trial-001"


@pytest.mark.long
def test_a_disk_that_stays_full_ends_the_study_without_a_value_and_the_same_command_continues(tmp_path: Path):
    def full_after_two(moves: Mapping[str, Any], call: int) -> None:
        if call > 2:
            raise full()

    storage = f"sqlite:///{tmp_path / 'out' / 'study.db'}"
    trainer = Bowl(evaluations=6, fails=full_after_two)
    for more in (4, 8):
        with pytest.raises(Unfinished, match=r"trial-002: .*No space left.*the same command continues") as error:
            run(tmp_path / "out", trainer, trials=5)
        assert "\n" not in str(error.value)
        assert trainer.calls[2:] == ["trial-002"] * more
    trials = optuna.load_study(study_name="bowl", storage=storage).trials
    assert [(trial.state.name, trial.value is None) for trial in trials] == [
        ("COMPLETE", False),
        ("COMPLETE", False),
        ("RUNNING", True),
    ]
    trainer = Bowl(evaluations=6)
    result = run(tmp_path / "out", trainer, trials=5)
    assert trainer.calls == ["trial-002", "trial-003", "trial-004"]
    assert [trial.state.by_failure for trial in result.trials] == [False] * 5
    unhurt = run(tmp_path / "other", Bowl(evaluations=6), trials=5)
    assert [trial.value for trial in result.trials] == [trial.value for trial in unhurt.trials]


def test_a_repeat_that_fails_with_the_machine_is_left_open_too(tmp_path: Path):
    def full_in_repeats(moves: Mapping[str, Any], call: int) -> None:
        if "seed" in moves:
            raise full()

    with pytest.raises(Unfinished, match=r"repeat-0-seed-8: .*No space left"):
        run(tmp_path / "out", Bowl(evaluations=6, fails=full_in_repeats), trials=3, seeds=1)
    assert not (tmp_path / "out" / "repeat-0-seed-8" / "repeat.json").exists()
    result = run(tmp_path / "out", Bowl(evaluations=6), trials=3, seeds=1)
    assert result.gain is not None and len(result.gain.pairs) == 1


@pytest.mark.parametrize("call_at", [1, 2])
def test_an_input_that_has_worked_before_may_fail_for_the_network(tmp_path: Path, call_at: int):
    def offline(moves: Mapping[str, Any], call: int) -> None:
        if call == call_at:
            raise BadInput("the hub failed") from ConnectionError("no route")

    trainer = Bowl(evaluations=6, fails=offline)
    if call_at == 1:  # nothing shows yet that the name is right
        with pytest.raises(BadInput, match="the hub failed"):
            run(tmp_path / "out", trainer)
    else:
        assert len(run(tmp_path / "out", trainer).trials) == 4


def test_a_study_without_a_value_ends_with_status_3_and_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    broken = [True]

    def bug(moves: Mapping[str, Any], call: int) -> None:
        if broken:
            raise RuntimeError("shapes do not match")

    monkeypatch.chdir(tmp_path)
    assert main(["init", "sft"]) == 0
    raw = yaml.safe_load(Path("sft.yaml").read_text())
    Path("sft.yaml").write_text(yaml.safe_dump({**raw, "study": {**raw["study"], "seeds": 0, "trials": 1}}))
    trainer = Bowl(evaluations=6, fails=bug)
    monkeypatch.setattr(
        "tuner.commands.study.StudyTrainer",
        lambda spec: lambda moves, out, report: trainer({**moves, "learning_rate": 1e-4}, out, report),
    )
    assert main(["study", "sft.yaml"]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "no trial has a value" in said and "shapes do not match" in said
    broken.clear()
    assert main(["study", "sft.yaml"]) == 0
