"""Points, images and values with a hidden rule and noise, for small networks from scratch."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.fresh.tasks.models import convolutions, perceptron, seeded
from benchmarks.fresh.tasks.task import Rows, Task, cross_entropies, hits, squared


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
        seeded(lambda: perceptron(width, hidden, layers, kinds, dropout)), cross_entropies, hits, 2e-3,
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
        seeded(lambda: convolutions(wide, kinds, norm)), cross_entropies, hits, 3e-3,
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
        seeded(lambda: perceptron(width, hidden, layers, 1, 0.0)), squared, None, 3e-3,
        {}, ("few-rows", "frozen", "nan", "shuffled"),
    )  # fmt: skip
