"""Runs as the trainers themselves write them: every dialect gives one run with its losses where its user points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.dialects import (
    automodel,
    consoles,
    hf,
    keras,
    lightning,
    llamafactory,
    mlx,
    scripts,
    swift,
    torchtune,
    wandb,
)
from benchmarks.dialects.measured import Eval, Layout, Measured, Write
from diagnostics.readers import find_runs, read

STEPS, PER_EPOCH = 200, 50
WITHOUT_EVALS: tuple[Write, ...] = (torchtune.write, consoles.write_open_instruct)
BY_EPOCH: tuple[Write, ...] = (keras.write_log, keras.write_history, scripts.by_epoch, scripts.tutorial)
BY_STEP: tuple[Write, ...] = (
    *(automodel.write, consoles.write_verl, hf.write_state, llamafactory.write, mlx.write, scripts.nano),
    *(scripts.stepwise, scripts.semicolons, swift.write, wandb.write_export, wandb.write_folder),
    *(lightning.write_csv, lightning.write_tensorboard, *WITHOUT_EVALS),
)


def measured(seed: int = 0) -> Measured:
    rng = np.random.default_rng(seed)
    steps = np.arange(1, STEPS + 1)
    losses = 1.2 + 1.1 * np.exp(-steps / 40) + rng.normal(0, 0.03, STEPS)
    rates = 2e-4 * np.minimum(1.0, steps / 20) * (1 - steps / (STEPS + 1))
    evals = tuple(Eval(step, 1.3 + float(np.exp(-step / 40))) for step in range(0, STEPS + 1, 25))
    known = {"learning_rate": 2e-4, "batch_size": 16, "num_train_epochs": 4, "lora_r": 8, "lora_alpha": 16}
    return Measured(losses, rates, np.full(STEPS, 0.8), evals, PER_EPOCH, known)


def named(write: Callable[..., Path]) -> str:
    return f"{write.__module__.rpartition('.')[2]}.{write.__name__}"


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("write", [*BY_STEP, *BY_EPOCH], ids=named)
def test_a_trainers_log_is_one_run_with_its_losses(write: Write, seed: int, tmp_path: Path):
    log = measured(seed)
    (tmp_path / "out").mkdir()
    write(log, Layout(5, seed=seed), tmp_path / "out")
    (found,) = find_runs(tmp_path / "out")
    run = read(found)
    points = len(run.curves["train_loss"])
    assert points >= (4 if write in BY_EPOCH else 35)
    first = log.losses[: PER_EPOCH if write in BY_EPOCH else 5].mean()
    assert run.curves["train_loss"].values[0] == pytest.approx(first, abs=0.15)
    if write in WITHOUT_EVALS:
        assert "eval_loss" not in run.curves
    else:
        assert len(run.curves["eval_loss"]) in ((4,) if write in BY_EPOCH else (4, 8, 9))
        assert run.curves["eval_loss"].values[-1] == pytest.approx(log.evals[-1].loss, abs=1e-3)
        assert run.curves["eval_loss"].steps[-1] == pytest.approx(run.curves["train_loss"].steps[-1], abs=5)
