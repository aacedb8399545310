"""Lines that one trainer alone prints: torchtune, mlx-lm, Megatron-LM, GPT-NeoX, nanotron, fairseq, LitGPT.

A trainer is a row of ``TRAINERS``: the words that its lines hold, and the function that reads one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from diagnostics.readers.printed import mlx
from diagnostics.readers.printed.dictionaries import pairs
from diagnostics.readers.printed.lines import NUMBER, Printed
from diagnostics.readers.tabular.rows import Row, number

TORCHTUNE = re.compile(r"(?:^|\s)Step (\d+) \| (.*)$")

MEGATRON = re.compile(r"(?:^|[\s|])iteration:?\s{0,12}(\d{1,15})\s{0,12}/\s{0,12}(\d{1,15})\s{0,4}\|(.*)$")
MEGATRON_HELD_OUT = re.compile(r"(?:^|\s)validation (?:loss|results) at iteration\s{0,12}(\d{1,15})\b[^|]{0,80}\|(.*)$")
MEGATRON_NAMES = {
    "lm loss": "loss",
    "lm_loss": "loss",
    "learning rate": "learning_rate",
    "lr": "learning_rate",
    "grad norm": "grad_norm",
    "grad_norm": "grad_norm",
}

FAIRSEQ = re.compile(r"\| (train_inner|train|valid)[\w-]* \|(.*)$")
FAIRSEQ_PAIR = re.compile(rf"\b([a-z_]+)[ =]({NUMBER})(?=[,\s|]|$)", re.IGNORECASE)
FAIRSEQ_NAMES = {"loss": "loss", "lr": "lr", "gnorm": "grad_norm"}
FAIRSEQ_PREFIX = {"train_inner": "", "train": "train_epoch_", "valid": "valid_"}
"""The means of an epoch stand beside the losses within it, whose plainer name is preferred."""

LITGPT = re.compile(rf"\biter (\d{{1,15}}) step \d+ \| loss train: ({NUMBER})", re.IGNORECASE)
LITGPT_HELD_OUT = re.compile(rf"(?:^|\s)iter (\d{{1,15}}): val loss ({NUMBER}), val time", re.IGNORECASE)


class Trainer(NamedTuple):
    """A trainer's lines: a word that each of them holds, and the row in a line, None when it has none."""

    word: str
    row: Callable[[str], Row | None]


def torchtune(line: str) -> Row | None:
    """``1|10|Loss: ...`` is a bar; its log is ``Step 10 | loss:2.31 lr:0.0003``."""
    found = TORCHTUNE.search(line)
    if not found or ":" not in found.group(2):
        return None
    said = [part.split(":", 1) for part in found.group(2).split() if ":" in part]
    return {"step": found.group(1), **{key: value for key, value in said if number(value) is not None}}


def megatron(line: str) -> Row | None:
    """``iteration 100/ 5000 | lm loss: 6.5E+00 |``, ``validation loss at iteration 1000 | lm loss value: 3.4 |``.

    GPT-NeoX and nanotron spell the same.
    """
    if found := MEGATRON.search(line):
        step, total, rest = found.groups()
        values = {MEGATRON_NAMES[name]: value for name, value in _fields(rest) if name in MEGATRON_NAMES}
        return {"step": step, "total_steps": total, **values} if "loss" in values else None
    if found := MEGATRON_HELD_OUT.search(line):
        losses = (value for name, value in _fields(found.group(2)) if name in ("lm loss value", "lm_loss value"))
        return next(({"step": found.group(1), "eval_loss": loss} for loss in losses), None)
    return None


def _fields(said: str) -> Iterator[tuple[str, str]]:
    """The names and values between bars: ``lm loss: 6.5 | grad norm: 1.2 |``."""
    for part in said.split("|"):
        name, colon, value = part.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def fairseq(line: str) -> Row | None:
    """``| valid | epoch 001 | loss 4.5 | num_updates 100``, with ``=`` in training, or the same values as JSON."""
    found = FAIRSEQ.search(line)
    if not found:
        return None
    part, said = found.groups()
    values = pairs(said) if "{" in said else dict(FAIRSEQ_PAIR.findall(said))
    values = {str(name).removeprefix("valid_").removeprefix("train_"): value for name, value in values.items()}
    if not {"num_updates", "loss"} <= values.keys():
        return None
    named = {FAIRSEQ_PREFIX[part] + FAIRSEQ_NAMES[key]: values[key] for key in FAIRSEQ_NAMES if key in values}
    return {"step": values["num_updates"], **named}


def litgpt(line: str) -> Row | None:
    """``Epoch 1 | iter 16 step 1 | loss train: 1.234, val: n/a``, and ``iter 100: val loss 1.2345, val time: ...``."""
    if found := LITGPT.search(line):
        return {"step": found.group(1), "loss": found.group(2)}
    found = LITGPT_HELD_OUT.search(line)
    return {"step": found.group(1), "eval_loss": found.group(2)} if found else None


TRAINERS = (
    Trainer("Step ", torchtune),
    Trainer("Iter ", mlx.line),
    Trainer("num_updates", fairseq),
    Trainer("iteration", megatron),
    Trainer("iter ", litgpt),
    Trainer("", mlx.row),
)
"""Every trainer that prints lines of its own, in order of precedence."""


def row_in(line: str) -> Row | None:
    """The values in a line that a trainer prints, None when it is none of theirs."""
    return next((row for word, read in TRAINERS if word in line and (row := read(line))), None)


def rows(lines: Iterable[str]) -> Iterator[Printed]:
    """The rows in order."""
    for line in lines:
        if row := row_in(line):
            yield Printed(row, {})
