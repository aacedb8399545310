"""Studies whose training ends its own process: ``python -m tests.tuner.study.deadly FOLDER DEED``."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from optuna.samplers import RandomSampler

from diagnostics.model.curves import Run
from tests.tuner.madeup import Bowl, spec
from tuner.config.study_file import StudySpec
from tuner.errors import Unfinished
from tuner.study.display.terminal import progress
from tuner.study.loop import run_study
from tuner.study.protocols import Report
from tuner.study.words import memory_words
from tuner.study.workers import attempts
from tuner.training.device_batch import device_batch

FILE = {"per_device_train_batch_size": 16, "per_device_eval_batch_size": 16}


def rows_of(moves: Mapping[str, Any]) -> int:
    """The rows that a run of the made-up study puts on the device."""
    return device_batch({**FILE, "batch_size": 16}, "sft", moves).train


def file(out: Path) -> StudySpec:
    """The made-up study of three trials."""
    return spec(out.parent, **FILE, trials=3, seeds=0, stop_early=False)


def kill() -> None:
    """End this process as the kernel would."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_above_four_rows(moves: Mapping[str, Any]) -> None:
    """A training that takes its process with it until four rows are on the device."""
    if rows_of(moves) > 4:
        kill()


def kill_nine_times(moves: Mapping[str, Any]) -> None:
    """A training whose first nine workers are preempted before the first evaluation."""
    count = Path(os.environ["TUNER_TEST_COUNT"])
    seen = int(count.read_text()) if count.exists() else 0
    if seen < 9:
        count.write_text(str(seen + 1))
        kill()


def kill_at_first_rate(moves: Mapping[str, Any]) -> None:
    """A training that takes its process with it at the learning rate of trial 0, whatever the rows."""
    if moves["learning_rate"] == 1e-5:
        kill()


def take_memory_above_four_rows(moves: Mapping[str, Any]) -> None:
    """A training that takes 640 MB with 16 rows on the device and 320 with 8."""
    if rows_of(moves) > 4:
        _ = [bytearray(b"x" * 2**20) for _ in range(40 * rows_of(moves))]


DEEDS: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    deed.__name__: deed
    for deed in (kill_above_four_rows, kill_nine_times, kill_at_first_rate, take_memory_above_four_rows)
}


class Deadly(Bowl):
    """The bowl, after a deed."""

    deed: Callable[[Mapping[str, Any]], None]

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        """The run with these settings, if the deed lets it begin."""
        type(self).deed(moves)
        return super().__call__({k: v for k, v in moves.items() if not k.endswith("_limit")}, out, report)


def main(out: Path, deed: str) -> int:
    """Run the study in ``out`` with plain lines; the status of the command."""
    os.environ["TUNER_TEST_COUNT"] = str(out.parent / "count")
    if deed == kill_above_four_rows.__name__:
        attempts.free_memory_share = lambda: 0.01
    Deadly.deed = staticmethod(DEEDS[deed])
    with progress() as show:
        try:
            run_study(file(out), Deadly(evaluations=4), out, show=show, base=RandomSampler(seed=0))
        except Unfinished as error:
            print(error)
            return 3
    return 0


def real(here: Path) -> None:
    """Train the tiny model, which kills its process half-way with more than two rows on the device."""
    from tests.tuner import smallest
    from tuner.training.train import train

    model, rows = here / "model", here / "rows"
    if not rows.exists():
        smallest.model_folder(model)
        smallest.rows_folder(rows)
    keys = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 4, "max_steps": 4, "eval_steps": 1}
    space = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}
    study = smallest.study(here, model, rows, **keys, use_cpu=True, study={"trials": 1, "seeds": 0, "space": space})

    def deadly(moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        def noted(run: Run, share: float) -> str | None:
            reason = report(run, share)
            if share >= 0.5 and moves.get("device_batch_limit", 4) > 2:
                kill()
            return reason

        return train(study, moves, out, noted)

    attempts.free_memory_share = lambda: 0.01
    trial = run_study(study, deadly, here / "out").trials[0]
    print(json.dumps([trial.state, trial.steps, trial.lost, memory_words(trial)]))


if __name__ == "__main__":
    if sys.argv[2] == "real":
        real(Path(sys.argv[1]))
    else:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
