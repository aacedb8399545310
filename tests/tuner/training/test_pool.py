"""``tuner study --workers 2`` with the real trainer: one worker is killed in a run, the other one continues it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tuner import smallest
from tests.tuner.study.test_pool import children, is_alive
from tests.waiting import until
from tuner.training.checkpoints import last_whole

ROOT = Path(__file__).parents[3]
STUDY = {
    "trials": 4,
    "seeds": 1,
    "space": {"learning_rate": {"low": 1e-4, "high": 0.1, "log": True}},
}


@pytest.mark.long
@pytest.mark.timeout(900)  # three processes load torch, on a machine that may be busy
def test_a_killed_worker_s_run_goes_on_from_its_checkpoint_and_none_is_left(tmp_path: Path, small_model, small_rows):
    path = smallest.study_file(
        tmp_path, small_model, small_rows, max_steps=60, eval_steps=10, logging_steps=2, study=STUDY
    )
    out = tmp_path / "out"
    command = [sys.executable, "-m", "tuner", "study", str(path), "--workers", "2", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        until(lambda: last_whole(out / "trial-001") is not None, "a checkpoint", process, seconds=400)
        workers = children(process.pid)
        os.kill(workers[0], signal.SIGKILL)
        said, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    assert not any(map(is_alive, workers))
    result = json.loads((out / "study.json").read_text())
    assert [trial["number"] for trial in result["trials"]] == [0, 1, 2, 3]
    assert all(trial["value"] is not None for trial in result["trials"])
    assert "2 workers" in said
    assert "continues where it was cut" in said
    assert (out / f"trial-{result['best']:03d}" / "adapter" / "adapter_model.safetensors").exists()
