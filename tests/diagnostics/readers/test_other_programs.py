"""Dialects of single programs: mlx-lm's table, Keras's files, verl's lines, tables from spreadsheets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.readers import find_runs, read

LOGS = Path(__file__).parents[2] / "data" / "logs"
LOSSES = [2.5, 2.1, 1.9, 1.8]


def one_run(folder: Path, name: str, said: str | bytes) -> Run:
    """The run in a folder that holds one file, found as a user would find it."""
    (folder / name).write_bytes(said if isinstance(said, bytes) else said.encode())
    (found,) = find_runs(folder)
    return read(found)


@pytest.mark.parametrize("colored", [True, False])
def test_mlx_lms_table_and_the_panel_above_it(tmp_path: Path, colored: bool):
    said = (LOGS / "mlx_table.log").read_text()
    assert "\x1b[" in said
    run = one_run(tmp_path, "train.log", said if colored else re.sub(r"\x1b\[[\d;]*m", "", said))
    assert run.curves["train_loss"].steps.tolist() == list(range(10, 121, 10))
    assert run.curves["eval_loss"].steps.tolist() == [1, 50, 100]
    assert run.curves["num_tokens"].values[0] == 20500
    known = run.settings.known()
    wanted = {"method": "sft", "use_peft": True, "lora_r": 8, "learning_rate": 1e-5, "batch_size": 4, "max_steps": 120}
    assert {name: known.get(name) for name in wanted} == wanted


def test_spacys_table_gives_the_loss_of_a_step_over_all_parts_of_the_pipeline(tmp_path: Path):
    run = one_run(tmp_path, "train.log", (LOGS / "spacy.log").read_text())
    loss = run.curves["train_loss"]
    assert loss.steps.tolist() == [200 * i for i in range(16)]
    assert loss.values[0] == pytest.approx(47.03)
    assert loss.values[1] == pytest.approx((81.24 + 1629.72) / 200)
    assert run.curves["eval_score"].values[-1] == pytest.approx(0.83)


@pytest.mark.parametrize("padded", [True, False])
def test_the_parts_of_ultralytics_losses_are_one_loss(tmp_path: Path, padded: bool):
    said = (LOGS / "ultralytics.csv").read_text()
    run = one_run(tmp_path, "results.csv", said.replace(",", ",       ") if padded else said)
    header, first = (line.split(",") for line in said.splitlines()[:2])
    row = dict(zip(header, map(float, first), strict=True))
    for side, name in (("train", "train_loss"), ("val", "eval_loss")):
        whole = sum(row[f"{side}/{part}_loss"] for part in ("box", "cls", "dfl"))
        assert run.curves[name].values[0] == pytest.approx(whole)
        assert run.curves[name].steps.tolist() == list(range(1, 13))
    assert run.curves["learning_rate"].values[0] == row["lr/pg1"] < row["lr/pg0"]


def keras_csv(sign: str = ",") -> str:
    rows = [f"{epoch},{0.5 + epoch / 10},{loss},{0.4},{loss + 0.1}" for epoch, loss in enumerate(LOSSES)]
    return "\n".join(["epoch,accuracy,loss,val_accuracy,val_loss", *rows]).replace(",", sign) + "\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("training.log", keras_csv()),
        ("training.log", keras_csv(";")),
        ("history.json", json.dumps({"accuracy": [0.5] * 4, "loss": LOSSES, "val_loss": [x + 0.1 for x in LOSSES]})),
        ("history.json", json.dumps({"history": {"loss": LOSSES, "val_loss": [x + 0.1 for x in LOSSES]}})),
        (  # pandas' to_json
            "history.json",
            json.dumps(
                {key: dict(enumerate(x + more for x in LOSSES)) for key, more in (("loss", 0), ("val_loss", 0.1))}
            ),
        ),
        (
            "history.json",
            json.dumps({"history": {"loss": LOSSES, "val_loss": [x + 0.1 for x in LOSSES]}, "epoch": [0, 1, 2, 3]}),
        ),
        (
            "log.json",
            json.dumps({"train": {"loss": LOSSES}, "val": {"loss": [x + 0.1 for x in LOSSES]}}),
        ),
    ],
)
def test_kerass_files_are_runs_of_a_folder(tmp_path: Path, name: str, said: str):
    run = one_run(tmp_path, name, said)
    assert run.curves["train_loss"].values.tolist() == LOSSES
    assert run.curves["eval_loss"].values.tolist() == pytest.approx([2.6, 2.2, 2.0, 1.9])
    assert run.name == tmp_path.name


@pytest.mark.parametrize("name", ["run.jsonl", "run.log", "run.json"])
def test_verls_lines_are_read_without_the_key_around_them(tmp_path: Path, name: str):
    rows = [{"step": 5 * n, "data": {"train/loss": x, "train/lr(1e-3)": 0.02}} for n, x in enumerate(LOSSES, 1)]
    rows.insert(2, {"step": 10, "data": {"val/loss": 2.2}})
    run = one_run(tmp_path, name, "\n".join(map(json.dumps, rows)) + "\n")
    assert run.curves["train_loss"].steps.tolist() == [5, 10, 15, 20]
    assert run.curves["eval_loss"].values.tolist() == [2.2]
    assert run.curves["learning_rate"].values.tolist() == pytest.approx([2e-5] * 4)


def test_open_instructs_lines_have_their_rate_and_no_auxiliary_loss(tmp_path: Path):
    head = "2026-08-22 10:00:01 - INFO - finetune.py:812 -   "
    lines = [f"{head}Step: {n}, LR: 1e-06, Loss: {x}, Aux Loss: 0.01, TPS: 99.1" for n, x in enumerate(LOSSES, 1)]
    run = one_run(tmp_path, "out.log", "\n".join(lines))
    assert run.curves["train_loss"].values.tolist() == LOSSES
    assert run.settings.learning_rate == 1e-6


@pytest.mark.parametrize(
    "said",
    [
        "step;train_loss;lr\n1;2,5;0,001\n2;2,25;0,0005\n",
        "sep=;\nstep;train_loss;lr\n1;2,5;0,001\n2;2,25;0,0005\n",
        "étape,step,train_loss,lr\né,1,2.5,0.001\né,2,2.25,0.0005\n".encode("latin-1"),
        "# step train_loss lr\n1 2.5 0.001\n2 2.25 0.0005\n",
        "# run of Monday\n# more\nstep,train_loss,lr\n1,2.5,0.001\n2,2.25,0.0005\n",
        "step   train_loss  lr\n   1   2.5  0.001\n   2   2.25  0.0005\n",
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_tables_of_spreadsheets_and_scripts(tmp_path: Path, said: str | bytes, name: str):
    run = one_run(tmp_path, name, said)
    assert run.curves["train_loss"].values.tolist() == [2.5, 2.25]
    assert run.curves["learning_rate"].values.tolist() == [0.001, 0.0005]


def test_a_lone_column_that_ends_in_loss_is_the_loss(tmp_path: Path):
    run = one_run(tmp_path, "a.csv", "step,my/loss,my/val_loss\n1,2.5,2.6\n2,2.25,2.4\n")
    assert run.curves["train_loss"].values.tolist() == [2.5, 2.25]
    assert run.curves["eval_loss"].values.tolist() == [2.6, 2.4]
    assert message("lone-loss", curve="train_loss", tag="my/loss") in run.notes


def test_the_logarithm_of_a_perplexity_is_the_loss(tmp_path: Path):
    run = one_run(tmp_path, "a.csv", "epoch,train_ppl,val_ppl\n1,20,30\n2,10,25\n3,8,inf\n")
    assert run.curves["train_loss"].values == pytest.approx(np.log([20, 10, 8]))
    assert run.curves["eval_loss"].values == pytest.approx(np.log([30, 25]))
    assert run.curves["eval_loss"].broken == (3.0,)
    assert message("loss-from-perplexity", curve="train_loss", tag="train_ppl") in run.notes


def test_what_lies_below_1_is_no_perplexity(tmp_path: Path):
    (tmp_path / "a.csv").write_text("step,ppl\n1,2.5\n2,0.5\n")
    run = read(tmp_path / "a.csv")
    assert run.curves["ppl"].values.tolist() == [2.5, 0.5]
    assert "train_loss" not in run.curves


def test_a_curve_downloaded_from_tensorboard_is_named_after_its_file(tmp_path: Path):
    rows = "".join(f"1700000000.{n},{10 * n},{x}\n" for n, x in enumerate(LOSSES, 1))
    run = one_run(tmp_path, "run-a-tag-train_loss.csv", f"Wall time,Step,Value\n{rows}")
    assert run.curves["train_loss"].steps.tolist() == [10, 20, 30, 40]
    assert run.curves["train_loss"].values.tolist() == LOSSES


def test_of_two_losses_without_a_plain_name_none_is_taken(tmp_path: Path):
    (tmp_path / "a.csv").write_text("step,generator_loss,critic_loss\n1,2.5,2.6\n2,2.25,2.4\n")
    assert {"train_loss", "eval_loss"}.isdisjoint(read(tmp_path / "a.csv").curves)


def test_text_in_utf_8_keeps_its_letters_although_one_byte_is_damaged(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes("step,train_loss,größe_loss,x\xff\n1,2,3,4\n".encode() + b"2,\xff,3,4\n")
    assert "größe_loss" in read(tmp_path / "a.csv").curves
