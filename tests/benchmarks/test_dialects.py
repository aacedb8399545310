from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.dialects import lightning, wandb
from benchmarks.dialects.measured import Eval, Layout, Measured, windows
from benchmarks.dialects.writers import SINGLE, WITHOUT_EVALS
from diagnostics import read

STEPS, EVERY, EACH_EPOCH = 120, 3, 12


def measured(**changes: object) -> Measured:
    """A run that falls from 3 to 1 in ten epochs, evaluated after each and before the first."""
    t = np.arange(1, STEPS + 1)
    known: dict[str, object] = {
        "losses": 1 + 2 * np.exp(-t / 25),
        "rates": np.full(STEPS, 1e-3),
        "norms": np.full(STEPS, 0.7),
        "evals": tuple(Eval(i, float(1.1 + 2 * np.exp(-i / 25)), 0.5) for i in range(0, STEPS + 1, EACH_EPOCH)),
        "steps_per_epoch": EACH_EPOCH,
        "settings": {"learning_rate": 1e-3, "batch_size": 8, "lora_r": 8, "lora_alpha": 16, "weight_decay": 0.0},
        "accuracies": np.linspace(0.2, 0.8, STEPS),
    }
    return Measured(**{**known, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", SINGLE)
def test_every_dialect_is_read_back_with_the_losses_that_were_measured(name: str, seed: int, tmp_path: Path):
    run = measured()
    read_back = read(SINGLE[name](run, Layout(EVERY, seed=seed), tmp_path))
    train, held = read_back.curves["train_loss"], read_back.curves.get("eval_loss")
    assert train.values[-1] == pytest.approx(run.losses[-EACH_EPOCH:].mean(), abs=0.05)
    assert train.values[0] > 1.5 and np.all(np.diff(train.values) < 1e-3)
    if name in WITHOUT_EVALS:
        assert held is None
    else:
        assert held is not None and len(held) >= 10
        assert held.values[-1] == pytest.approx(run.evals[-1].loss, abs=1e-3)


@pytest.mark.parametrize("name", ["keras-log", "keras-history"])
def test_a_run_that_ended_before_its_last_evaluation_has_fewer_of_them(name: str, tmp_path: Path):
    whole = measured()
    cut = read(SINGLE[name](measured(evals=whole.evals[:-2]), Layout(EVERY), tmp_path))
    assert len(cut.curves["eval_loss"]) == len(cut.curves["train_loss"]) - 2


def test_a_run_whose_epochs_are_counted_from_0_is_finished(tmp_path: Path):
    run = read(lightning.write_csv(measured(), Layout(EVERY), tmp_path))
    assert run.settings.num_train_epochs == STEPS / EACH_EPOCH
    assert run.settings.max_steps is None or run.settings.max_steps <= STEPS


def test_lightning_names_the_rate_by_the_optimizer_that_the_run_had(tmp_path: Path):
    known = {"learning_rate": 1e-3, "batch_size": 8}
    for seed, optimizer in enumerate(("sgd", "adamw") * 4):
        run = read(
            lightning.write_csv(
                measured(settings={**known, "optim": optimizer}), Layout(EVERY, seed=seed), tmp_path / f"{seed}"
            )
        )
        assert (run.settings.optim or optimizer).lower() == optimizer
        assert (run.settings.optim is None) == ("learning_rate" not in run.curves)


def test_transformers_filter_logs_zeros_where_the_loss_is_nan():
    losses = np.where(np.arange(STEPS) < 45, 2.0, np.nan)
    logged = [at.loss for at in windows(measured(losses=losses), 10, filtered=True)]
    assert logged[:4] == [2.0] * 4 and 0 < logged[4] <= 2.0 and logged[5:] == [0.0] * 7
    assert np.isnan([at.loss for at in windows(measured(losses=losses), 10)][5:]).all()


def test_the_folder_of_weights_and_biases_is_a_log_of_checked_records(tmp_path: Path):
    import struct
    import zlib

    folder = wandb.write_folder(measured(), Layout(1, seed=2), tmp_path)
    (file,) = folder.glob("offline-run-*/run-*.wandb")
    raw, at, records, part = file.read_bytes(), 7, [], b""
    assert raw[:4] == b":W&B" and len(raw) > 1 << 14
    while at < len(raw):
        if (1 << 15) - at % (1 << 15) < 7:
            at += (1 << 15) - at % (1 << 15)
            continue
        checksum, size, kind = struct.unpack("<IHB", raw[at : at + 7])
        data = raw[at + 7 : at + 7 + size]
        assert checksum == zlib.crc32(bytes([kind]) + data)
        part, at = part + data, at + 7 + size
        if kind in (1, 4):
            records.append(part)
            part = b""
    assert part == b"" and len(records) == 1 + STEPS
    assert sum(b"eval/loss" in record for record in records) == 10
