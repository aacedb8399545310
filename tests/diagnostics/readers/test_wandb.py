"""The folder of a W&B run: its binary log, whole, spanning blocks, cut and damaged, and where it is looked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.dialects import wandb
from benchmarks.dialects.measured import Eval, Layout, Measured
from diagnostics.model.message import message
from diagnostics.readers import UnreadableLog, find_runs, read
from diagnostics.readers.wandb.leveldb_log import BLOCK, Records


def written(folder: Path, steps: int = 2000) -> Path:
    """The folder ``wandb`` of a long run, whose log is several blocks long."""
    known = {"learning_rate": 2e-4, "batch_size": 16, "lora_r": 8}
    losses, evals = 1 + np.exp(-np.arange(steps) / 300), (Eval(steps // 2, 1.3), Eval(steps, 1.2))
    run = Measured(losses, np.full(steps, 2e-4), np.full(steps, 0.5), evals, steps, known)
    return wandb.write_folder(run, Layout(1), folder)


def log_in(folder: Path) -> Path:
    return next(folder.glob("*/*.wandb"))


def test_a_long_log_is_read_whole_with_the_runs_config(tmp_path: Path):
    folder = written(tmp_path)
    assert log_in(folder).stat().st_size > 4 * BLOCK
    (found,) = find_runs(folder)
    run = read(found)
    assert run.curves["train_loss"].steps.tolist() == list(range(1, 2001))
    assert run.curves["eval_loss"].values.tolist() == [1.3, 1.2]
    known = run.settings.known()
    assert (known["learning_rate"], known["batch_size"], known["lora_r"]) == (2e-4, 16, 8)
    assert run.notes == ()


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK + 3, 3 * BLOCK - 200])
def test_a_log_that_is_still_being_written_is_read_as_far_as_it_goes(tmp_path: Path, size: int):
    log = log_in(written(tmp_path))
    log.write_bytes(log.read_bytes()[:size])
    run = read(log)
    assert 100 < len(run.curves["train_loss"]) < 2000
    assert run.notes == ()


def test_a_damaged_block_is_left_out_and_the_rest_is_read(tmp_path: Path):
    log = log_in(written(tmp_path))
    raw = bytearray(log.read_bytes())
    raw[BLOCK + 5000] ^= 0xFF
    log.write_bytes(raw)
    run = read(log)
    assert 1500 < len(run.curves["train_loss"]) < 2000
    assert message("records-damaged", file=log.name, places=1) in run.notes
    assert run.curves["train_loss"].steps[-1] == 2000


OPENING = b":W&B\xe1\xbe\x00"


@pytest.mark.parametrize("raw", [b"", b":W&B", OPENING, OPENING + b"\xff" * 100_000, b":W&B" + bytes(1 << 20)])
def test_a_log_without_history_is_one_line(tmp_path: Path, raw: bytes):
    (tmp_path / "run-x.wandb").write_bytes(raw)
    with pytest.raises(UnreadableLog) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
    assert len(list(Records(raw))) == 0


def test_a_copy_of_a_run_that_has_a_log_of_its_own_is_not_a_second_run(tmp_path: Path):
    folder = written(tmp_path / "out", steps=40)
    assert find_runs(tmp_path) == [log_in(folder).parent]
    (tmp_path / "out" / "log.csv").write_text("step,loss\n1,2\n2,1\n")
    assert find_runs(tmp_path) == [tmp_path / "out" / "log.csv"]
    assert find_runs(folder) == [log_in(folder).parent]
