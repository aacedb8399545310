"""Our reading of event files against TensorBoard's own; skipped where tensorboard or torch is not installed."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diagnostics.readers import read
from diagnostics.readers.tensorboard.scalars import scalars

pytest.importorskip("tensorboard")
SAMPLE = next((Path(__file__).parents[2] / "data" / "logs" / "trl-sft").glob("events*"))


def theirs(path: Path) -> dict[str, list[tuple[int, float, float]]]:
    """Steps, values and times of every scalar, as TensorBoard reads them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        log = EventAccumulator(str(path), size_guidance={"scalars": 0})
        log.Reload()
    return {tag: [(e.step, e.value, e.wall_time) for e in log.Scalars(tag)] for tag in log.Tags()["scalars"]}


def ours(path: Path) -> dict[str, list[tuple[int, float, float]]]:
    """The same by our own reader."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for tag, blocks in scalars(path.read_bytes()).blocks.items():
        rows = sorted(row for b in blocks for row in zip(b.places, b.steps, b.values, b.times, strict=True))
        found[tag] = [(int(step), float(value), float(time)) for _, step, value, time in rows]
    return found


@pytest.fixture
def writer() -> Any:
    pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torch.utils.tensorboard").SummaryWriter


def test_a_real_run_reads_as_tensorboard_reads_it():
    assert ours(SAMPLE) == theirs(SAMPLE)


def test_everything_a_summary_writer_writes_reads_as_tensorboard_reads_it(writer: Any, tmp_path: Path):
    rng = np.random.default_rng(5)
    log = writer(str(tmp_path))
    log.add_text("args", '{"learning_rate": 0.001}')
    for step in range(300):
        for tag in ("train/loss", "train/lr", "ein/längerer name", "x"):
            log.add_scalar(tag, float(rng.normal()), step * 97)
        if step % 50 == 0:
            log.add_histogram("weights", rng.normal(size=40), step)
            log.add_scalar("eval/loss", float(rng.normal()), step * 97)
            log.add_text("said", f"step {step}", step)
    log.close()
    (path,) = tmp_path.glob("events*")
    assert ours(path) == theirs(path)
    assert read(path).settings.learning_rate == 0.001


def test_new_style_and_double_scalars_and_hparams_are_read(writer: Any, tmp_path: Path):
    log = writer(str(tmp_path))
    for step in range(10):
        log.add_scalar("train/loss", 1 / 3, step, new_style=True)
        log.add_scalar("train/grad_norm", 1 / 3, step, new_style=True, double_precision=True)
    log.add_hparams({"lr": 3e-4, "batch_size": 16, "optimizer": "adamw", "bf16": True}, {"final": 1.0})
    log.close()
    run = read(tmp_path)
    assert run.curves["train_loss"].values.tolist() == [float(np.float32(1 / 3))] * 10
    assert run.curves["grad_norm"].values.tolist() == [1 / 3] * 10
    assert run.settings.known() == {"learning_rate": 3e-4, "batch_size": 16, "optim": "adamw", "bf16": True}


def test_add_scalars_is_read_as_one_run(writer: Any, tmp_path: Path):
    log = writer(str(tmp_path))
    for step in range(5):
        log.add_scalars("Loss", {"train": 2.0, "val": 3.0}, step)
    log.close()
    run = read(tmp_path)
    assert run.curves["train_loss"].values.tolist() == [2.0] * 5
    assert run.curves["eval_loss"].values.tolist() == [3.0] * 5
