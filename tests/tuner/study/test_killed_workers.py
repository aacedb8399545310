"""Runs that take their worker with them: real kills of real processes, by the test and by the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from optuna.samplers import RandomSampler

from diagnostics.model.message import message
from tests.forked import Forked
from tests.tuner.madeup import Bowl
from tests.tuner.study.deadly import file, main
from tuner.study.events import RowsLowered
from tuner.study.failure import FailureKind
from tuner.study.loop import run_study
from tuner.study.results import StudyResult, TrialState
from tuner.study.words import lowered_words
from tuner.study.workers.attempts import (
    MAX_LOSSES_WITHOUT_PROGRESS,
)
from tuner.training.device_batch import DeviceBatch
from tuner.training.oom import kill_count

ROOT = Path(__file__).parents[3]
CGROUPS = Path("/sys/fs/cgroup")


def killed_until_done(
    out: Path, deed: str, before: Callable[[], None] | None = None, most: int = 9
) -> tuple[StudyResult, list[str], int]:
    """The study's result, the lines that its last worker printed, and how many workers were killed before."""
    for killed in range(most + 1):
        code, said = one_worker(out, deed, before)
        if code != -9:
            assert code == 0, said
            trainer = Bowl(evaluations=4)
            again = run_study(file(out), trainer, out, base=RandomSampler(seed=0))
            assert trainer.calls == []
            return again, said.splitlines(), killed
    raise AssertionError(f"{most} workers were killed: {said}")


def one_worker(out: Path, deed: str, before: Callable[[], None] | None = None) -> tuple[int, str]:
    """How one worker ended, and what it said. Those that begin with ``before`` are no forks: they share no memory."""
    if before is None:
        process = Forked(out.parent / "said.txt", main, out, deed)
        said, _ = process.communicate(200)
        assert process.returncode is not None
        return process.returncode, said
    command = [sys.executable, "-m", "tests.tuner.study.deadly", str(out), deed]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, preexec_fn=before
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_a_run_that_kills_its_worker_where_memory_is_short_is_tried_with_half_the_rows_until_it_lives(tmp_path: Path):
    result, said, killed = killed_until_done(tmp_path / "out", "kill_above_four_rows")
    assert killed == 2  # with 16 rows and with 8
    assert [trial.state.by_failure for trial in result.trials] == [False] * 3
    rows = [DeviceBatch(number, number) for number in (8, 4)]
    assert lowered_words(RowsLowered("trial-000", FailureKind.WORKERS_KILLED, *rows, {})) in said
    lowered = message("device-batch-lowered", wanted=16, rows=4, steps=4, evaluation=4)
    assert result.trials[0].memory == (lowered, message("workers-killed-before", killed=2))
    assert len(result.trials[1].memory) == 1  # it began with 4 rows
    (point,) = [one for one in result.review if one.point == message("rows-lowered")]
    assert point.sentences[-1] == message("only-kills", runs="trial-000")


@pytest.mark.long
def test_kills_without_a_sign_of_memory_change_nothing_however_many_come_before_the_bound(tmp_path: Path):
    result, _, killed = killed_until_done(tmp_path / "out", "kill_nine_times")
    assert killed == 9
    assert [trial.state.by_failure for trial in result.trials] == [False] * 3
    assert not any(trial.memory for trial in result.trials)
    assert message("rows-lowered") not in [point.point for point in result.review]


@pytest.mark.long
def test_a_file_that_kills_every_worker_is_left_open_after_the_bound_and_tried_again_by_the_same_command(
    tmp_path: Path,
):
    out = tmp_path / "out"
    for _ in range(2):
        codes = [one_worker(out, "kill_at_first_rate") for _ in range(MAX_LOSSES_WITHOUT_PROGRESS + 1)]
        assert [code for code, _ in codes[:-1]] == [-9] * MAX_LOSSES_WITHOUT_PROGRESS
        code, said = codes[-1]
        assert code == 3 and "the same command tries it again" in said and "10 workers" in said
    result = run_study(file(out), Bowl(evaluations=4), out, base=RandomSampler(seed=0))
    assert [trial.state.by_failure for trial in result.trials] == [False] * 3
    assert not any(trial.memory for trial in result.trials)


@pytest.fixture
def small_machine() -> Iterator[Callable[[], None]]:
    """What a child process calls to live with 400 MB: the kernel kills it when it takes more."""
    parent = CGROUPS / "memory" if (CGROUPS / "memory").is_dir() else CGROUPS
    group = parent / f"tuner-test-{os.getpid()}"
    old = parent.name == "memory"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(400 * 2**20))
        if not old and (group / "memory.swap.max").exists():
            (group / "memory.swap.max").write_text("0")
        probe = subprocess.Popen(["sleep", "9"])
        try:
            (group / "cgroup.procs").write_text(str(probe.pid))
        finally:
            probe.kill()
            probe.wait()
    except OSError as error:
        if group.exists():
            group.rmdir()
        pytest.skip(f"no control group can be made: {error}")

    def enter() -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))

    yield enter
    group.rmdir()


@pytest.mark.long
@pytest.mark.alone
@pytest.mark.skipif(kill_count() is None, reason="the kernel does not count what it kills for memory")
def test_a_worker_that_the_kernel_kills_for_memory_is_answered_at_once(
    tmp_path: Path, small_machine: Callable[[], None]
):
    result, said, killed = killed_until_done(tmp_path / "out", "take_memory_above_four_rows", small_machine)
    assert 1 <= killed <= 2
    lowered = RowsLowered("trial-000", FailureKind.KILLED_FOR_MEMORY, DeviceBatch(8, 8), DeviceBatch(4, 4), {})
    assert "kernel" in lowered_words(lowered)
    assert any(line.startswith("trial-000: ") and "kernel" in line for line in said)
    assert [trial.state.by_failure for trial in result.trials] == [False] * 3
    (point,) = [one for one in result.review if one.point == message("rows-lowered")]
    assert message("only-kills", runs="trial-000") not in point.sentences


@pytest.mark.long
def test_a_real_training_that_is_killed_where_memory_is_short_begins_again_with_fewer_rows(tmp_path: Path):
    command, environment = (
        [sys.executable, "-m", "tests.tuner.study.deadly", str(tmp_path), "real"],
        {**os.environ, "OMP_NUM_THREADS": "1"},
    )
    codes = []
    while not codes or (codes[-1] == -9 and len(codes) < 4):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
        codes.append(done.returncode)
    assert codes == [-9, 0], done.stdout + done.stderr
    state, steps, lost, memory = json.loads(done.stdout.splitlines()[-1])
    assert (state, steps, lost) == (TrialState.COMPLETE, 4.0, 2.0)
    assert "trained with 2 at once and 2 accumulation steps, the same effective batch" in memory
    config = (tmp_path / "out" / "trial-000" / "config.yaml").read_text()
    assert "per_device_train_batch_size: 2" in config and "gradient_accumulation_steps: 2" in config
