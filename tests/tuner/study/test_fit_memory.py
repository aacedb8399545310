from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from tests.tuner.madeup import RATE, Bowl, spec
from tuner.config.search_space import Choice
from tuner.messages import text
from tuner.study.events import Event, RowsLowered
from tuner.study.failure import Failure, FailureKind
from tuner.study.fit_memory import MemoryLimit, most_that_fits, needs_of
from tuner.study.loop import run_study
from tuner.study.protocols import Report
from tuner.study.results import StudyResult
from tuner.training.device_batch import DeviceBatch, device_batch, is_out_of_memory

ROOT = Path(__file__).parents[3]
FILE = {"per_device_train_batch_size": 16, "per_device_eval_batch_size": 32, "gradient_accumulation_steps": 1}
SPACE = {"learning_rate": RATE, "batch_size": Choice((8, 16, 32))}


class Small(Bowl):
    """The bowl on a device with room for so many tokens at once; what each run put on it is kept in ``seen``."""

    room = 4 * 512
    error: type[Exception] = RuntimeError

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        file = {**FILE, "batch_size": 16}
        batch = device_batch({k: v for k, v in file.items() if k != "gradient_accumulation_steps"}, "sft", moves)
        self.seen.append((out.name, batch.train, batch.evaluation))
        if batch.train * moves.get("max_length", 512) > self.room:
            raise self.error("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().__call__({k: v for k, v in moves.items() if not k.endswith("_limit")}, out, report)

    @property
    def seen(self) -> list[tuple[str, int, int]]:
        return self.__dict__.setdefault("_seen", [])


def run(out: Path, trainer: Any, show: Any = None, **block: Any) -> StudyResult:
    block = {"trials": 4, "seeds": 1, "space": SPACE, **block}
    keys = {key: value for key, value in FILE.items() if key != "gradient_accumulation_steps"}
    return run_study(spec(out.parent, **keys, **block), trainer, out, show=show, base=RandomSampler(seed=0))


def test_the_same_trial_is_tried_again_with_half_the_rows_and_later_ones_begin_there(tmp_path: Path):
    trainer, events = Small(evaluations=4), list[Event]()
    result = run(tmp_path / "out", trainer, events.append)
    first = [batch for name, *batch in trainer.seen if name == "trial-000"]
    assert first == [[16, 32], [8, 16], [4, 8]]
    others = [batch for name, *batch in trainer.seen if name != "trial-000"]
    assert {tuple(batch) for batch in others} == {(4, 8)}
    assert [trial.state for trial in result.trials] == ["complete"] * 4
    assert result.gain is not None and len(result.gain.pairs) == 1
    lowered = [event for event in events if isinstance(event, RowsLowered)]
    assert [(event.run, event.kind) for event in lowered] == [("trial-000", FailureKind.OUT_OF_MEMORY)] * 2
    assert [(event.failed, event.fits) for event in lowered] == [
        (DeviceBatch(16, 32), DeviceBatch(8, 16)),
        (DeviceBatch(8, 16), DeviceBatch(4, 8)),
    ]


def test_the_report_says_what_did_not_fit_and_what_to_write_into_the_file(tmp_path: Path):
    result = run(tmp_path / "out", Small(evaluations=4))
    note = message("device-batch-lowered", wanted=16, rows=4, steps=4, evaluation=8)
    assert result.trials[0].memory == (note,)
    for name in ("study.md", "study.html"):
        report = (tmp_path / "out" / name).read_text()
        assert text(note) in report and text(message("rows-lowered")) in report
    kept = json.loads((tmp_path / "out" / "study.json").read_text())
    assert kept["trials"][0]["memory"] == text(note)
    assert any(point.patch.get("per_device_train_batch_size") == 4 for point in result.review)


@pytest.mark.long
def test_longer_rows_have_a_limit_of_their_own_and_shorter_ones_are_not_held_back(tmp_path: Path):
    trainer = Small(evaluations=4)
    trainer.room = 16 * 256
    space = {**SPACE, "max_length": Choice((256, 512, 2048))}
    result = run(tmp_path / "out", trainer, trials=8, seeds=0, space=space, max_length=512, stop_early=False)
    fitting = {256: 16, 512: 8, 2048: 2}
    last = {name: train for name, train, _ in trainer.seen}
    for trial in result.trials:
        batch, length = trial.settings["batch_size"], trial.settings["max_length"]
        assert last[trial.folder] == min(batch, fitting[length])


@pytest.mark.long
@pytest.mark.parametrize("error", [RuntimeError, MemoryError, OSError])
def test_a_trial_that_never_fits_is_finished_as_infeasible_and_the_study_continues(tmp_path: Path, error: Any):
    trainer = Small(evaluations=4)
    trainer.error = error
    trainer.room = 4096
    space = {"learning_rate": RATE, "max_length": Choice((512, 8192))}
    result = run(tmp_path / "out", trainer, trials=6, seeds=0, space=space, max_length=512, stop_early=False)
    lost = [trial for trial in result.trials if trial.settings["max_length"] == 8192]
    assert lost and {trial.state for trial in lost} == {"infeasible"}
    assert lost[0].failure == Failure(FailureKind.OUT_OF_MEMORY, settings={"max_length": 8192})
    assert lost[0].value is None
    trials = optuna.load_study(study_name="bowl", storage=f"sqlite:///{tmp_path / 'out' / 'study.db'}").trials
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    worst = max(t.value for t in trials if t.params["max_length"] == 512)
    assert all((trials[trial.number].value or 0) > worst for trial in lost)
    assert "too large for the memory" in (tmp_path / "out" / "study.md").read_text()
    assert "Traceback" in (tmp_path / "out" / lost[0].folder / "error.txt").read_text()


def test_a_first_trial_that_never_fits_has_a_finite_bad_value(tmp_path: Path):
    trainer = Small(evaluations=4)
    trainer.room = 4096
    space = {"learning_rate": RATE, "max_length": Choice((512, 8192))}
    result = run(tmp_path / "out", trainer, trials=6, seeds=0, space=space, max_length=8192, stop_early=False)
    trials = optuna.load_study(study_name="bowl", storage=f"sqlite:///{tmp_path / 'out' / 'study.db'}").trials
    assert (result.trials[0].state, trials[0].state.name, trials[0].value) == ("infeasible", "COMPLETE", 10.5)
    assert len(result.trials) == 6


def test_a_model_that_fits_nowhere_ends_the_study_with_what_needs_less_memory(tmp_path: Path):
    trainer = Small(evaluations=4)
    trainer.room = 0
    with pytest.raises(BadInput, match=r"even with one row on the device; .* lower max_length, or set gradient_check"):
        run(tmp_path / "out", trainer)
    assert len({name for name, *_ in trainer.seen}) == 3


def test_workers_share_what_fits(tmp_path: Path):
    trainers = [Small(evaluations=3, pause=0.02) for _ in range(2)]
    run(tmp_path / "out", trainers[0], trials=1, seeds=0)
    threads = [threading.Thread(target=run, args=(tmp_path / "out", t), kwargs={"seeds": 0}) for t in trainers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {tuple(batch) for name, *batch in trainers[1].seen} <= {(4, 8)}


@pytest.mark.parametrize(
    ("settings", "holds"),
    [
        ({"max_length": 512, "learning_rate": 1.0}, True),
        ({"max_length": 1024, "batch_size": 2}, True),
        ({"max_length": 256}, False),
        ({"max_length": 512, "packing": True}, False),
        ({}, False),
    ],
)
def test_a_limit_holds_where_at_least_as_much_memory_is_needed(settings: dict[str, Any], holds: bool):
    limit = MemoryLimit("trial-000", needs_of({"max_length": 512}), DeviceBatch(8, 8), DeviceBatch(4, 4))
    assert limit.holds_for(settings) == holds


def test_the_lowest_limit_that_holds_counts():
    study = optuna.create_study()
    for number, length, fits in ((0, 512, [8, 8]), (1, 1024, [2, 4])):
        study.set_user_attr(
            f"memory:trial-{number}", {"needs": {"max_length": length}, "failed": [16, 16], "fits": fits}
        )
    assert most_that_fits(study, {"max_length": 256}) is None
    assert most_that_fits(study, {"max_length": 512}) == DeviceBatch(8, 8)
    assert most_that_fits(study, {"max_length": 2048}) == DeviceBatch(2, 4)


def test_rows_are_halved_down_to_one():
    batch, steps = DeviceBatch(12, 3), []
    while batch is not None:
        steps.append((batch.train, batch.evaluation))
        batch = batch.halved
    assert steps == [(12, 3), (6, 1), (3, 1), (1, 1)]


class OutOfMemoryError(RuntimeError):
    """What torch calls its own."""


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("DataLoader worker (pid 4711) is killed by signal: Killed. "), True),
        (RuntimeError("DataLoader worker (pid 4711) is killed by signal: Segmentation fault. "), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (OSError(28, "No space left on device"), False),
        (ValueError("the memory of this model is out of reach"), False),
        (KeyError("out of memory"), False),
    ],
)
def test_out_of_memory_is_distinguished_from_other_errors(error: Exception, is_it: bool):
    assert is_out_of_memory(error) == is_it


