"""Rows that are to be made again: through a bottleneck, from noise, or as counts and prices."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.fresh.tasks.models import perceptron, seeded
from benchmarks.fresh.tasks.task import Rows, Task, whole

FREQUENCIES = (1.0, 2.0, 4.0, 8.0)


def autoencoding(rng: np.random.Generator) -> Task:
    """Points near a curved surface, through a bottleneck and back: the mean squared error."""
    inner, width = int(rng.integers(3, 8)), int(rng.integers(20, 60))
    surface, noise = rng.standard_normal((inner, width)), float(rng.uniform(0.02, 0.3))

    def drawn(count: int) -> Rows:
        points = np.tanh(rng.standard_normal((count, inner)) @ surface) + noise * rng.standard_normal((count, width))
        found = torch.tensor(points, dtype=torch.float32)
        return found, found

    def build() -> nn.Module:
        return nn.Sequential(perceptron(width, 32, 1, inner, 0.0), perceptron(inner, 32, 1, width, 0.0))

    def losses(model: nn.Module, points: Tensor, wanted: Tensor) -> Tensor:
        return (model(points) - wanted).square().mean(1)

    return Task("autoencoding", drawn(4096), drawn(1500), 512, seeded(build), losses, None, 1e-2)


class Variational(nn.Module):
    """A network to means and log variances, and one back."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down, self.up = perceptron(width, 48, 1, 2 * inner, 0.0), perceptron(inner, 48, 1, width, 0.0)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of the points made again, means and log variances; without noise in an evaluation."""
        mean, spread = self.down(points).chunk(2, -1)
        spread = spread.clamp(-8, 8)
        noise = torch.randn_like(mean) if self.training else torch.zeros_like(mean)
        return self.up(mean + noise * (spread / 2).exp()), mean, spread


def variational(rng: np.random.Generator) -> Task:
    """Binary patterns of a few hidden causes: the evidence lower bound, summed over the places."""
    inner, width = int(rng.integers(3, 7)), int(rng.integers(20, 50))
    causes = rng.standard_normal((inner, width))

    def drawn(count: int) -> Rows:
        on = rng.standard_normal((count, inner)) @ causes + 0.5 * rng.standard_normal((count, width)) > 0
        found = torch.tensor(on, dtype=torch.float32)
        return found, found

    def losses(model: nn.Module, points: Tensor, wanted: Tensor) -> Tensor:
        scores, mean, spread = model(points)
        again = whole(functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none"))
        return again - 0.5 * whole(1 + spread - mean**2 - spread.exp())

    build = seeded(lambda: Variational(width, inner))
    return Task("variational", drawn(4096), drawn(1500), 512, build, losses, None, 5e-3)


def denoising(rng: np.random.Generator) -> Task:
    """The noise in points on a curve, at every strength: a diffusion model's loss, noisy and with a high floor."""
    turns, noise = float(rng.uniform(1.0, 3.0)), float(rng.uniform(0.01, 0.1))
    width = int(rng.choice([2, 8]))
    lifted = rng.standard_normal((2, width)) / math.sqrt(2)

    def drawn(count: int) -> Rows:
        angle = rng.uniform(0, turns * 2 * math.pi, count)
        curve = np.stack([angle * np.cos(angle), angle * np.sin(angle)], 1) / (turns * 3)
        points = curve @ lifted + noise * rng.standard_normal((count, width))
        strength_and_noise = np.concatenate([rng.random((count, 1)), rng.standard_normal((count, width))], 1)
        return torch.tensor(points, dtype=torch.float32), torch.tensor(strength_and_noise, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, drawn_once: Tensor) -> Tensor:
        strength, noise = drawn_once[:, :1], drawn_once[:, 1:]
        if model.training:  # an evaluation takes the noise that came with the row
            strength, noise = torch.rand_like(strength), torch.randn_like(noise)
        angle = strength * math.pi / 2
        waves = [wave(strength * f) for f in FREQUENCIES for wave in (torch.sin, torch.cos)]
        seen = torch.cat([angle.cos() * points + angle.sin() * noise, *waves], 1)
        return (model(seen) - noise).square().mean(1)

    def build() -> nn.Module:
        return perceptron(width + 2 * len(FREQUENCIES), 64, 2, width, 0.0)

    return Task("denoising", drawn(4096), drawn(1500), 512, seeded(build), losses, None, 5e-3, {}, ("frozen", "nan"))


def counts(rng: np.random.Generator) -> Task:
    """How often something happens: the likelihood of a Poisson distribution, which may be negative."""
    width, busy = int(rng.integers(5, 16)), float(rng.uniform(0.0, 2.0))
    weights = rng.standard_normal(width) / np.sqrt(width)

    def drawn(count: int) -> Rows:
        points = rng.standard_normal((count, width))
        often = rng.poisson(np.exp(np.clip(busy + points @ weights + 0.5 * np.sin(2 * points[:, 0]), -4, 5)))
        return torch.tensor(points, dtype=torch.float32), torch.tensor(often, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, often: Tensor) -> Tensor:
        return functional.poisson_nll_loss(model(points)[:, 0], often, full=True, reduction="none")

    hidden = int(2 ** rng.integers(5, 8))
    build = seeded(lambda: perceptron(width, hidden, 1, 1, 0.0))
    return Task("counts", drawn(4096), drawn(1500), 512, build, losses, None, 1e-2)


def prices(rng: np.random.Generator) -> Task:
    """Values of a long tail in their own units, by the error's absolute size beyond a limit (Huber)."""
    width, unit, limit = int(rng.integers(5, 16)), float(10 ** rng.uniform(0.0, 2.0)), float(rng.choice([1.0, 5.0]))
    weights = rng.standard_normal(width) / np.sqrt(width)

    def drawn(count: int) -> Rows:
        points = rng.standard_normal((count, width))
        values = unit * np.exp(0.8 * np.sin(points @ weights * 2) + 0.3 * rng.standard_normal(count))
        return torch.tensor(points, dtype=torch.float32), torch.tensor(values, dtype=torch.float32)

    def losses(model: nn.Module, points: Tensor, values: Tensor) -> Tensor:
        return functional.huber_loss(model(points)[:, 0], values, delta=limit, reduction="none")

    hidden = int(2 ** rng.integers(5, 8))
    build = seeded(lambda: perceptron(width, hidden, 2, 1, 0.0))
    return Task("prices", drawn(4096), drawn(1500), 512, build, losses, None, 5e-3)
