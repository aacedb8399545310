"""Languages to be learned letter by letter, from scratch or by a model that knows one, and orders turned into JSON."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.fresh.tasks.models import BASES, Recurrent, base, llama, packaged, seeded, tuned
from benchmarks.fresh.tasks.task import Rows, Task, next_token
from benchmarks.fresh.tasks.text import LETTERS, made_up, order_rows, words


def letters(rng: np.random.Generator, recurrent_share: float = 0.35) -> Task:
    """A made-up language, letter by letter, for a small transformer or a recurrent network from scratch."""
    text = made_up(rng, new=int(rng.integers(30, 90)))
    hidden, layers, recurrent = (
        int(rng.choice([48, 64, 96])),
        int(rng.integers(1, 4)),
        bool(rng.random() < recurrent_share),
    )
    facts = {"vocab_size": LETTERS, "hidden_size": hidden}
    build = (lambda: Recurrent(LETTERS, hidden)) if recurrent else (lambda: llama(hidden, layers))
    return Task(
        "letters", text(2048), text(128), int(rng.choice([32, 64])), seeded(build), next_token, None,
        4e-3 if recurrent else 3e-3, facts, ("few-rows", "frozen", "nan"),
    )  # fmt: skip


def other_language(rng: np.random.Generator) -> Task:
    """Another language for a transformer that knows one already: fine-tuning, of an adapter or of all weights."""
    base_seed = int(rng.integers(BASES))
    hidden = 48 + 16 * (base_seed % 2)
    text = made_up(rng, known=words(np.random.default_rng(base_seed)))
    return Task(
        "other-language", text(1024), text(96), int(rng.choice([32, 64])), tuned(lambda: base(hidden, base_seed)),
        next_token, None, 5e-3, {"vocab_size": LETTERS, "hidden_size": hidden}, ("few-rows", "frozen", "nan", "zeros"),
    )  # fmt: skip


def orders(rng: np.random.Generator) -> Task:
    """The packaged model on orders turned into JSON; the loss is that of the answers alone."""
    seed = int(rng.integers(1 << 30))
    train, test = (order_rows(split, seed, count) for split, count in (("train", 256), ("test", 48)))
    return Task(
        "orders", train, test, 24, tuned(packaged), next_token, None, 3e-3,
        {"vocab_size": 1024, "hidden_size": 160}, ("few-rows", "frozen", "nan", "zeros"),
    )  # fmt: skip


def pairs(rng: np.random.Generator) -> Task:
    """Sentences of another language against the same with their words mixed, for DPO; the rows are the right ones."""
    task = other_language(rng)
    return replace(task, kind="pairs", rows=_first(task.rows, 384), held=_first(task.held, 48), seen=48, usual=1e-3,
                   faults=("few-rows",))  # fmt: skip


def _first(rows: Rows, count: int) -> Rows:
    return rows[0][:count], rows[1][:count]
