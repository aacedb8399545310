"""Sums of parts and outputs with places: masks, boxes, aligned sounds, nodes of graphs, codes, equations, quantiles."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.fresh.tasks.models import perceptron, seeded
from benchmarks.fresh.tasks.task import Rows, Task, whole

SIDE, NODES = 10, 12
FRAMES, SOUNDS = 16, 4
QUANTILES = (0.05, 0.5, 0.95)


def masks(rng: np.random.Generator) -> Task:
    """Which pixels belong to a blob: the cross-entropy of each pixel, alone or with the overlap missed (Dice)."""
    noise, wide, dice = float(rng.uniform(0.5, 1.5)), int(rng.choice([4, 8])), bool(rng.integers(2))
    y, x = np.mgrid[:SIDE, :SIDE]

    def drawn(count: int) -> Rows:
        at, size = rng.uniform(1, SIDE - 2, (2, count, 1, 1)), rng.uniform(1.0, 3.5, (count, 1, 1))
        inside = (x - at[0]) ** 2 + (y - at[1]) ** 2 < size**2
        seen = inside + noise * rng.standard_normal(inside.shape)
        return torch.tensor(seen[:, None], dtype=torch.float32), torch.tensor(inside, dtype=torch.float32)

    def losses(model: nn.Module, seen: Tensor, inside: Tensor) -> Tensor:
        scores = model(seen)[:, 0]
        each = functional.binary_cross_entropy_with_logits(scores, inside, reduction="none").mean((1, 2))
        chance = scores.sigmoid()
        overlap = (2 * whole(chance * inside) + 1) / (whole(chance + inside) + 1)
        return each + (1 - overlap) if dice else each

    def build() -> nn.Module:
        layers = [nn.Conv2d(1, wide, 3, padding=1), nn.ReLU(), nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU()]
        return nn.Sequential(*layers, nn.Conv2d(wide, 1, 3, padding=1))

    return Task("masks", drawn(1024), drawn(768), 384, seeded(build), losses, None, 5e-3)


def boxes(rng: np.random.Generator) -> Task:
    """Whether something is there, what it is and where: a weighted sum of three losses, two of them on some rows."""
    width, kinds, there = int(rng.integers(12, 32)), int(rng.integers(2, 8)), float(rng.uniform(0.1, 0.5))
    inner, outer = rng.standard_normal((width, 24)) / np.sqrt(width), rng.standard_normal((24, kinds + 5)) / np.sqrt(24)
    heavy, unit = float(rng.choice([1.0, 5.0])), float(10 ** rng.uniform(0, 1))

    def drawn(count: int) -> Rows:
        points = rng.standard_normal((count, width))
        found = np.tanh(2 * points @ inner) @ outer
        on = found[:, 0] + 0.2 * rng.standard_normal(count) > np.quantile(found[:, 0], 1 - there)
        kind = (3 * found[:, 5:]).argmax(1)
        place = unit * (found[:, 1:5] + 0.1 * rng.standard_normal((count, 4)))
        return torch.tensor(points, dtype=torch.float32), torch.tensor(
            np.column_stack([on, kind, place]), dtype=torch.float32
        )

    def losses(model: nn.Module, points: Tensor, wanted: Tensor) -> Tensor:
        said, on, kind = model(points), wanted[:, 0], wanted[:, 1].long()
        parts = functional.binary_cross_entropy_with_logits(said[:, 0], on, reduction="none")
        where = functional.smooth_l1_loss(said[:, 1:5], wanted[:, 2:], reduction="none").sum(1)
        return parts + on * (functional.cross_entropy(said[:, 5:], kind, reduction="none") + heavy * where)

    build = seeded(lambda: perceptron(width, 64, 2, kinds + 5, 0.0))
    return Task("boxes", drawn(4096), drawn(1500), 512, build, losses, None, 3e-3)


class Listener(nn.Module):
    """A recurrent network in both directions over frames."""

    def __init__(self, width: int, letters: int) -> None:
        super().__init__()
        self.cell, self.head = nn.GRU(width, 24, batch_first=True, bidirectional=True), nn.Linear(48, letters + 1)

    def forward(self, frames: Tensor) -> Tensor:
        """The scores of each letter and of none at each frame."""
        scores: Tensor = self.head(self.cell(frames)[0])
        return scores


def sounds(rng: np.random.Generator) -> Task:
    """Letters in order without their places (CTC): the loss falls to a level of saying nothing before it learns."""
    letters, width, noise = int(rng.integers(4, 10)), int(rng.integers(6, 14)), float(rng.uniform(0.2, 0.8))
    shapes = rng.standard_normal((letters + 1, width))
    shapes[0] = 0.0

    def drawn(count: int) -> Rows:
        said = rng.integers(1, letters + 1, size=(count, SOUNDS))
        heard = np.zeros((count, FRAMES), dtype=np.int64)
        for place in range(SOUNDS):
            first = place * FRAMES // SOUNDS + rng.integers(0, 2, size=count)
            for ahead in (0, 1):
                heard[np.arange(count), first + ahead] = said[:, place]
        frames = shapes[heard] + noise * rng.standard_normal((count, FRAMES, width))
        return torch.tensor(frames, dtype=torch.float32), torch.tensor(said)

    def losses(model: nn.Module, frames: Tensor, said: Tensor) -> Tensor:
        scores = model(frames).log_softmax(-1).transpose(0, 1)
        many = torch.full((said.shape[0],), FRAMES), torch.full((said.shape[0],), SOUNDS)
        found: Tensor = functional.ctc_loss(scores, said, *many, reduction="none")
        return found

    return Task("sounds", drawn(2000), drawn(768), 384, seeded(lambda: Listener(width, letters)), losses, None, 1e-2)


class Graph(nn.Module):
    """Two layers, each of which mixes a node with the mean of its neighbors."""

    def __init__(self, width: int, kinds: int) -> None:
        super().__init__()
        self.own, self.near = nn.Linear(width, 32), nn.Linear(width, 32)
        self.head, self.far = nn.Linear(32, kinds), nn.Linear(32, kinds)

    def forward(self, graph: Tensor) -> Tensor:
        """The scores of each node's kinds; the first columns of a node say which others it touches."""
        touches, points = graph[..., :NODES], graph[..., NODES:]
        mean = touches / touches.sum(-1, keepdim=True).clamp(min=1)
        first = (self.own(points) + self.near(mean @ points)).relu()
        scores: Tensor = self.head(first) + self.far(mean @ first)
        return scores


