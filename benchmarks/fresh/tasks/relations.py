"""What things have to do with each other: ratings, rankings, two views of one thing, and a few that lie apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.fresh.tasks.models import perceptron, seeded
from benchmarks.fresh.tasks.task import Rows, Task, whole

GROUP = 16
"""So many rows are told apart at a time, in training and in evaluations; every batch is a multiple of it."""


class Factors(nn.Module):
    """A rating as a product of two embeddings and a small network over both."""

    def __init__(self, users: int, items: int, wide: int) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(users, wide), nn.Embedding(items, wide)
        self.more = perceptron(2 * wide, 32, 1, 1, 0.0)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, 0, 0.3)

    def forward(self, pairs: Tensor) -> Tensor:
        """The rating of each user and item."""
        user, item = self.users(pairs[:, 0]), self.items(pairs[:, 1])
        found: Tensor = (user * item).sum(1) + self.more(torch.cat([user, item], 1))[:, 0]
        return found


def ratings(rng: np.random.Generator) -> Task:
    """Ratings of a low rank plus noise, for embeddings and the mean squared error."""
    users, items, rank = int(rng.integers(8, 33)), int(rng.integers(8, 33)), int(rng.integers(1, 4))
    taste, kind = rng.standard_normal((users, rank)), rng.standard_normal((items, rank))
    noise = float(rng.uniform(0.2, 0.8))

    def drawn(count: int) -> Rows:
        pairs = np.stack([rng.integers(users, size=count), rng.integers(items, size=count)], 1)
        values = (taste[pairs[:, 0]] * kind[pairs[:, 1]]).sum(1) + noise * rng.standard_normal(count)
        return torch.tensor(pairs), torch.tensor(values, dtype=torch.float32)

    wide = int(rng.choice([4, 8, 16]))
    return Task(
        "ratings", drawn(6000), drawn(1500), 512, seeded(lambda: Factors(users, items, wide)),
        lambda model, pairs, values: (model(pairs) - values) ** 2, None, 1e-2,
    )  # fmt: skip


def ranking(rng: np.random.Generator) -> Task:
    """Which of two things is preferred, by a hidden score and noise: the pairwise logistic loss."""
    width, noise = int(rng.integers(6, 20)), float(rng.uniform(0.3, 1.5))
    weights = rng.standard_normal(width) / np.sqrt(width)

    def score(points: np.ndarray) -> np.ndarray:
        found: np.ndarray = 2 * points @ weights + np.sin(2 * points[:, 0]) * points[:, 1]
        return found

    def drawn(count: int) -> Rows:
        both = rng.standard_normal((2, count, width))
        first = score(both[0]) - score(both[1]) + noise * rng.standard_normal(count) > 0
        ordered = np.where(first[:, None, None], np.stack([both[0], both[1]], 1), np.stack([both[1], both[0]], 1))
        return torch.tensor(ordered, dtype=torch.float32), torch.zeros(count)

    def losses(model: nn.Module, pairs: Tensor, _: Tensor) -> Tensor:
        return functional.softplus(model(pairs[:, 1])[:, 0] - model(pairs[:, 0])[:, 0])

    hidden, layers = int(2 ** rng.integers(5, 8)), int(rng.integers(1, 3))
    build = seeded(lambda: perceptron(width, hidden, layers, 1, 0.0))
    return Task("ranking", drawn(4096), drawn(1500), 512, build, losses, None, 2e-3)


class Towers(nn.Module):
    """Two networks into one space, and a temperature."""

    def __init__(self, left: int, right: int, wide: int) -> None:
        super().__init__()
        self.left, self.right = perceptron(left, 64, 1, wide, 0.0), perceptron(right, 64, 1, wide, 0.0)
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """How alike each left and each right one of a group are; shape (groups, left, right)."""
        x, y = functional.normalize(self.left(left), dim=-1), functional.normalize(self.right(right), dim=-1)
        found: Tensor = self.scale.clamp(max=4.0).exp() * x @ y.transpose(1, 2)
        return found


def contrast(rng: np.random.Generator) -> Task:
    """Two noisy views of one thing among those of others, by the contrastive loss in both directions."""
    inner, left, right = int(rng.integers(4, 10)), int(rng.integers(20, 48)), int(rng.integers(20, 48))
    a, b, noise = rng.standard_normal((inner, left)), rng.standard_normal((inner, right)), rng.uniform(0.3, 1.2)

    def drawn(count: int) -> Rows:
        hidden = rng.standard_normal((count, inner))
        views = [np.tanh(hidden @ mixed) + noise * rng.standard_normal((count, mixed.shape[1])) for mixed in (a, b)]
        return torch.tensor(views[0], dtype=torch.float32), torch.tensor(views[1], dtype=torch.float32)

    def losses(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        scores = model(*(one.unflatten(0, (-1, GROUP)) for one in (x, y)))
        own = torch.arange(GROUP).expand(scores.shape[0], -1)
        ways = [functional.cross_entropy(way, own, reduction="none") for way in (scores, scores.transpose(1, 2))]
        return ((ways[0] + ways[1]) / 2).flatten()

    return Task(
        "contrast", drawn(4096), drawn(1536), 512, seeded(lambda: Towers(left, right, 16)), losses, None, 3e-3,
        {}, ("frozen", "nan"),
    )  # fmt: skip


def triplets(rng: np.random.Generator) -> Task:
    """Things of a class nearer to each other than to one of another class, by a margin: a loss that may reach 0."""
    kinds, width, margin = int(rng.integers(4, 12)), int(rng.integers(10, 30)), float(rng.choice([0.2, 0.5, 1.0]))
    centers, noise = rng.standard_normal((kinds, width)), float(rng.uniform(0.7, 1.6))

    def drawn(count: int) -> Rows:
        own = rng.integers(kinds, size=count)
        other = (own + rng.integers(1, kinds, size=count)) % kinds
        points = centers[np.stack([own, own, other], 1)] + noise * rng.standard_normal((count, 3, width))
        return torch.tensor(points, dtype=torch.float32), torch.zeros(count)

    def losses(model: nn.Module, points: Tensor, _: Tensor) -> Tensor:
        placed = functional.normalize(model(points), dim=-1)
        near, far = ((placed[:, 0] - placed[:, k]).square().sum(1) for k in (1, 2))
        return functional.relu(near - far + margin)

    build = seeded(lambda: perceptron(width, 64, 1, 16, 0.0))
    return Task("triplets", drawn(4096), drawn(1500), 512, build, losses, None, 3e-3)


def distilling(rng: np.random.Generator) -> Task:
    """The answers of a random teacher, by their divergence from those of a smaller network."""
    width, kinds, sharp = int(rng.integers(8, 24)), int(rng.integers(3, 12)), float(rng.uniform(1.0, 4.0))
    inner, outer = rng.standard_normal((width, 48)) / np.sqrt(width), rng.standard_normal((48, kinds)) / np.sqrt(48)

    def drawn(count: int) -> Rows:
        points = rng.standard_normal((count, width))
        scores = torch.tensor(sharp * 2 * np.tanh(2 * points @ inner) @ outer, dtype=torch.float32)
        return torch.tensor(points, dtype=torch.float32), scores.softmax(1)

    def losses(model: nn.Module, points: Tensor, wanted: Tensor) -> Tensor:
        return whole(functional.kl_div(model(points).log_softmax(1), wanted, reduction="none"))

    build = seeded(lambda: perceptron(width, 64, 2, kinds, 0.0))
    return Task("distilling", drawn(4096), drawn(1500), 512, build, losses, None, 2e-3)
