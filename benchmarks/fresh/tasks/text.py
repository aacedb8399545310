"""Text as token ids: languages made up from a seed, and the packaged model's orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

from benchmarks.dialects.measured import FloatArray
from benchmarks.fresh.tasks.task import IGNORED, Rows

CONTEXT = 40
"""Letters in a row."""
LETTERS = 30
"""Kinds of letters: the padding, the space between words, and 28 others."""
Word = tuple[int, ...]


def made_up(rng: np.random.Generator, known: Sequence[Word] = (), new: int = 30) -> Callable[[int], Rows]:
    """Sentences of made-up words in the order that a random grammar prefers; rows of ``CONTEXT`` letters.

    The words are the known ones and some new ones; the grammar is always new.
    """
    spoken = [*known, *words(rng, new)]
    follows = rng.dirichlet(np.full(len(spoken), 0.15), len(spoken)).cumsum(1)

    def drawn(count: int) -> Rows:
        text, word = list[int](), 0
        while len(text) < count * CONTEXT:
            word = min(int(np.searchsorted(follows[word], rng.random())), len(spoken) - 1)
            text += [*spoken[word], 1]
        tokens = torch.tensor(text[: count * CONTEXT]).reshape(count, CONTEXT)
        return tokens, tokens

    return drawn


def words(rng: np.random.Generator, count: int = 40) -> list[Word]:
    """Words of two to seven letters; which letter follows which is drawn first."""
    chances = rng.dirichlet(np.full(LETTERS - 2, 0.4), LETTERS - 2)
    return [_word(rng, chances) for _ in range(count)]


def _word(rng: np.random.Generator, chances: FloatArray) -> Word:
    letter = int(rng.integers(LETTERS - 2))
    found = [letter + 2]
    for _ in range(int(rng.integers(1, 7))):
        letter = int(rng.choice(LETTERS - 2, p=chances[letter]))
        found.append(letter + 2)
    return tuple(found)


@cache
def _tokenizer() -> Any:
    from transformers import AutoTokenizer

    from tuner.assets import TINY

    return AutoTokenizer.from_pretrained(TINY)


def order_rows(split: str, seed: int, count: int) -> Rows:
    """Token ids, padded on the right, and labels of the answers alone."""
    from itertools import islice

    from tuner.assets.order_rows import sft_rows

    tokenizer = _tokenizer()
    rows = []
    for row in islice(sft_rows(split, seed), count):
        prompt: list[Any] = row["prompt"]  # type: ignore[assignment]
        asked = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
        whole = tokenizer.apply_chat_template([*prompt, *row["completion"]], tokenize=False)  # type: ignore[misc]
        rows.append((tokenizer(asked).input_ids, tokenizer(whole).input_ids))
    longest = max(len(whole) for _, whole in rows)
    tokens, labels = torch.zeros(count, longest, dtype=torch.long), torch.full((count, longest), IGNORED)
    for at, (asked, whole) in enumerate(rows):
        tokens[at, : len(whole)] = torch.tensor(whole)
        labels[at, len(asked) : len(whole)] = torch.tensor(whole[len(asked) :])
    return tokens, labels
