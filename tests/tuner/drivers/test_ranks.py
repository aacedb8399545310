"""One trial of our own trainer in two processes: real torchrun, real gradients over gloo, real kills."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diagnostics.errors import BadInput
from tests.tuner.drivers.script import left
from tests.tuner.madeup import spec as own_spec
from tuner.commands.study import StudyTrainer
from tuner.config.overrides import shared_by
from tuner.config.search_space import Choice, Range
from tuner.config.slots import with_slots
from tuner.config.study_spec import StudySpec
from tuner.drivers.errors import OutOfMemoryError, RankFailed, TrainerKilled
from tuner.drivers.rank_failures import why_failed
from tuner.errors import Broken, SpecError
from tuner.study.passing import is_passing
from tuner.training.checkpoints import last_whole
from tuner.training.oom import MemoryKills
from tuner.training.rank_words import Ended

TABLE = """
Root Cause (first observed failure):
[0]:
  time      : 2026-11-22_03:00:00
  host      : vm
  rank      : {rank} (local_rank: {rank})
  exitcode  : {status} (pid: 4711)
"""
LOST = Broken(RuntimeError("RuntimeError: [pair.cc:537] Connection closed by peer [127.0.0.1]:4711"), "Traceback")


@pytest.mark.parametrize(
    ("rows", "times", "devices", "wanted"),
    [(8, 1, 2, (4, 1)), (8, 2, 2, (8, 1)), (4, 8, 4, (4, 2)), (6, 1, 3, (2, 1)), (1, 8, 2, (1, 4))],
)
def test_devices_share_the_rows_of_a_step(rows: int, times: int, devices: int, wanted: tuple[int, int]):
    made = shared_by({"per_device_train_batch_size": rows, "gradient_accumulation_steps": times}, devices)
    assert (made["per_device_train_batch_size"], made["gradient_accumulation_steps"]) == wanted
    assert devices * wanted[0] * wanted[1] == rows * times


@pytest.mark.parametrize(
    ("batch", "named"),
    [
        (Choice((4, 6)), "batch_size 6 cannot be shared by 4 devices"),
        (Range(4, 16), "must be a list, because 4 devices share a batch"),
    ],
)
def test_a_batch_that_cannot_be_shared_is_refused_before_the_first_trial(tmp_path: Path, batch: Any, named: str):
    study = own_spec(tmp_path, gpus_per_trial=4, space={"batch_size": batch})
    with pytest.raises(BadInput, match=named):
        with_slots(study, None)
    fitting = own_spec(tmp_path, gpus_per_trial=4, gpus=tuple("01234567"), space={"batch_size": Choice((4, 16))})
    assert with_slots(fitting, None).study.workers == 2


@pytest.mark.parametrize(
    ("last", "printed", "kind", "says"),
    [
        ({0: LOST}, TABLE.format(rank=1, status=-9), TrainerKilled, "process 1 of 2: killed by SIGKILL"),
        ({0: LOST}, TABLE.format(rank=1, status=-11), RankFailed, "process 1 of 2: killed by SIGSEGV"),
        ({0: LOST, 1: Broken(RuntimeError("ValueError: x"), "")}, "", RankFailed, "process 1 of 2: ValueError: x"),
        ({1: Broken(RuntimeError("CUDA out of memory"), ""), 0: LOST}, "", OutOfMemoryError, "process 1 of 2: CUDA"),
        ({0: Broken(SpecError("a.yaml: no rows"), "")}, "", SpecError, "^a.yaml: no rows$"),
        ({}, "ImportError: no libc" + TABLE.format(rank=0, status=1), RankFailed, "status 1: ImportError: no libc"),
    ],
)
def test_the_process_that_failed_first_says_why(
    last: dict[int, Ended | Broken], printed: str, kind: type[Exception], says: str
):
    error = why_failed(last, 2, printed, MemoryKills(None))
    with pytest.raises(kind, match=says):
        raise error
    assert type(error) is kind and is_passing(error) == (kind is TrainerKilled)


def together(spec: StudySpec, devices: int = 2) -> StudyTrainer:
    return StudyTrainer(replace(spec, study=replace(spec.study, gpus_per_trial=devices)))


@pytest.mark.long
@pytest.mark.timeout(900)  # five processes load torch, on a machine that may be busy
def test_two_processes_learn_what_one_does_and_a_killed_one_is_continued(make: Any, tmp_path: Path):
    spec = make(max_steps=6, eval_steps=2, logging_steps=1, seed=1)
    alone = together(spec, 1)({}, tmp_path / "one", lambda run, share: None)
    out, seen = tmp_path / "trial-000", []

    def report(run: Any, share: float) -> None:
        seen.append(share)
        if len(seen) == 2:
            os.kill(rank(out, "1"), signal.SIGKILL)

    with pytest.raises(TrainerKilled, match="process 1 of 2: killed by SIGKILL"):
        together(spec)({}, out, report)
    assert left(out) == [] and last_whole(out) is not None
    run = together(spec)({}, out, report)
    assert left(out) == [] and seen[-1] == 1.0 and run.last_step == 6
    assert run.settings.batch_size == alone.settings.batch_size == 4
    assert run.curves["eval_loss"].values == pytest.approx(alone.curves["eval_loss"].values, rel=1e-3)
    assert [note.code for note in run.notes if note.code == "resumed-after-cut"]
    assert last_whole(out) is None and (out / "adapter" / "adapter_model.safetensors").exists()
    assert (out / "config.yaml").read_text() == (tmp_path / "one" / "config.yaml").read_text()
    assert together(spec)({}, out, lambda run, share: None).last_step == 6  # read, not trained again


def rank(out: Path, number: str) -> int:
    """The process of a run with this rank."""
    ranks = (
        one for one in left(out) if f"RANK={number}".encode() in Path(f"/proc/{one}/environ").read_bytes().split(b"\0")
    )
    return next(one for one in ranks if b"tuner.training.rank" in Path(f"/proc/{one}/cmdline").read_bytes())


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_failing_process_fails_the_run_and_leaves_none_behind(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    code = "import os, sys\nif os.environ.get('RANK') == '1':\n    sys.modules['peft'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[3]}")
    out = tmp_path / "trial-000"
    with pytest.raises(RankFailed, match=r"^process 1 of 2: ValueError: You need to have PEFT") as caught:
        together(make())({}, out, lambda run, share: None)
    assert "Traceback" in str(caught.value.__cause__) and left(out) == []