def nodes(rng: np.random.Generator) -> Task:
    """The kinds of nodes, most of whose neighbors are of their kind: a cross-entropy of each node."""
    kinds, width, noise = int(rng.integers(2, 6)), int(rng.integers(4, 12)), float(rng.uniform(1.0, 2.5))
    centers, alike = rng.standard_normal((kinds, width)), float(rng.uniform(0.4, 0.8))

    def drawn(count: int) -> Rows:
        own = rng.integers(kinds, size=(count, NODES))
        same = own[:, :, None] == own[:, None, :]
        up = np.triu(rng.random(same.shape) < np.where(same, alike, 0.1), 1)
        points = centers[own] + noise * rng.standard_normal((count, NODES, width))
        graph = np.concatenate([up | up.transpose(0, 2, 1), points], -1)
        return torch.tensor(graph, dtype=torch.float32), torch.tensor(own)

    def losses(model: nn.Module, graph: Tensor, own: Tensor) -> Tensor:
        return functional.cross_entropy(model(graph).transpose(1, 2), own, reduction="none").mean(1)

    return Task("nodes", drawn(2000), drawn(768), 384, seeded(lambda: Graph(width, kinds)), losses, None, 5e-3)


class Codes(nn.Module):
    """A network down to the nearest of some codes, and one back up."""

    def __init__(self, width: int, codes: int) -> None:
        super().__init__()
        self.down, self.up = perceptron(width, 48, 1, 8, 0.0), perceptron(8, 48, 1, width, 0.0)
        self.codes = nn.Parameter(0.5 * torch.randn(codes, 8))

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The points made again, and how far codes and inner points lie apart."""
        inner = self.down(points)
        nearest = self.codes[torch.cdist(inner, self.codes).argmin(1)]
        apart = (inner.detach() - nearest).square().mean(1) + 0.25 * (inner - nearest.detach()).square().mean(1)
        return self.up(inner + (nearest - inner).detach()), apart


def codebook(rng: np.random.Generator) -> Task:
    """Points near a few centers through a codebook: the squared error, and how far the codes are (VQ-VAE)."""
    width, groups, noise = int(rng.integers(12, 40)), int(rng.integers(4, 24)), float(rng.uniform(0.1, 0.5))
    centers, codes = rng.standard_normal((groups, width)), int(rng.choice([16, 32, 64]))

    def drawn(count: int) -> Rows:
        points = centers[rng.integers(groups, size=count)] + noise * rng.standard_normal((count, width))
        found = torch.tensor(points, dtype=torch.float32)
        return found, found

    def losses(model: nn.Module, points: Tensor, wanted: Tensor) -> Tensor:
        again, apart = model(points)
        return (again - wanted).square().mean(1) + apart

    return Task("codebook", drawn(4096), drawn(1500), 512, seeded(lambda: Codes(width, codes)), losses, None, 5e-3)


def equation(rng: np.random.Generator) -> Task:
    """A function without noise, by its values and its slopes: a loss of a physical law, which falls by decades."""
    width, speed = int(rng.integers(1, 4)), float(rng.uniform(0.8, 2.0))
    direction = speed * rng.standard_normal((width, 3))

    def drawn(count: int) -> Rows:
        points = rng.uniform(-1, 1, (count, width))
        waves = points @ direction
        slopes = (np.cos(waves)[:, None, :] * direction[None]).mean(2)
        wanted = np.column_stack([np.sin(waves).mean(1), slopes])
        return torch.tensor(points, dtype=torch.float32), torch.tensor(wanted, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, wanted: Tensor) -> Tensor:
        with torch.enable_grad():
            at = points.detach().requires_grad_()
            value = model(at)[:, 0]
            (slope,) = torch.autograd.grad(value.sum(), at, create_graph=True)
        return (value - wanted[:, 0]) ** 2 + (slope - wanted[:, 1:]).square().sum(1)

    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(width, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))

    return Task("equation", drawn(4096), drawn(1500), 512, seeded(build), losses, None, 3e-3)


def quantiles(rng: np.random.Generator) -> Task:
    """Three quantiles of a demand whose spread changes, by the pinball loss: a high floor in units of its own."""
    width, unit = int(rng.integers(4, 14)), float(10 ** rng.uniform(-1.0, 2.0))
    weights = rng.standard_normal((2, width)) / math.sqrt(width)

    def drawn(count: int) -> Rows:
        points = rng.standard_normal((count, width))
        values = unit * (
            np.sin(2 * points @ weights[0]) + np.exp(0.7 * points @ weights[1]) * rng.standard_t(4, count) / 2
        )
        return torch.tensor(points, dtype=torch.float32), torch.tensor(values, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, values: Tensor) -> Tensor:
        error, at = values[:, None] - model(points), torch.tensor(QUANTILES)
        return torch.maximum(at * error, (at - 1) * error).sum(1)

    build = seeded(lambda: perceptron(width, 64, 2, len(QUANTILES), 0.0))
    return Task("quantiles", drawn(4096), drawn(1500), 512, build, losses, None, 5e-3)
