from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.readers import read


def run_of(tmp_path: Path, said: str, name: str) -> Run:
    (tmp_path / name).write_text(said)
    return read(tmp_path / name)


def test_llamafactory_logs_its_steps_rates_and_length(tmp_path: Path):
    rows = [
        {"current_steps": s, "total_steps": 90, "loss": 3 - s / 50, "lr": 1e-4, "percentage": 1} for s in (10, 20, 30)
    ]
    rows += [{"current_steps": 30, "total_steps": 90, "eval_loss": 2.5, "percentage": 33.3}]
    run = run_of(tmp_path, "\n".join(map(json.dumps, rows)), "trainer_log.jsonl")
    assert run.curves.keys() == {"train_loss", "learning_rate", "eval_loss"}
    assert run.curves["train_loss"].steps.tolist() == [10, 20, 30]
    assert run.settings.max_steps == 90
    assert run.name == tmp_path.name


@pytest.mark.parametrize("step", ["step", "global_step", "iteration", "_step"])
def test_objects_with_any_step_key_are_read(tmp_path: Path, step: str):
    said = f'{{"{step}": 5, "train": {{"loss": 2.0}}}}\n\nnot json\n{{"{step}": 6, "train": {{"loss": NaN}}}}\n'
    run = run_of(tmp_path, said, "a.jsonl")
    assert run.curves["train_loss"].steps.tolist() == [5]
    assert run.curves["train_loss"].broken == (6,)
    assert run.notes == (message("lines-skipped", lines=1),)


def test_transformers_rows_without_steps_are_counted_and_evaluations_stay_beside_them(tmp_path: Path):
    said = (
        "{'loss': 2.5, 'grad_norm': 1.5, 'learning_rate': 0.0001, 'epoch': 0.1}\n"
        "some words {'not': 'a log'}\n"
        "{'loss': '2.0', 'grad_norm': 'nan', 'learning_rate': '9e-05', 'epoch': '0.2'}\n"
        "{'eval_loss': '2.2', 'eval_runtime': '1.5', 'epoch': '0.2'}\n"
        "{'train_runtime': 9.5, 'train_loss': 2.25, 'epoch': 0.2}\n"
    )
    run = run_of(tmp_path, said, "nohup.out")
    assert run.curves["train_loss"].values.tolist() == [2.5, 2.0]
    assert run.curves["eval_loss"].steps.tolist() == [2]
    assert run.curves["grad_norm"].broken == (2,)
    assert run.curves["epoch"].values.tolist() == [0.1, 0.2]
    assert message("steps-are-row-numbers") in run.notes


def test_steps_come_from_the_progress_bar_that_moves_with_the_loss(tmp_path: Path):
    lines = []
    for step in (10, 20, 30):
        lines.append(f" {step}%|##  | {step}/400 [00:10<01:00]\r{{'loss': {3 - step / 100}, 'epoch': 0.1}}\n")
        lines.append(f"100%|####| 7/7 [00:01]\r{{'eval_loss': {4 - step / 100}, 'epoch': 0.1}}\n")
    run = run_of(tmp_path, "".join(lines), "train.log")
    assert run.curves["train_loss"].steps.tolist() == [10, 20, 30]
    assert run.curves["eval_loss"].steps.tolist() == [10, 20, 30]
    assert run.settings.max_steps == 400


def test_a_progress_bar_that_ran_ahead_of_buffered_lines_is_not_believed(tmp_path: Path):
    said = "100%|####| 400/400 [00:10]\n" + "{'loss': 2.0}\n{'loss': 1.5}\n"
    assert run_of(tmp_path, said, "train.log").curves["train_loss"].steps.tolist() == [1, 2]


def test_torchtune_and_mlx_lines_are_read(tmp_path: Path):
    tune = "Step 1 | loss:2.5 lr:0.0003 tokens_per_second_per_gpu:10.5\nStep 2 | loss:2.25 lr:0.0003\n"
    assert run_of(tmp_path, tune, "log_1.txt").curves["train_loss"].values.tolist() == [2.5, 2.25]
    mlx = "Iter 1: Val loss 3.1, Val took 2.0s\nIter 10: Train loss 2.5, Learning Rate 1.000e-05, It/sec 1.2\n"
    run = run_of(tmp_path, mlx, "mlx.txt")
    assert run.curves["eval_loss"].values.tolist() == [3.1]
    assert run.curves["train_loss"].steps.tolist() == [10]
    assert run.settings.learning_rate == 1e-5


def test_printed_output_is_known_by_its_content_whatever_its_name(tmp_path: Path):
    run = run_of(tmp_path, "{'loss': 2.0, 'epoch': 0.1}\n{'loss': 1.0, 'epoch': 0.2}\n", "slurm-123")
    assert len(run.curves["train_loss"]) == 2
