"""Few right answers among many: rare tags, rare classes, margins, things that were picked, a large vocabulary."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.fresh.tasks.models import perceptron, seeded
from benchmarks.fresh.tasks.task import Rows, Task, hits

FOCUS = 2.0
"""The power by which the focal loss forgets what is known."""
SMOOTHED = 0.1


def _teacher(rng: np.random.Generator, width: int, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.standard_normal((width, 32)) / np.sqrt(width), rng.standard_normal((32, kinds)) / np.sqrt(32)


def tags(rng: np.random.Generator) -> Task:
    """Many tags of which a row has few: binary cross-entropies, low before anything but the rate of each is learned."""
    width, kinds, rare = int(rng.integers(10, 30)), int(rng.integers(10, 60)), float(rng.uniform(1.5, 3.0))
    inner, outer = _teacher(rng, width, kinds)

    def drawn(count: int) -> Rows:
        points = rng.standard_normal((count, width))
        score = 6 * np.tanh(points @ inner) @ outer - 2 * rare + rng.logistic(size=(count, kinds))
        return torch.tensor(points, dtype=torch.float32), torch.tensor(score > 0, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, wanted: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(model(points), wanted, reduction="none").mean(1)

    hidden = int(2 ** rng.integers(5, 8))
    build = seeded(lambda: perceptron(width, hidden, 1, kinds, 0.0))
    return Task("tags", drawn(4096), drawn(1500), 512, build, losses, None, 3e-3)


def _of_classes(rng: np.random.Generator, share: float) -> tuple[int, int, Rows, Rows]:
    """Classes around centers, the first of which has this share of the rows."""
    width, kinds = int(rng.integers(8, 24)), int(rng.integers(2, 10))
    centers, noise = rng.standard_normal((kinds, width)), float(rng.uniform(0.8, 2.0))
    chances = np.full(kinds, (1 - share) / (kinds - 1))
    chances[0] = share

    def drawn(count: int) -> Rows:
        own = rng.choice(kinds, size=count, p=chances)
        points = centers[own] + noise * rng.standard_normal((count, width))
        return torch.tensor(points, dtype=torch.float32), torch.tensor(own)

    return width, kinds, drawn(4096), drawn(1500)


def rare_classes(rng: np.random.Generator) -> Task:
    """Classes of which one has most rows, by the focal loss, which is small from the start."""
    width, kinds, rows, held = _of_classes(rng, float(rng.uniform(0.7, 0.95)))

    def losses(model: nn.Module, points: Tensor, labels: Tensor) -> Tensor:
        each = functional.cross_entropy(model(points), labels, reduction="none")
        return (1 - (-each).exp()) ** FOCUS * each

    build = seeded(lambda: perceptron(width, 64, 2, kinds, 0.0))
    return Task(
        "rare-classes", rows, held, 512, build, losses, hits, 2e-3, {}, ("few-rows", "shuffled", "frozen", "nan")
    )


def margins(rng: np.random.Generator) -> Task:
    """Classes by a hinge: rows far on their side cost nothing."""
    width, kinds, rows, held = _of_classes(rng, 0.3)
    power = int(rng.choice([1, 2]))

    def losses(model: nn.Module, points: Tensor, labels: Tensor) -> Tensor:
        return functional.multi_margin_loss(model(points), labels, p=power, reduction="none")

    build = seeded(lambda: perceptron(width, 64, 1, kinds, 0.0))
    return Task("margins", rows, held, 512, build, losses, hits, 2e-3, {}, ("few-rows", "shuffled", "frozen", "nan"))


class Picks(nn.Module):
    """An embedding of each user and of each item, nearly 0 at first."""

    def __init__(self, users: int, items: int, wide: int) -> None:
        super().__init__()
        self.users, self.items, self.liked = (
            nn.Embedding(users, wide),
            nn.Embedding(items, wide),
            nn.Embedding(items, 1),
        )
        for table in (self.users, self.items, self.liked):
            nn.init.normal_(table.weight, 0, 0.1)

    def forward(self, rows: Tensor) -> Tensor:
        """By how much each user likes the first item more than the second."""
        user, one, other = rows.unbind(1)
        found: Tensor = (self.users(user) * (self.items(one) - self.items(other))).sum(1)
        return found + (self.liked(one) - self.liked(other))[:, 0]


def picks(rng: np.random.Generator) -> Task:
    """What users picked over what they did not, by the pairwise logistic loss on embeddings, from ln 2 on."""
    users, items, rank = int(rng.integers(6, 21)), int(rng.integers(6, 21)), int(rng.integers(1, 4))
    taste, kind, sharp = rng.standard_normal((users, rank)), rng.standard_normal((items, rank)), rng.uniform(1.0, 4.0)

    def drawn(count: int) -> Rows:
        user, pair = rng.integers(users, size=count), rng.integers(items, size=(count, 2))
        more = sharp * (taste[user] * (kind[pair[:, 0]] - kind[pair[:, 1]])).sum(1) + rng.logistic(size=count) > 0
        ordered = np.where(more[:, None], pair, pair[:, ::-1])
        return torch.tensor(np.concatenate([user[:, None], ordered], 1)), torch.zeros(count)

    def losses(model: nn.Module, rows: Tensor, _: Tensor) -> Tensor:
        return functional.softplus(-model(rows))

    wide = int(rng.choice([4, 8, 16]))
    return Task("picks", drawn(6000), drawn(1500), 512, seeded(lambda: Picks(users, items, wide)), losses, None, 1e-2)


class Tied(nn.Module):
    """Words by the two before them; the same table reads and scores."""

    def __init__(self, size: int, wide: int) -> None:
        super().__init__()
        self.table, self.mix = nn.Embedding(size, wide), perceptron(2 * wide, 2 * wide, 1, wide, 0.0)
        nn.init.normal_(self.table.weight, 0, 0.1)

    def forward(self, before: Tensor) -> Tensor:
        """The scores of the next word."""
        return functional.linear(self.mix(self.table(before).flatten(1)), self.table.weight)


def vocabulary(rng: np.random.Generator) -> Task:
    """The next of many words, most of them rare, after two: high entropy, weights tied, labels smoothed or not."""
    size, topics, smoothing = int(rng.integers(300, 1500)), int(rng.integers(4, 16)), float(rng.choice([0.0, SMOOTHED]))
    usual = 1 / np.arange(1, size + 1)
    chains = np.stack([usual * rng.lognormal(0, 1.5, size) for _ in range(topics)])
    chains = (chains / chains.sum(1, keepdims=True)).cumsum(1)
    topic = rng.integers(topics, size=size)

    def drawn(count: int) -> Rows:
        words = rng.choice(size, size=(count, 3), p=usual / usual.sum())
        for place in (1, 2):
            chance = rng.random(count)
            words[:, place] = [
                np.searchsorted(chains[topic[w]], c) for w, c in zip(words[:, place - 1], chance, strict=True)
            ]
        words = words.clip(0, size - 1)
        return torch.tensor(words[:, :2]), torch.tensor(words[:, 2])

    def losses(model: nn.Module, before: Tensor, after: Tensor) -> Tensor:
        return functional.cross_entropy(model(before), after, reduction="none", label_smoothing=smoothing)

    build = seeded(lambda: Tied(size, 32))
    return Task(
        "vocabulary",
        drawn(6000),
        drawn(1500),
        512,
        build,
        losses,
        None,
        5e-3,
        {},
        ("few-rows", "shuffled", "frozen", "nan"),
    )
