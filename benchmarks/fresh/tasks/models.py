"""Small networks, transformers that know a language, and adapters on them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.fresh.recipe import Recipe
from benchmarks.fresh.tasks.task import next_token
from benchmarks.fresh.tasks.text import CONTEXT, LETTERS, made_up, words

BASES = 2
"""So many models that know a language; each is trained once in a process."""


def seeded(build: Callable[[], nn.Module]) -> Callable[[Recipe], nn.Module]:
    """A model from scratch, its weights drawn by the recipe's seed."""

    def made(recipe: Recipe) -> nn.Module:
        torch.manual_seed(recipe.seed)
        return build()

    return made


def tuned(base: Callable[[], nn.Module]) -> Callable[[Recipe], nn.Module]:
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


def perceptron(width: int, hidden: int, layers: int, out: int, dropout: float) -> nn.Module:
    """A network of so many hidden layers of rectified units."""
    sizes = [width, *[hidden] * layers]
    parts: list[nn.Module] = []
    for before, after in pairwise(sizes):
        parts += [nn.Linear(before, after), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*parts, nn.Linear(hidden, out))


def convolutions(wide: int, out: int, norm: bool) -> nn.Module:
    """Two blocks of convolutions on 12 x 12 pixels, with or without batch normalization."""

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


def llama(hidden: int, layers: int) -> nn.Module:
    """A small transformer over letters, its weights drawn from torch's seed."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=LETTERS, hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=layers,
        num_attention_heads=hidden // 16, max_position_embeddings=CONTEXT, tie_word_embeddings=True, use_cache=False,
    )  # fmt: skip
    model: nn.Module = LlamaForCausalLM(config)
    return model


@cache
def base(hidden: int, seed: int) -> nn.Module:
    """A transformer that has learned a language of its own for a minute of somebody's time."""
    rng = np.random.default_rng(seed)
    tokens, labels = made_up(rng, known=words(np.random.default_rng(seed)), new=0)(1024)
    torch.manual_seed(seed)
    model = llama(hidden, 2)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for step in range(160):
        at = torch.arange(16 * step, 16 * step + 16) % 1024
        optimizer.zero_grad()
        next_token(model, tokens[at], labels[at]).mean().backward()
        optimizer.step()
    return model


@cache
def packaged() -> nn.Module:
    """The base model that comes with the packaged studies."""
    from transformers import AutoModelForCausalLM

    from tuner.assets import TINY

    model: nn.Module = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
    return model
