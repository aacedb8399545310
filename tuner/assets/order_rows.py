"""The rows of the packaged studies, a set for each kind that the methods train on.

`python -m tuner.assets.order_rows studies/data` writes the same files on every machine. No row of a test file shares
its customer with a training row: their surnames are kept apart, and so are two of the sentence patterns, a few of the
goods and a few of the cities.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from tuner.assets.orders import FAULTS, POOLS, Order, compact, orders, sentence, spoilt

Row = dict[str, object]
WISH = " As JSON."
"""What the base model answers with JSON to, of its own accord and rarely: rewards need something to begin with."""


class RowSet(NamedTuple):
    """Rows without end, and how many of them each file holds."""

    rows: Callable[[str, int], Iterator[Row]]
    train: int
    test: int

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows by split."""
        return {"train": self.train, "test": self.test}


def sft_rows(split: str, seed: int = 0) -> Iterator[Row]:
    """Prompt-completion rows in TRL's conversational form, without end, no sentence twice."""
    for asked, made, _ in _questions(split, f"sft {split} {seed}"):
        yield {"prompt": _turn("user", asked), "completion": _turn("assistant", compact(made))}


def dpo_rows(split: str, seed: int = 0) -> Iterator[Row]:
    """Preference rows in TRL's conversational form, without end; the faults take turns."""
    for asked, made, bad in _pairs(split, f"dpo {split} {seed}"):
        sides = {"chosen": _turn("assistant", compact(made)), "rejected": _turn("assistant", bad)}
        yield {"prompt": _turn("user", asked), **sides}


def kto_rows(split: str, seed: int = 0) -> Iterator[Row]:
    """Unpaired rows: a right answer to one order, a worse one to the next, without end."""
    for number, (asked, made, bad) in enumerate(_pairs(split, f"kto {split} {seed}")):
        answer = bad if number % 2 else compact(made)
        yield {"prompt": _turn("user", asked), "completion": _turn("assistant", answer), "label": not number % 2}


def grpo_rows(split: str, seed: int = 0) -> Iterator[Row]:
    """Prompts that ask for JSON, with the right answer as a column for the reward functions, without end."""
    for asked, made, _ in _questions(split, f"grpo {split} {seed}"):
        yield {"prompt": _turn("user", asked + WISH), "answer": compact(made)}


SETS = {
    "sft": RowSet(sft_rows, 640, 96),
    "dpo": RowSet(dpo_rows, 320, 32),  # a pair costs twice the time of a row
    "kto": RowSet(kto_rows, 320, 64),
    "grpo": RowSet(grpo_rows, 256, 48),
}


def write(out: Path, names: Sequence[str] = tuple(SETS)) -> None:
    """`orders-sft` and so on under `out`, a train and a test file in each."""
    for name in names:
        folder = out / f"orders-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        for split, count in SETS[name].counts.items():
            lines = (json.dumps(row, separators=(",", ":")) + "\n" for row in islice(SETS[name].rows(split, 0), count))
            (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")


def _pairs(split: str, seed: str) -> Iterator[tuple[str, Order, str]]:
    """A question, its order, and a worse answer; the faults take turns."""
    for number, (asked, made, random) in enumerate(_questions(split, seed)):
        yield asked, made, spoilt(random, made, POOLS[split], FAULTS[number % len(FAULTS)])


def _questions(split: str, seed: str) -> Iterator[tuple[str, Order, Random]]:
    random, seen = Random(seed), set[str]()
    for made in orders(random, POOLS[split]):
        asked = "Order: " + sentence(random, made, POOLS[split].patterns)
        if asked not in seen:
            seen.add(asked)
            yield asked, made, random


def _turn(role: str, content: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content}]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tuner.assets.order_rows OUT")
    write(Path(sys.argv[1]))
