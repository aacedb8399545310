"""Lines that trainers print in a spelling of their own, each read with its step, loss, rate and evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from diagnostics.model.curves import Run
from diagnostics.readers import find_runs, read

STEPS = (10, 20, 30, 40)
LOSSES = (7.5, 4.25, 3.5, 3.125)
HELD_OUT = {20: 4.5, 40: 3.25}


class Trainer(NamedTuple):
    """What a trainer prints after a step (``s`` of 40, epoch ``e``, loss ``x``), and after an evaluation."""

    name: str
    step: str
    held_out: str = ""
    curves: frozenset[str] = frozenset()


TRAINERS = [
    Trainer(
        "Megatron-LM",
        " [2026-01-02 03:04:05] iteration {s:8d}/      40 | consumed samples: 256 | elapsed time per iteration (ms): 81"
        " | learning rate: 1.500000E-04 | global batch size:  256 | lm loss: {x:.6E} | loss scale: 1.0 | grad norm: 1.2"
        " | number of skipped iterations:   0 | number of nan iterations:   0 |",
        " validation loss at iteration {s} | lm loss value: {x:.6E} | lm loss PPL: 9.001713E+01 | ",
        frozenset({"learning_rate", "grad_norm"}),
    ),
    Trainer(
        "GPT-NeoX",
        " samples/sec: 36.7 | iteration {s:8d}/      40 | elapsed time per iteration (ms): 871 | learning rate: 6E-05"
        " | approx flops per GPU: 38.8TFLOPS | lm_loss: {x:.6E} | loss scale: 4096.0 | number of nan iterations:   0 |",
        " validation results at iteration {s} | lm_loss value: {x:.6E} | lm_loss_ppl value: 9.001713E+01 | ",
        frozenset({"learning_rate"}),
    ),
    Trainer(
        "nanotron",
        "01/02/2026 03:04:05 [INFO|DP=0|PP=0|TP=0]: iteration: {s} / 40 | consumed_tokens: 12M | tokens_per_sec: 12.3K"
        " | lm_loss: {x} | lr: 0.0003 | model_tflops_per_gpu: 12.3 | grad_norm: 1.2",
        "",
        frozenset({"learning_rate", "grad_norm"}),
    ),
    Trainer(
        "fairseq",
        "2026-01-02 03:04:05 | INFO | train_inner | epoch 001:     {s} / 40 loss={x}, nll_loss=3.1, ppl=9.5, wps=12.5,"
        " num_updates={s}, lr=1e-05, gnorm=2.5, clip=0, wall=12",
        "2026-01-02 03:04:05 | INFO | valid | epoch 001 | valid on 'valid' subset | loss {x} | nll_loss 3.2 | ppl 9.3"
        " | num_updates {s} | best_loss 3.1",
        frozenset({"learning_rate", "grad_norm"}),
    ),
    Trainer(
        "fairseq, as JSON",
        '2026-01-02 03:04:05 | INFO | train_inner | {{"epoch": 1, "update": 0.1, "loss": "{x}", "num_updates": "{s}",'
        ' "lr": "1e-05", "gnorm": "2.5"}}',
        '2026-01-02 03:04:05 | INFO | valid | {{"epoch": 1, "valid_loss": "{x}", "valid_num_updates": "{s}"}}',
        frozenset({"learning_rate", "grad_norm"}),
    ),
    Trainer(
        "LitGPT",
        "Epoch 1 | iter {s} step 5 | loss train: {x:.3f}, val: n/a | iter time: 123.45 ms (step)",
        "iter {s}: val loss {x:.4f}, val time: 345.67 ms",
    ),
    Trainer(
        "Composer",
        "[batch={s}/40]:\n\t Train time/epoch: 0\n\t Train loss/train/total: {x:.4f}\n\t Train lr-AdamW/group0: 0.0001",
        "[Eval batch=1/1] Eval on eval data:\n\t Eval metrics/eval/LanguageCrossEntropy: {x:.4f}",
        frozenset({"learning_rate"}),
    ),
    Trainer(
        "OLMo-core",
        "2026-01-02 03:04:05.000\thost:0\tolmo_core.train:1:INFO\t[step={s}/40,epoch=1]\n  optim/total_grad_norm=1.5\n"
        "    train/CrossEntropyLoss={x}\n    throughput/total_tokens=4,194,304",
        "",
        frozenset({"grad_norm"}),
    ),
    Trainer(
        "a progress bar",
        "Epoch 0:  50%|█████     | {s}/40 [00:12<01:12,  1.20s/it, v_num=0, train_loss={x}, lr=0.001]",
        "",
        frozenset({"learning_rate"}),
    ),
    Trainer(
        "llm.c", "step {s:4d}/40 | loss {x:.6f} (+0.12z)| norm 1.25 (-0.2z)| lr 1.00e-04 | 12.5 ms", "val loss {x:.6f}"
    ),
    Trainer("a dictionary behind a count", "INFO:root:epoch 0 step {s}: {{'train_loss': {x}, 'lr': 0.001}}"),
]


def printed(trainer: Trainer) -> str:
    lines = []
    for step, loss in zip(STEPS, LOSSES, strict=True):
        lines.append(trainer.step.format(s=step, x=loss))
        lines += [trainer.held_out.format(s=step, x=HELD_OUT[step])] if trainer.held_out and step in HELD_OUT else []
    return "loading the tokenizer\n" + "\n".join(lines) + "\ndone\n"


@pytest.mark.parametrize("trainer", TRAINERS, ids=lambda trainer: trainer.name)
def test_a_trainers_own_lines_are_read(tmp_path: Path, trainer: Trainer):
    (tmp_path / "train.log").write_text(printed(trainer))
    (found,) = find_runs(tmp_path)
    curves = read(found).curves
    assert curves["train_loss"].steps.tolist() == list(STEPS)
    assert curves["train_loss"].values.tolist() == list(LOSSES)
    assert curves.keys() >= trainer.curves
    if trainer.held_out:
        assert dict(zip(curves["eval_loss"].steps, curves["eval_loss"].values, strict=True)) == HELD_OUT
    else:
        assert "eval_loss" not in curves


def test_a_bar_that_starts_again_in_each_epoch_goes_on(tmp_path: Path):
    drawn = [
        f"\rEpoch {epoch}: |##| {step}/40 [00:12<01:12, 1.20it/s, loss={9 - epoch - step / 40}]"
        for epoch in range(3)
        for step in (20, 20, 40)
    ]
    (tmp_path / "train.log").write_text("".join(drawn))
    assert read(tmp_path / "train.log").curves["train_loss"].steps.tolist() == [20, 40, 60, 80, 100, 120]


def test_the_means_of_an_epoch_do_not_replace_the_losses_within_it(tmp_path: Path):
    fairseq = next(trainer for trainer in TRAINERS if trainer.name == "fairseq")
    means = (
        "2026-01-02 03:04:05 | INFO | train | epoch 001 | loss 5.5 | ppl 12.3 | num_updates 40 | lr 1e-05 | gnorm 1.3\n"
    )
    (tmp_path / "both.log").write_text(printed(fairseq) + means)
    assert read(tmp_path / "both.log").curves["train_loss"].values.tolist() == list(LOSSES)
    (tmp_path / "epochs.log").write_text("".join(means.replace("40", str(40 * epoch)) for epoch in (1, 2, 3)))
    assert read(tmp_path / "epochs.log").curves["train_loss"].steps.tolist() == [40, 80, 120]


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"history": rows}], ids=["list", "history"])
def test_nested_rows_in_a_json_array(tmp_path: Path, wrap):
    rows = [
        {"step": step, "metrics": {"train": {"loss": loss, "lr": 1e-3}, "eval": {"loss": HELD_OUT.get(step)}}}
        for step, loss in zip(STEPS, LOSSES, strict=True)
    ]
    (tmp_path / "log.json").write_text(json.dumps(wrap(rows)))
    (found,) = find_runs(tmp_path)
    curves = read(found).curves
    assert curves["train_loss"].values.tolist() == list(LOSSES)
    assert curves["eval_loss"].steps.tolist() == list(HELD_OUT)
    assert "learning_rate" in curves


PLAN = """\
[INFO|trainer.py:2242] 2026-11-02 10:00:01 >> ***** Running training *****
[INFO|trainer.py:2243] 2026-11-02 10:00:01 >>   Num examples = 160
[INFO|trainer.py:2244] 2026-11-02 10:00:01 >>   Num Epochs = 4
[INFO|trainer.py:2245] 2026-11-02 10:00:01 >>   Instantaneous batch size per device = 8
[INFO|trainer.py:2248] 2026-11-02 10:00:01 >>   Total train batch size (w. parallel, distributed & accumulation) = 16
[INFO|trainer.py:2249] 2026-11-02 10:00:01 >>   Gradient Accumulation steps = 2
[INFO|trainer.py:2250] 2026-11-02 10:00:01 >>   Total optimization steps = 40
[INFO|trainer.py:2251] 2026-11-02 10:00:01 >>   Number of trainable parameters = 20,971,520
"""


def printed_by_trainer(tmp_path: Path, epochs: tuple[str, ...], plan: str = PLAN) -> Run:
    rows = [f"{{'loss': {x}, 'learning_rate': 0.0002, 'epoch': {e}}}" for x, e in zip(LOSSES, epochs, strict=True)]
    rows.insert(2, f"{{'eval_loss': {HELD_OUT[20]}, 'epoch': {epochs[1]}}}")
    (tmp_path / "train.log").write_text(plan + "\n".join(rows) + "\n")
    return read(tmp_path / "train.log")


def test_the_plan_that_transformers_prints_names_settings_and_counts_the_steps(tmp_path: Path):
    run = printed_by_trainer(tmp_path, ("1.0", "2.0", "3.0", "4.0"))
    assert tuple(run.curves["train_loss"].steps) == STEPS
    assert tuple(run.curves["eval_loss"].steps) == (20,)
    found = run.settings
    assert (found.max_steps, found.num_train_epochs, found.batch_size) == (40, 4.0, 16)
    assert (found.gradient_accumulation_steps, found.trainable_parameters) == (2, 20_971_520)
    assert found.written_by == "transformers"


@pytest.mark.parametrize(
    "plan",
    [
        PLAN.replace("examples = 160", "examples = 3,200").replace("Epochs = 4", "Epochs = 1"),
        PLAN.replace("examples = 160", "examples = 9,999").replace(
            "Num Epochs = 4", "Num Epochs = 1\n  Num update steps per epoch = 200"
        ),
    ],
)
def test_a_plan_of_steps_that_end_within_an_epoch_rounds_the_epochs_up(tmp_path: Path, plan: str):
    run = printed_by_trainer(tmp_path, ("0.05", "0.1", "0.15", "0.2"), plan)
    assert tuple(run.curves["train_loss"].steps) == STEPS
    assert (run.settings.max_steps, run.settings.num_train_epochs) == (40, pytest.approx(0.2))


@pytest.mark.parametrize("epochs", [("0.01", "0.01", "0.02", "0.02"), ("nan", "inf", "-1", "1e300")])
def test_epochs_that_tell_no_steps_leave_rows_counted_and_the_planned_steps_out(tmp_path: Path, epochs):
    run = printed_by_trainer(tmp_path, epochs)
    assert run.curves["train_loss"].values == pytest.approx(LOSSES)
    assert run.settings.max_steps is None
    assert run.settings.batch_size == 16
