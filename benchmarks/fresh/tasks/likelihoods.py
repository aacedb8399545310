"""Distributions that are fitted: heavy tails, lifetimes, motions, densities. Their losses may end below 0."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.fresh.tasks.models import perceptron, seeded
from benchmarks.fresh.tasks.task import Rows, Task

SPREAD = (-5.0, 3.0)
"""The range of a log deviation: what clips it in practice."""


def _points(rng: np.random.Generator, width: int, count: int) -> Tensor:
    return torch.tensor(rng.standard_normal((count, width)), dtype=torch.float32)


def claims(rng: np.random.Generator) -> Task:
    """Counts of which few are very large: the likelihood of a negative binomial, its dispersion learned too."""
    width, size, busy = int(rng.integers(5, 16)), float(10 ** rng.uniform(-0.7, 0.5)), float(rng.uniform(0.0, 3.0))
    weights = rng.standard_normal(width) / np.sqrt(width)

    def drawn(count: int) -> Rows:
        points = _points(rng, width, count)
        mean = np.exp(np.clip(busy + 1.2 * points.numpy() @ weights, -4, 6))
        often = rng.poisson(rng.gamma(size, mean / size))
        return points, torch.tensor(often, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, often: Tensor) -> Tensor:
        mean, log_size = (part[:, 0] for part in model(points).chunk(2, -1))
        total = log_size.clamp(*SPREAD).exp()
        found: Tensor = -torch.distributions.NegativeBinomial(
            total, logits=mean - total.log(), validate_args=False
        ).log_prob(often)
        return found

    hidden = int(2 ** rng.integers(5, 8))
    return Task(
        "claims",
        drawn(4096),
        drawn(1500),
        512,
        seeded(lambda: perceptron(width, hidden, 1, 2, 0.0)),
        losses,
        None,
        5e-3,
    )


def lifetimes(rng: np.random.Generator) -> Task:
    """How long things last, some still alive when they were last seen: a Weibull likelihood in units of its own."""
    width, shape, unit = int(rng.integers(5, 16)), float(rng.uniform(0.7, 2.0)), float(10 ** rng.uniform(-1.0, 0.5))
    weights, until = rng.standard_normal(width) / np.sqrt(width), float(rng.uniform(0.8, 3.0))

    def drawn(count: int) -> Rows:
        points = _points(rng, width, count)
        lasted = unit * np.exp(points.numpy() @ weights) * rng.weibull(shape, count)
        seen = np.minimum(lasted, until * unit)
        both = np.stack([seen, lasted <= until * unit], 1)
        return points, torch.tensor(both, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, times: Tensor) -> Tensor:
        scale, log_shape = (part[:, 0] for part in model(points).chunk(2, -1))
        power = log_shape.clamp(-2, 2).exp()
        past = (times[:, 0].clamp(min=1e-12).log() - scale) * power
        return past.clamp(max=8).exp() - times[:, 1] * (
            log_shape.clamp(-2, 2) + past - times[:, 0].clamp(min=1e-12).log()
        )

    return Task(
        "lifetimes", drawn(4096), drawn(1500), 512, seeded(lambda: perceptron(width, 64, 1, 2, 0.0)), losses, None, 3e-3
    )


def steering(rng: np.random.Generator) -> Task:
    """The motions of an expert, by a normal distribution with a learned deviation: the loss ends far below 0."""
    width, motions, noise = int(rng.integers(6, 20)), int(rng.integers(1, 7)), float(10 ** rng.uniform(-2.0, -0.5))
    inner, outer = rng.standard_normal((width, 24)) / np.sqrt(width), rng.standard_normal((24, motions)) / np.sqrt(24)

    def drawn(count: int) -> Rows:
        seen = _points(rng, width, count)
        wanted = np.tanh(seen.numpy() @ inner) @ outer + noise * rng.standard_normal((count, motions))
        return seen, torch.tensor(wanted, dtype=torch.float32)

    def losses(model: nn.Module, seen: Tensor, wanted: Tensor) -> Tensor:
        mean, spread = model(seen).chunk(2, -1)
        spread = spread.clamp(*SPREAD)
        each = 0.5 * ((wanted - mean) * (-spread).exp()) ** 2 + spread + 0.5 * math.log(2 * math.pi)
        return each.sum(1)

    build = seeded(lambda: perceptron(width, 64, 2, 2 * motions, 0.0))
    return Task("steering", drawn(4096), drawn(1500), 512, build, losses, None, 2e-3)


class Flow(nn.Module):
    """A few coupling layers, each of which moves and stretches one half of a point by what the other half says."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.half = width // 2
        self.parts = nn.ModuleList(perceptron(self.half, 32, 1, 2 * (width - self.half), 0.0) for _ in range(layers))

    def forward(self, points: Tensor) -> Tensor:
        """The log density of each point."""
        stretched = torch.zeros(points.shape[0])
        for part in self.parts:
            kept, moved = points[:, : self.half], points[:, self.half :]
            shift, scale = part(kept).chunk(2, -1)
            scale = 2 * (scale / 2).tanh()
            points = torch.cat([(moved - shift) * (-scale).exp(), kept], 1)
            stretched = stretched - scale.sum(1)
        normal = -0.5 * (points**2).sum(1) - 0.5 * points.shape[1] * math.log(2 * math.pi)
        return normal + stretched


def density(rng: np.random.Generator) -> Task:
    """Points near a ring or a few clusters in their own units: the negative log likelihood of a normalizing flow."""
    width, noise, unit = int(rng.choice([2, 4, 6])), float(rng.uniform(0.03, 0.3)), float(10 ** rng.uniform(-1.0, 0.7))
    centers, layers = rng.standard_normal((int(rng.integers(2, 6)), width)), int(rng.integers(3, 7))

    def drawn(count: int) -> Rows:
        points = centers[rng.integers(centers.shape[0], size=count)] + noise * rng.standard_normal((count, width))
        return torch.tensor(unit * points, dtype=torch.float32), torch.zeros(count)

    def losses(model: nn.Module, points: Tensor, _: Tensor) -> Tensor:
        found: Tensor = -model(points)
        return found

    return Task("density", drawn(4096), drawn(1500), 512, seeded(lambda: Flow(width, layers)), losses, None, 3e-3)
