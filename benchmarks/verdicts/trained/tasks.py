"""What small networks are trained on: made-up data with rows that are trained on, logged, and kept for the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.verdicts.trained import models

TRUTH_ROWS = 600
SEEN_ROWS = (64, 300)
"""The fewest and the most rows of a logged evaluation."""

Rows = tuple[Tensor, ...]
Generator = torch.Generator


@dataclass(frozen=True)
class Task:
    """Something to learn: how the network is made, its loss, and three sets of rows from one source.

    ``rows`` are trained on, the loss on ``seen`` is logged, that on ``unseen`` is the truth. ``center`` is a learning
    rate from which a sweep goes up and down; ``known`` are settings that a log of it may hold.
    """

    family: str
    build: Callable[[], nn.Module]
    loss: Callable[[nn.Module, Rows], Tensor]
    rows: Rows
    seen: Rows
    unseen: Rows
    center: float
    known: Mapping[str, Any] = field(default_factory=dict)
    measures: Callable[[nn.Module, Rows], Mapping[str, float]] | None = None


def draw(gen: Generator, low: float, high: float) -> float:
    """A number between two, evenly."""
    return low + (high - low) * float(torch.rand((), generator=gen))


def pick(gen: Generator, *options: Any) -> Any:
    """One of the options."""
    return options[int(torch.randint(len(options), (), generator=gen))]


def split(gen: Generator, made: Callable[[int], Rows], fewest: int, most: int) -> tuple[Rows, Rows, Rows]:
    """Rows to train on (between ``fewest`` and ``most``, evenly in their logarithm), to log, and for the truth."""
    count = round(fewest * (most / fewest) ** draw(gen, 0.0, 1.0))
    return made(count), made(round(draw(gen, *SEEN_ROWS))), made(TRUTH_ROWS)


def classify(gen: Generator) -> Task:
    """Points around three centers a class, some with a wrong class."""
    classes, width = int(pick(gen, 2, 3, 5, 10)), 20
    centers = draw(gen, 0.6, 1.4) * torch.randn(classes, 3, width, generator=gen)
    flipped = float(pick(gen, 0.0, 0.1, 0.2))

    def made(count: int) -> Rows:
        labels = torch.randint(classes, (count,), generator=gen)
        points = centers[labels, torch.randint(3, (count,), generator=gen)]
        points = points + torch.randn(count, width, generator=gen)
        wrong = torch.rand(count, generator=gen) < flipped
        return points, torch.where(wrong, torch.randint(classes, (count,), generator=gen), labels)

    return _classes("classify", gen, models.mlp(gen, width, classes), split(gen, made, 150, 3000))


def images(gen: Generator) -> Task:
    """Noisy pictures of 8 by 8 points of a few shapes, moved about."""
    classes = int(pick(gen, 4, 10))
    shapes = (torch.rand(classes, 5, 5, generator=gen) > 0.5).float()
    noise = draw(gen, 0.3, 0.9)

    def made(count: int) -> Rows:
        labels = torch.randint(classes, (count,), generator=gen)
        moved = torch.randint(4, (count, 2), generator=gen)
        pictures = noise * torch.randn(count, 1, 8, 8, generator=gen)
        for i in range(count):
            down, right = int(moved[i, 0]), int(moved[i, 1])
            pictures[i, 0, down : down + 5, right : right + 5] += shapes[labels[i]]
        return pictures, labels

    return _classes("images", gen, models.conv(gen, classes), split(gen, made, 200, 1500))


def _classes(family: str, gen: Generator, build: Callable[[], nn.Module], sets: tuple[Rows, Rows, Rows]) -> Task:
    return Task(family, build, lambda net, rows: functional.cross_entropy(net(rows[0]), rows[1]), *sets, center=3e-3)


def regress(gen: Generator) -> Task:
    """The numbers that another network gives, with noise, in some unit."""
    width, outputs = 12, int(pick(gen, 1, 4))
    teacher = models.teacher(gen, width, outputs)
    noise, unit = draw(gen, 0.05, 0.6), float(pick(gen, 1.0, 1.0, 10.0))

    def made(count: int) -> Rows:
        points = torch.randn(count, width, generator=gen)
        return points, unit * (teacher(points) + noise * torch.randn(count, outputs, generator=gen))

    sets = split(gen, made, 150, 3000)
    return Task(
        "regress", models.mlp(gen, width, outputs), lambda n, r: functional.mse_loss(n(r[0]), r[1]), *sets, center=3e-3
    )


def compress(gen: Generator) -> Task:
    """Points of few dimensions shown in many, through a narrow network and back."""
    inner, width = int(pick(gen, 3, 6)), 32
    shown = torch.randn(inner, width, generator=gen)

    def made(count: int) -> Rows:
        hidden = torch.randn(count, inner, generator=gen)
        return (torch.tanh(hidden @ shown) + 0.1 * torch.randn(count, width, generator=gen),)

    sets = split(gen, made, 200, 2000)
    return Task(
        "compress", models.mlp(gen, width, width), lambda n, r: functional.mse_loss(n(r[0]), r[0]), *sets, center=2e-3
    )


def chain(gen: Generator, size: int, sharp: float) -> Tensor:
    """The chances of the next sign after each sign."""
    return torch.softmax(sharp * torch.randn(size, size, generator=gen), dim=1)


def texts(gen: Generator, chances: Tensor, count: int, length: int) -> Tensor:
    """Rows of signs, each drawn after the one before it."""
    found = torch.randint(len(chances), (count, 1), generator=gen)
    for _ in range(length):
        found = torch.cat([found, torch.multinomial(chances[found[:, -1]], 1, generator=gen)], dim=1)
    return found


def next_sign(net: nn.Module, rows: Rows) -> Tensor:
    """The mean cross-entropy of the next sign; of rows with a mask, where that is set."""
    scores = net(rows[0][:, :-1])
    return functional.cross_entropy(scores.flatten(0, 1), rows[0][:, 1:].flatten())


def language(gen: Generator) -> Task:
    """Text of a made-up language, from nothing."""
    size = int(pick(gen, 12, 24, 48))
    chances = chain(gen, size, draw(gen, 1.5, 3.0))
    sets = split(gen, lambda n: (texts(gen, chances, n, 12),), 100, 2000)
    return Task("language", models.reader(gen, size), next_sign, *sets, center=5e-3, known={"vocab_size": size})


def reversing(gen: Generator) -> Task:
    """Signs and the same signs backwards: the loss of the second half stays at chance until it is understood."""
    size, length = int(pick(gen, 4, 8)), int(pick(gen, 2, 3))

    def made(count: int) -> Rows:
        signs = torch.randint(1, size + 1, (count, length), generator=gen)
        return (torch.cat([signs, torch.zeros(count, 1, dtype=torch.long), signs.flip(1)], dim=1),)

    def loss(net: nn.Module, rows: Rows) -> Tensor:
        scores = net(rows[0][:, :-1])[:, length:]
        return functional.cross_entropy(scores.flatten(0, 1), rows[0][:, length + 1 :].flatten())

    return Task("reversing", models.reader(gen, size + 1), loss, *split(gen, made, 300, 3000), center=8e-3)


SCRATCH: tuple[Callable[[Generator], Task], ...] = (classify, images, regress, compress, language, reversing)