def test_an_error_that_came_from_memory_is_one_of_memory():
    wrapped = ValueError("the collator failed")
    wrapped.__cause__ = MemoryError()
    assert is_out_of_memory(wrapped)


LIMITED = """
import json, resource, sys
from pathlib import Path
from tests.tuner import smallest
from tuner.study.loop import run_study
from tuner.study.words import memory_words
from tuner.training.train import train

here, spare = Path(sys.argv[1]), int(sys.argv[2]) * 2**20
model, rows = smallest.model_folder(here / "model"), smallest.rows_folder(here / "rows")
for split in ("train", "test"):
    path = here / "rows" / "text" / f"{split}.jsonl"
    path.write_text("\\n".join(json.dumps({"text": f"{n} " * 400}) for n in range(32)))
spec = smallest.study(
    here, model, rows, per_device_train_batch_size=16, per_device_eval_batch_size=16, max_steps=2, max_length=1024,
    dataset_name=str(rows / "text"), eval_steps=1, use_cpu=True,
    study={"trials": 1, "seeds": 0, "space": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}},
)
train(spec, {"max_length": 64, "device_batch_limit": 1, "eval_batch_limit": 1}, here / "warm")
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + spare, used + spare))
result = run_study(spec, lambda moves, out, report: train(spec, moves, out, report), here / "out", show=print)
trial = result.trials[0]
print(json.dumps([trial.state, trial.value, memory_words(trial), trial.failure and trial.failure.to_dict()]))
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to know the memory in use")
def test_a_real_training_under_a_real_memory_limit_ends_with_fewer_rows_on_the_device(tmp_path: Path):
    command = [sys.executable, "-c", LIMITED, str(tmp_path), "500"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    state, value, memory, failure = json.loads(done.stdout.splitlines()[-1])
    assert (state, failure) == ("complete", None), done.stdout
    assert value > 0
    assert "out of memory with 16 rows on the device: trained with" in memory
    config = (tmp_path / "out" / "trial-000" / "config.yaml").read_text()
    assert "gradient_accumulation_steps: 1\n" not in config
    report = (tmp_path / "out" / "trial-000" / "report.md").read_text()
    assert "out of memory with 16 rows on the device" in report
