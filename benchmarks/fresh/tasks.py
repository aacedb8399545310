"""What is learned: made-up rows of several kinds, and the networks and language models that learn them.

Every task draws its own rule, noise and sizes from its seed. ``Task.rows`` are for training, ``Task.held`` are kept
back; the first ``seen`` of those are what the run's own evaluations use, all of them are the truth.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.dialects.measured import FloatArray
from benchmarks.fresh.recipe import Recipe

Rows = tuple[Tensor, Tensor]
Word = tuple[int, ...]
IGNORED = -100


@dataclass(frozen=True, eq=False)
class Task:
    """Rows, and the model that learns them.

    ``model`` builds a fresh one for a recipe, ``losses`` is the loss of each row of a batch, ``hits`` whether its
    answer is right, where there are answers. ``usual`` is a guess at a good learning rate of AdamW, the middle of the
    ladder; ``faults`` are those that make sense here.
    """

    kind: str
    rows: Rows
    held: Rows
    seen: int
    model: Callable[[Recipe], nn.Module]
    losses: Callable[[nn.Module, Tensor, Tensor], Tensor]
    hits: Callable[[nn.Module, Tensor, Tensor], Tensor] | None
    usual: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ("few-rows", "frozen", "nan")


def classes(rng: np.random.Generator) -> Task:
    """Points around a few centers a class, some with a wrong class, for a network of one to three hidden layers."""
    kinds, width, parts = int(rng.integers(3, 11)), int(rng.integers(8, 33)), int(rng.integers(2, 5))
    centers = 1.3 * rng.standard_normal((kinds, parts, width))
    flipped = float(rng.choice([0.0, 0.05, 0.15]))

    def drawn(count: int) -> Rows:
        labels = rng.integers(kinds, size=count)
        points = centers[labels, rng.integers(parts, size=count)] + 1.5 * rng.standard_normal((count, width))
        wrong = rng.random(count) < flipped
        labels = np.where(wrong, rng.integers(kinds, size=count), labels)
        return torch.tensor(points, dtype=torch.float32), torch.tensor(labels)

    hidden, layers = int(2 ** rng.integers(5, 9)), int(rng.integers(1, 4))
    dropout = float(rng.choice([0.0, 0.0, 0.2]))
    return Task(
        "classes", drawn(4096), drawn(2048), int(rng.choice([256, 512, 1024])),
        _seeded(lambda: _perceptron(width, hidden, layers, kinds, dropout)), _cross_entropy, _hits, 2e-3,
        {"classes": kinds}, ("few-rows", "frozen", "nan", "shuffled", "dead"),
    )  # fmt: skip


def images(rng: np.random.Generator) -> Task:
    """Shifted and noisy patterns of 12 x 12 pixels for a small convolutional network."""
    kinds = int(rng.integers(3, 11))
    patterns = rng.standard_normal((kinds, 3, 12, 12))
    noise = float(rng.uniform(0.5, 1.3))

    def drawn(count: int) -> Rows:
        labels = rng.integers(kinds, size=count)
        chosen = patterns[labels, rng.integers(3, size=count)]
        moved = [
            np.roll(p, (int(i), int(j)), (0, 1))
            for p, i, j in zip(chosen, *rng.integers(-2, 3, (2, count)), strict=True)
        ]
        pixels = np.stack(moved)[:, None] + noise * rng.standard_normal((count, 1, 12, 12))
        return torch.tensor(pixels, dtype=torch.float32), torch.tensor(labels)

    wide, norm = int(rng.choice([8, 16])), bool(rng.integers(2))
    return Task(
        "images", drawn(2048), drawn(768), int(rng.choice([256, 512])),
        _seeded(lambda: _convolutions(wide, kinds, norm)), _cross_entropy, _hits, 3e-3,
        {"classes": kinds}, ("few-rows", "frozen", "nan", "shuffled", "dead"),
    )  # fmt: skip


def regression(rng: np.random.Generator) -> Task:
    """The outputs of a random network plus noise, for another network and the mean squared error."""
    width, scale = int(rng.integers(6, 20)), float(rng.choice([1.0, 1.0, 10.0]))
    inner, outer = rng.standard_normal((width, 24)) / np.sqrt(width), rng.standard_normal(24) / np.sqrt(24)
    noise = float(rng.uniform(0.1, 0.4))

    def drawn(count: int) -> Rows:
        points = rng.standard_normal((count, width))
        values = 2.0 * np.sin(2.0 * points @ inner) @ outer + noise * rng.standard_normal(count)
        return torch.tensor(points, dtype=torch.float32), torch.tensor(scale * values, dtype=torch.float32)

    hidden, layers = int(2 ** rng.integers(5, 9)), int(rng.integers(1, 4))
    return Task(
        "regression", drawn(4096), drawn(2048), int(rng.choice([256, 512])),
        _seeded(lambda: _perceptron(width, hidden, layers, 1, 0.0)), _squared, None, 3e-3,
        {}, ("few-rows", "frozen", "nan", "shuffled"),
    )  # fmt: skip


CONTEXT = 40
LETTERS = 30
BASES = 2
"""So many models that know a language; each is trained once in a process."""


def letters(rng: np.random.Generator) -> Task:
    """A made-up language, letter by letter, for a small transformer or a recurrent network from scratch."""
    text = _language(rng, new=int(rng.integers(30, 90)))
    hidden, layers, recurrent = int(rng.choice([48, 64, 96])), int(rng.integers(1, 4)), bool(rng.random() < 0.35)
    facts = {"vocab_size": LETTERS, "hidden_size": hidden}
    build = (lambda: Recurrent(LETTERS, hidden)) if recurrent else (lambda: _llama(hidden, layers))
    return Task(
        "letters", text(2048), text(128), int(rng.choice([32, 64])), _seeded(build), _next_token, None,
        4e-3 if recurrent else 3e-3, facts, ("few-rows", "frozen", "nan"),
    )  # fmt: skip


def other_language(rng: np.random.Generator) -> Task:
    """Another language for a transformer that knows one already: fine-tuning, of an adapter or of all weights."""
    base_seed = int(rng.integers(BASES))
    hidden = 48 + 16 * (base_seed % 2)
    text = _language(rng, known=_words(np.random.default_rng(base_seed)))
    return Task(
        "other-language", text(1024), text(96), int(rng.choice([32, 64])), _tuned(lambda: _base(hidden, base_seed)),
        _next_token, None, 5e-3, {"vocab_size": LETTERS, "hidden_size": hidden}, ("few-rows", "frozen", "nan", "zeros"),
    )  # fmt: skip


def orders(rng: np.random.Generator) -> Task:
    """The packaged model on orders turned into JSON; the loss is that of the answers alone."""
    seed = int(rng.integers(1 << 30))
    train, test = (_order_rows(split, seed, count) for split, count in (("train", 256), ("test", 48)))
    return Task(
        "orders", train, test, 24, _tuned(_packaged), _next_token, None, 3e-3,
        {"vocab_size": 1024, "hidden_size": 160}, ("few-rows", "frozen", "nan", "zeros"),
    )  # fmt: skip


def pairs(rng: np.random.Generator) -> Task:
    """Sentences of another language against the same with their words mixed, for DPO; the rows are the right ones."""
    task = other_language(rng)
    return replace(task, kind="pairs", rows=_first(task.rows, 384), held=_first(task.held, 48), seen=48, usual=1e-3,
                   faults=("few-rows",))  # fmt: skip


def _first(rows: Rows, count: int) -> Rows:
    return rows[0][:count], rows[1][:count]


TASKS: Mapping[str, Callable[[np.random.Generator], Task]] = {
    "classes": classes,
    "images": images,
    "regression": regression,
    "letters": letters,
    "other-language": other_language,
    "orders": orders,
    "pairs": pairs,
}


# --- models


def _seeded(build: Callable[[], nn.Module]) -> Callable[[Recipe], nn.Module]:
    """A model from scratch, its weights drawn by the recipe's seed."""

    def made(recipe: Recipe) -> nn.Module:
        torch.manual_seed(recipe.seed)
        return build()

    return made


