"""A task: rows, the model that learns them, and the loss of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from benchmarks.fresh.recipe import Recipe

Rows = tuple[Tensor, Tensor]
IGNORED = -100
"""The label of a token that does not count."""


@dataclass(frozen=True, eq=False)
class Task:
    """Rows, and the model that learns them.

    ``model`` builds a fresh one for a recipe, ``losses`` is the loss of each row of a batch, ``hits`` whether its
    answer is right, where there are answers. ``usual`` is a guess at a good learning rate of AdamW, the middle of the
    ladder; ``faults`` are those that make sense here.
    """

    kind: str
    rows: Rows
    held: Rows
    seen: int
    model: Callable[[Recipe], nn.Module]
    losses: Callable[[nn.Module, Tensor, Tensor], Tensor]
    hits: Callable[[nn.Module, Tensor, Tensor], Tensor] | None
    usual: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ("few-rows", "frozen", "nan")


def cross_entropies(model: nn.Module, points: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy of each row."""
    return functional.cross_entropy(model(points), labels, reduction="none")


def hits(model: nn.Module, points: Tensor, labels: Tensor) -> Tensor:
    """1 where the likeliest class is the right one, else 0."""
    return (model(points).argmax(1) == labels).float()


def squared(model: nn.Module, points: Tensor, values: Tensor) -> Tensor:
    """The squared error of each row."""
    return (model(points)[:, 0] - values) ** 2


def whole(each: Tensor) -> Tensor:
    """What the places of each row add up to."""
    return each.flatten(1).sum(1)


def next_token(model: nn.Module, tokens: Tensor, labels: Tensor) -> Tensor:
    """The mean loss of the tokens that count in each row."""
    found = model(tokens)
    scores = found if isinstance(found, Tensor) else found.logits
    wanted = labels[:, 1:]
    each = functional.cross_entropy(scores[:, :-1].transpose(1, 2), wanted, ignore_index=IGNORED, reduction="none")
    return each.sum(1) / (wanted != IGNORED).sum(1).clamp(min=1)
