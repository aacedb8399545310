"""``--workers N``: real processes that share a study, one display, and real kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from optuna.samplers import RandomSampler

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from tests.tuner.madeup import Bowl, spec
from tests.waiting import until
from tuner.study.events import Closed, Event, Finished, Notice, Opened, Repeated, Started
from tuner.study.pool.supervise import run_pool
from tuner.study.protocols import Report
from tuner.study.results import StudyResult, TrialState

ROOT = Path(__file__).parents[3]
CODE = """
from pathlib import Path
from optuna.samplers import RandomSampler
from tests.tuner.madeup import spec
from tests.tuner.study.test_pool import Together
from tuner.study.display.terminal import progress
from tuner.study.pool.supervise import run_pool
out = Path({out!r})
with progress() as show:
    study = spec(out.parent, trials=4, seeds=0, stop_early=False)
    run_pool(study, Together(pause={pause}, evaluations=8), out, workers=2, show=show, base=RandomSampler(seed=0))
"""


class Together(Bowl):
    """A trainer whose first run lasts until the other worker has begun the second."""

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        if out.name == "trial-000":
            until((out.parent / "trial-001" / "log.json").exists, "the second trial")
        return super().__call__(moves, out, report)


class Doomed(Together):
    """Its third run kills its worker once."""

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        if out.name == "trial-002" and not (out / "killed").exists():
            (out / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(moves, out, report)


class Broken(Bowl):
    """A trainer with a bug."""

    def __call__(self, *args: Any) -> Any:
        raise ZeroDivisionError("a bug")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # workers then need not import torch


def pool(out: Path, trainer: Bowl, show: Any, **block: Any) -> StudyResult:
    study = spec(out.parent, **{"trials": 6, "seeds": 1, "stop_early": False, **block})
    return run_pool(study, trainer, out, workers=2, show=show, base=RandomSampler(seed=0))


def children(parent: int) -> list[int]:
    """The workers below a process; the resource tracker of multiprocessing is none."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"spawn_main" in command and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def started(out: Path, pause: float) -> subprocess.Popen[str]:
    """A process with a pool of two workers."""
    code, environment = CODE.format(out=str(out), pause=pause), {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=pipe, stderr=pipe, text=True, env=environment
    )


def logs(out: Path) -> list[str]:
    return sorted(path.parent.name for path in out.glob("*/log.json"))


@pytest.mark.long
def test_two_workers_share_a_study_and_the_loss_of_one_of_them_in_one_display(tmp_path: Path):
    events: list[Event] = []
    result = pool(tmp_path / "out", Doomed(evaluations=6), events.append)
    assert [trial.number for trial in result.trials] == list(range(6))
    assert {trial.state for trial in result.trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert result.gain is not None and len(result.gain.pairs) == 1
    kinds = [type(event) for event in events]
    assert kinds.count(Opened) == kinds.count(Closed) == 1
    assert events[0].workers == 2 and events[-1] == Closed(result)  # type: ignore[union-attr]
    assert sorted(event.trial.number for event in events if isinstance(event, Finished)) == list(range(6))
    assert sum(isinstance(event, Repeated) and event.over for event in events) == 2
    assert not any(isinstance(event, Notice) and event.message.code.startswith("waiting") for event in events)
    assert [event.continued for event in events if isinstance(event, Started) and event.number == 2] == [False, True]
    assert result.trials[1].moved, "what differs from the file, which had not ended when it began"
    assert not children(os.getpid())


@pytest.mark.long
def test_an_error_of_the_training_ends_all_workers_with_the_line_of_one(tmp_path: Path):
    with pytest.raises(BadInput, match="all failed with ZeroDivisionError: a bug"):
        pool(tmp_path / "out", Broken(), lambda event: None)
    assert not children(os.getpid())


@pytest.mark.long
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_parent_leaves_no_worker_and_a_study_that_continues(tmp_path: Path, sign: signal.Signals):
    out = tmp_path / "out"
    parent = started(out, pause=0.5)
    until(lambda: len(logs(out)) == 2, "both workers in a trial", parent)
    workers = children(parent.pid)
    assert len(workers) == 2
    parent.send_signal(sign)
    parent.communicate(timeout=60)
    assert parent.returncode != 0
    until(lambda: not any(map(is_alive, workers)), "the workers gone", seconds=20)
    assert "study" in (out / "study.md").read_text().lower()
    again = started(out, pause=0.0)
    text, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert text.count("continues where it was cut") == 2


@pytest.mark.long
def test_when_every_worker_is_killed_the_command_says_so_and_can_be_run_again(tmp_path: Path):
    parent = started(tmp_path / "out", pause=0.3)
    until(lambda: len(logs(tmp_path / "out")) == 2, "both workers in a trial", parent)
    for worker in children(parent.pid):
        os.kill(worker, signal.SIGKILL)
    _, errors = parent.communicate(timeout=60)
    assert "Unfinished: every worker was killed (status -9)" in errors