def _tuned(base: Callable[[], nn.Module]) -> Callable[[Recipe], nn.Module]:
    """A copy of a trained model, with an adapter where the recipe wants one."""

    def made(recipe: Recipe) -> nn.Module:
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(recipe.seed)
        model = copy.deepcopy(base())
        if recipe.lora_r is None:
            return model
        config = LoraConfig(r=recipe.lora_r, lora_alpha=2 * recipe.lora_r, target_modules="all-linear")
        adapted: nn.Module = get_peft_model(model, config)  # type: ignore[arg-type]
        return adapted

    return made


def _perceptron(width: int, hidden: int, layers: int, out: int, dropout: float) -> nn.Module:
    sizes = [width, *[hidden] * layers]
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        parts += [nn.Linear(before, after), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*parts, nn.Linear(hidden, out))


def _convolutions(wide: int, out: int, norm: bool) -> nn.Module:
    def block(before: int, after: int) -> list[nn.Module]:
        middle: list[nn.Module] = [nn.BatchNorm2d(after)] if norm else []
        return [nn.Conv2d(before, after, 3, padding=1), *middle, nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*block(1, wide), *block(wide, 2 * wide), nn.Flatten(), nn.Linear(18 * wide, out))


class Recurrent(nn.Module):
    """A GRU over letters; its output has ``logits`` as those of transformers' models."""

    def __init__(self, letters: int, hidden: int) -> None:
        super().__init__()
        self.embed, self.cell = nn.Embedding(letters, 32), nn.GRU(32, hidden, batch_first=True)
        self.head = nn.Linear(hidden, letters)

    def forward(self, tokens: Tensor) -> Tensor:
        """The scores of the next letter at each place."""
        states, _ = self.cell(self.embed(tokens))
        scores: Tensor = self.head(states)
        return scores


