"""Lines of up to a million characters, each made for one pattern of the readers of printed output to run away on."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest

from diagnostics import diagnose
from diagnostics.readers import UnreadableLog, read

COUNT = 60_000
SPOKEN = "step 1: loss 2.0\nstep 2: loss 1.9\n"
LINES = {
    "a dictionary that does not end": "{'" + "loss" * COUNT,
    "many dictionaries that do not end": "{'loss" * COUNT,
    "many dictionaries": "{'loss': 1} " * COUNT,
    "a tensor that does not end": "{'loss': tensor(" + "a" * COUNT + "}",
    "digits before a slash": "step 1: loss " + "9" * COUNT + "/",
    "digits before a letter": "step 1: loss " + "9" * COUNT + "x",
    "digits of an exponent": "step 1: loss 1e" + "9" * COUNT + "/",
    "losses without a space": "step 1: " + "loss.5." * COUNT,
    "a value that is none": "[step=1/9]:\n    train/loss: " + "9" * COUNT + "x",
    "headings that do not end": "[step=1/2," * COUNT,
    "bars that do not end": "1/2 [it/s, =" * COUNT,
    "steps without a value": "Step 1 | " * COUNT,
    "evaluations that do not end": "iteration validation loss at iteration 1 " * COUNT,
    "a panel of spaces": "mlx_lm.lora\n model   " + " " * COUNT + "x",
    "colors that do not end": "\x1b[1;" * COUNT,
}
SECONDS = 5.0
"""Of processor time; what runs away takes minutes."""


@pytest.mark.parametrize("name", LINES)
def test_a_line_takes_a_time_in_proportion_to_its_length(tmp_path: Path, name: str):
    path = tmp_path / "train.log"
    path.write_text(SPOKEN + LINES[name] + "\n")
    begun = time.process_time()
    with suppress(UnreadableLog):
        diagnose(read(path))
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(
    ("said", "value"),
    [("2.31.", 2.31), ("2.", 2.0), ("1.e-01", 0.1), (".5", 0.5), ("1E+00", 1.0), ("3", 3.0)],
)
def test_numbers_are_read_whole_however_they_are_written(tmp_path: Path, said: str, value: float):
    (tmp_path / "train.log").write_text(f"step 1: loss {said}\nstep 2: loss {said}, that is 7.25s\n")
    assert read(tmp_path / "train.log").curves["train_loss"].values.tolist() == [value, value]


def test_a_number_with_letters_at_its_end_is_no_loss(tmp_path: Path):
    (tmp_path / "train.log").write_text("step 1: loss 2.5\nstep 2: loss 1.75GiB\nstep 3: loss 1.5\n")
    assert read(tmp_path / "train.log").curves["train_loss"].values.tolist() == [2.5, 1.5]


def test_words_before_the_first_of_several_dictionaries_count_for_all_of_them(tmp_path: Path):
    lines = [f"epoch 0 step {k}: {{'loss': {3 - k / 9}}} and {{'eval_loss': {4 - k / 9}}}\n" for k in range(1, 5)]
    (tmp_path / "train.log").write_text("".join(lines))
    run = read(tmp_path / "train.log")
    assert run.curves["train_loss"].steps.tolist() == run.curves["eval_loss"].steps.tolist() == [1, 2, 3, 4]
