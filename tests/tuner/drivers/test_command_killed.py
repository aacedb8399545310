"""``trainer: command``: a real script that is stopped and killed, and what is left then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.drivers.script import ROOT, SCRIPT, file, left, spec, steps_logged
from tests.waiting import until
from tuner.commands.study import StudyTrainer
from tuner.config.study_file import load_spec
from tuner.drivers.drive import drive
from tuner.drivers.errors import TrainerKilled
from tuner.drivers.process import tag_of
from tuner.study.loop import run_study
from tuner.study.passing import is_passing


def test_a_report_that_says_stop_stops_the_command_and_all_that_it_started(tmp_path: Path):
    study, out = spec(tmp_path, steps=2000, workers=1, pause=0.02), tmp_path / "trial-000"
    seen: list[float] = []

    def report(run: Any, share: float) -> str | None:
        seen.append(share)
        assert len(left(out)) == 3  # the keeper, the script and its data loader
        return "enough" if len(seen) == 2 else None

    run = drive(study, {}, out, report)
    assert left(out) == [] and 10 <= run.last_step < 2000 and seen == sorted(seen)
    assert [note.code for note in run.notes] == ["stopped-at"]


def test_a_command_that_somebody_kills_may_be_continued(tmp_path: Path):
    out = tmp_path / "trial-000"

    def report(run: Any, share: float) -> None:
        for process in left(out):
            if SCRIPT.name in Path(f"/proc/{process}/cmdline").read_text():
                os.kill(process, signal.SIGKILL)

    study = spec(tmp_path, steps=200, pause=0.02)
    with pytest.raises(TrainerKilled) as caught:
        drive(study, {}, out, report)
    assert is_passing(caught.value)
    assert drive(study, {}, out).last_step == 200 and steps_logged(out) == [*range(1, 201)]


@pytest.mark.long
def test_after_kill_9_nothing_runs_on_and_the_same_command_continues(tmp_path: Path):
    path, out = file(tmp_path, {"trials": 1, "seeds": 0}, steps=300, pause=0.02, workers=1), tmp_path / "out"
    command = [sys.executable, "-m", "tuner", "study", str(path), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as worker:
        until(_has_steps(out / "trial-000", 20), "the first steps")
        worker.kill()
    until(lambda: left(out / "trial-000") == [], "the end of the trainer")
    cut = len(steps_logged(out / "trial-000"))
    study = load_spec(path)
    result = run_study(study, StudyTrainer(study), out)
    assert result.trials[0].value is not None and 20 <= cut < 300
    assert steps_logged(out / "trial-000") == [*range(1, 301)]


def _has_steps(run: Path, steps: int) -> Callable[[], bool]:
    return lambda: (run / "output" / "log.jsonl").exists() and len(steps_logged(run)) >= steps


def test_what_a_killed_keeper_leaves_is_ended_before_the_run_begins_again(tmp_path: Path):
    out = tmp_path / "trial-000"
    environment = {**os.environ, "TUNER_RUN": tag_of(out)}
    with subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True) as orphan:
        until(lambda: left(out) == [orphan.pid], "the orphan")
        drive(spec(tmp_path, steps=5), {}, out)
        assert orphan.wait(5) == -signal.SIGTERM


def test_the_order_of_a_run_that_is_stopped_takes_no_longer_than_its_grace(tmp_path: Path):
    from tuner.drivers.process import Trainer

    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    with Trainer([sys.executable, "-c", stubborn], tmp_path, log, dict(os.environ), grace=0.5) as trainer:
        until(lambda: log.exists() and log.read_text() == "1\n", "the script")
        began = time.monotonic()
        assert trainer.stop() == -signal.SIGKILL and time.monotonic() - began < 5
