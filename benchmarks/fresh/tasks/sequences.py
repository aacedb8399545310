"""Sequences that are no text: masked symbols, sorting, and what comes next in a wave."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.fresh.tasks.models import seeded
from benchmarks.fresh.tasks.task import Rows, Task

HIDDEN = 0.2
"""The share of the symbols that is masked."""


class Encoder(nn.Module):
    """A small transformer over symbols with learned places, the norm before or after each part."""

    def __init__(self, symbols: int, places: int, wide: int, layers: int, norm_first: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(symbols + 1, wide)  # the last one is the mask
        self.places = nn.Parameter(0.1 * torch.randn(places, wide))
        layer = nn.TransformerEncoderLayer(wide, 4, 2 * wide, 0.0, batch_first=True, norm_first=norm_first)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(wide, symbols)

    def forward(self, tokens: Tensor) -> Tensor:
        """The scores of each symbol at each place."""
        scores: Tensor = self.head(self.layers(self.embed(tokens) + self.places))
        return scores


def _build(rng: np.random.Generator, symbols: int, places: int) -> nn.Module:
    wide, layers, first = int(rng.choice([16, 32])), int(rng.integers(1, 3)), bool(rng.integers(2))
    return Encoder(symbols, places, wide, layers, first)


def masked_symbols(rng: np.random.Generator) -> Task:
    """A chain of symbols of which some are hidden, as BERT is trained."""
    symbols, places = int(rng.integers(8, 30)), int(rng.integers(12, 28))
    chain = rng.dirichlet(np.full(symbols, float(rng.uniform(0.05, 0.3))), size=symbols).cumsum(1)
    shape = int(rng.integers(1 << 30))

    def drawn(count: int) -> Rows:
        tokens = np.zeros((count, places), dtype=np.int64)
        tokens[:, 0] = rng.integers(symbols, size=count)
        for place in range(1, places):
            tokens[:, place] = (chain[tokens[:, place - 1]] < rng.random((count, 1))).sum(1).clip(0, symbols - 1)
        return torch.tensor(tokens), torch.tensor(rng.random((count, places)), dtype=torch.float32)

    def losses(model: nn.Module, tokens: Tensor, hidden: Tensor) -> Tensor:
        mask = (torch.rand_like(hidden) if model.training else hidden) < HIDDEN
        mask[:, 0] |= ~mask.any(1)
        scores = model(tokens.masked_fill(mask, symbols)).transpose(1, 2)
        each = functional.cross_entropy(scores, tokens, reduction="none")
        return (each * mask).sum(1) / mask.sum(1)

    build = seeded(lambda: _build(np.random.default_rng(shape), symbols, places))
    return Task("masked-symbols", drawn(3000), drawn(768), 512, build, losses, None, 3e-3)


def sorting(rng: np.random.Generator) -> Task:
    """Symbols in order, each place a class of its own."""
    symbols, places, shape = int(rng.integers(6, 16)), int(rng.integers(5, 10)), int(rng.integers(1 << 30))

    def drawn(count: int) -> Rows:
        tokens = rng.integers(symbols, size=(count, places))
        return torch.tensor(tokens), torch.tensor(np.sort(tokens, 1))

    def losses(model: nn.Module, tokens: Tensor, ordered: Tensor) -> Tensor:
        return functional.cross_entropy(model(tokens).transpose(1, 2), ordered, reduction="none").mean(1)

    def right(model: nn.Module, tokens: Tensor, ordered: Tensor) -> Tensor:
        return (model(tokens).argmax(2) == ordered).float().mean(1)

    build = seeded(lambda: _build(np.random.default_rng(shape), symbols, places))
    return Task("sorting", drawn(3000), drawn(768), 512, build, losses, right, 3e-3)


class Forecaster(nn.Module):
    """A recurrent network over values, and the next few from its last state."""

    def __init__(self, hidden: int, ahead: int, gated: bool) -> None:
        super().__init__()
        self.cell = (nn.GRU if gated else nn.LSTM)(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, ahead)

    def forward(self, past: Tensor) -> Tensor:
        """The values that come next."""
        found: Tensor = self.head(self.cell(past[:, :, None])[0][:, -1])
        return found


def forecast(rng: np.random.Generator) -> Task:
    """Waves with a trend and noise: the squared or absolute error of what comes next."""
    past, ahead, noise = int(rng.integers(12, 24)), int(rng.integers(1, 7)), float(rng.uniform(0.03, 0.3))
    hidden, gated, absolute = int(rng.choice([12, 24])), bool(rng.integers(2)), bool(rng.integers(2))

    def drawn(count: int) -> Rows:
        time = np.arange(past + ahead)
        phase, speed, trend = rng.uniform(0, 2 * math.pi, (count, 1)), rng.uniform(0.2, 0.8, (count, 1)), 0.02
        wave = np.sin(speed * time + phase) + trend * time * rng.standard_normal((count, 1))
        values = torch.tensor(wave + noise * rng.standard_normal(wave.shape), dtype=torch.float32)
        return values[:, :past], values[:, past:]

    def losses(model: nn.Module, before: Tensor, after: Tensor) -> Tensor:
        error = model(before) - after
        return (error.abs() if absolute else error.square()).mean(1)

    build = seeded(lambda: Forecaster(hidden, ahead, gated))
    return Task("forecast", drawn(2500), drawn(768), 512, build, losses, None, 1e-2)
