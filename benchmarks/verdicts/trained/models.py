"""Small networks, each as a function that makes it anew with the same first weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Generator = torch.Generator
ACTIVATIONS: tuple[Callable[[], nn.Module], ...] = (nn.ReLU, nn.Tanh, nn.GELU, nn.ReLU)


def _pick(gen: Generator, *options: int) -> int:
    return options[int(torch.randint(len(options), (), generator=gen))]


def _seeded(gen: Generator, make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """The network that ``make`` makes, always with the same first weights."""
    seed = int(torch.randint(1 << 30, (), generator=gen))

    def build() -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return make()

    return build


def mlp(gen: Generator, inputs: int, outputs: int) -> Callable[[], nn.Module]:
    """One to three hidden layers, at times with dropout."""
    depth, width = _pick(gen, 1, 2, 3), _pick(gen, 16, 64, 128)
    activation = ACTIVATIONS[_pick(gen, 0, 1, 2, 3)]
    dropout = (0.0, 0.0, 0.3)[_pick(gen, 0, 1, 2)]

    def make() -> nn.Module:
        layers: list[nn.Module] = []
        for number in range(depth):
            layers += [nn.Linear(inputs if number == 0 else width, width), activation(), nn.Dropout(dropout)]
        return nn.Sequential(*layers, nn.Linear(width, outputs))

    return _seeded(gen, make)


def conv(gen: Generator, classes: int) -> Callable[[], nn.Module]:
    """Two convolutions, at times with batch normalization."""
    width, normal = _pick(gen, 8, 16), _pick(gen, 0, 1)

    def make() -> nn.Module:
        norm: Callable[[], nn.Module] = (lambda: nn.BatchNorm2d(width)) if normal else nn.Identity
        return nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            norm(),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * width, classes),
        )

    return _seeded(gen, make)


def teacher(gen: Generator, inputs: int, outputs: int) -> Callable[[Tensor], Tensor]:
    """A fixed network whose outputs have a spread of about 1."""
    one = torch.randn(inputs, 24, generator=gen) / inputs**0.5
    two = torch.randn(24, outputs, generator=gen) / 24**0.5
    return lambda points: 1.5 * torch.tanh(1.5 * points @ one) @ two


class Recurrent(nn.Module):
    """Signs through a recurrent layer to the scores of the next sign."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.embed, self.read = nn.Embedding(size, width), nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, size)

    def forward(self, signs: Tensor) -> Tensor:
        """Scores, shape (rows, signs, size)."""
        return self.head(self.read(self.embed(signs))[0])  # type: ignore[no-any-return]


class Attentive(nn.Module):
    """Signs through a transformer to the scores of the next sign."""

    def __init__(self, size: int, width: int, layers: int) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(size, width), nn.Embedding(32, width)
        layer = nn.TransformerEncoderLayer(width, 2, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.read, self.head = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False), nn.Linear(width, size)

    def forward(self, signs: Tensor) -> Tensor:
        """Scores, shape (rows, signs, size)."""
        mask = nn.Transformer.generate_square_subsequent_mask(signs.shape[1])
        seen = self.embed(signs) + self.place(torch.arange(signs.shape[1]))
        return self.head(self.read(seen, mask=mask, is_causal=True))  # type: ignore[no-any-return]


def reader(gen: Generator, size: int) -> Callable[[], nn.Module]:
    """A recurrent network or a transformer over signs."""
    width, kind = _pick(gen, 16, 32), _pick(gen, 0, 1, 2)
    make = (lambda: Recurrent(size, width)) if kind == 0 else (lambda: Attentive(size, width, kind))
    return _seeded(gen, make)