def _llama(hidden: int, layers: int) -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=LETTERS, hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=layers,
        num_attention_heads=hidden // 16, max_position_embeddings=CONTEXT, tie_word_embeddings=True, use_cache=False,
    )  # fmt: skip
    model: nn.Module = LlamaForCausalLM(config)
    return model


@cache
def _base(hidden: int, seed: int) -> nn.Module:
    """A transformer that has learned a language of its own for a minute of somebody's time."""
    rng = np.random.default_rng(seed)
    tokens, labels = _language(rng, known=_words(np.random.default_rng(seed)), new=0)(1024)
    torch.manual_seed(seed)
    model = _llama(hidden, 2)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for step in range(160):
        at = torch.arange(16 * step, 16 * step + 16) % 1024
        optimizer.zero_grad()
        _next_token(model, tokens[at], labels[at]).mean().backward()
        optimizer.step()
    return model


@cache
def _packaged() -> nn.Module:
    from transformers import AutoModelForCausalLM

    from tuner.assets import TINY

    model: nn.Module = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
    return model


# --- losses of each row


def _cross_entropy(model: nn.Module, points: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(model(points), labels, reduction="none")


def _hits(model: nn.Module, points: Tensor, labels: Tensor) -> Tensor:
    return (model(points).argmax(1) == labels).float()


def _squared(model: nn.Module, points: Tensor, values: Tensor) -> Tensor:
    return (model(points)[:, 0] - values) ** 2


def _next_token(model: nn.Module, tokens: Tensor, labels: Tensor) -> Tensor:
    """The mean loss of the tokens that count in each row."""
    found = model(tokens)
    scores = found if isinstance(found, Tensor) else found.logits
    wanted = labels[:, 1:]
    each = functional.cross_entropy(scores[:, :-1].transpose(1, 2), wanted, ignore_index=IGNORED, reduction="none")
    return each.sum(1) / (wanted != IGNORED).sum(1).clamp(min=1)


# --- text


def _language(rng: np.random.Generator, known: Sequence[Word] = (), new: int = 30) -> Callable[[int], Rows]:
    """Sentences of made-up words in the order that a random grammar prefers; rows of ``CONTEXT`` letters.

    The words are the known ones and some new ones; the grammar is always new.
    """
    words = [*known, *_words(rng, new)]
    follows = rng.dirichlet(np.full(len(words), 0.15), len(words)).cumsum(1)

    def drawn(count: int) -> Rows:
        text, word = list[int](), 0
        while len(text) < count * CONTEXT:
            word = min(int(np.searchsorted(follows[word], rng.random())), len(words) - 1)
            text += [*words[word], 1]
        tokens = torch.tensor(text[: count * CONTEXT]).reshape(count, CONTEXT)
        return tokens, tokens

    return drawn


def _words(rng: np.random.Generator, count: int = 40) -> list[Word]:
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


def _order_rows(split: str, seed: int, count: int) -> Rows:
    """Token ids, padded on the right, and labels of the answers alone."""
    from itertools import islice

    from tuner.assets.orders import sft_rows

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
