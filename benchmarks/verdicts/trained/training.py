"""One training of a task at a rate, everything noted at every step: what is logged of it is decided later."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from benchmarks.verdicts.trained.tasks import Rows, Task
from diagnostics.model.curves import FloatArray

EVALUATIONS = 24
"""How often both held-out losses are taken; a log may hold fewer."""
FAR = 1e30


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; ``epochs`` over the rows, in batches, at most ``max_steps``."""

    optimizer: str
    schedule: str
    warmup: float
    batch: int
    steps: int
    clip: float | None
    decay: float
    noise: float = 0.0


@dataclass(frozen=True)
class Trace:
    """All that happened in a training: by step, and at the evaluations, the first of them before training."""

    rate: float
    recipe: Recipe
    rows: int
    loss: FloatArray
    norm: FloatArray
    rates: FloatArray
    at: FloatArray
    seen: FloatArray
    truth: FloatArray
    measured: Mapping[str, FloatArray] = field(default_factory=dict)
    held: Mapping[str, FloatArray] = field(default_factory=dict)


def rate_at(recipe: Recipe, step: int) -> float:
    """The share of the peak rate at a step."""
    share, warm = step / recipe.steps, recipe.warmup
    if share < warm:
        return (share + 1.0 / recipe.steps) / warm
    late = (share - warm) / (1.0 - warm)
    return {"constant": 1.0, "linear": 1.0 - late, "cosine": 0.5 * (1.0 + math.cos(math.pi * late))}[recipe.schedule]


def optimizer_of(net: nn.Module, recipe: Recipe, rate: float) -> torch.optim.Optimizer:
    """The optimizer; the rate of SGD is scaled so that a sweep around Adam's rates reaches it."""
    if recipe.optimizer == "adam":
        return torch.optim.AdamW(net.parameters(), rate, weight_decay=recipe.decay)
    momentum = 0.9 if recipe.optimizer == "momentum" else 0.0
    return torch.optim.SGD(net.parameters(), rate, momentum=momentum, weight_decay=recipe.decay)


def train(task: Task, recipe: Recipe, rate: float, seed: int) -> Trace:
    """The trace of one training, which stops where the loss is not finite."""
    torch.manual_seed(seed)
    net = task.build()
    optimizer = optimizer_of(net, recipe, rate)
    marks = set(np.unique(np.linspace(0, recipe.steps, EVALUATIONS + 1).round().astype(int)).tolist())
    by_step: list[dict[str, float]] = []
    by_eval: list[dict[str, float]] = []
    order = torch.empty(0, dtype=torch.long)
    for step in range(recipe.steps + 1):
        if step in marks:
            by_eval.append(_evaluated(net, task, step))
        if step == recipe.steps or (by_step and not math.isfinite(by_step[-1]["loss"])):
            break
        if len(order) < recipe.batch:
            order = torch.cat([order, torch.randperm(len(task.rows[0]))])
        rows = tuple(part[order[: recipe.batch]] for part in task.rows)
        order = order[recipe.batch :]
        by_step.append(_step(net, task, recipe, optimizer, rows, rate * rate_at(recipe, step)))
    return _trace(task, recipe, rate, by_step, by_eval)


def _step(
    net: nn.Module, task: Task, recipe: Recipe, optimizer: torch.optim.Optimizer, rows: Rows, rate: float
) -> dict[str, float]:
    """One step, and what a trainer would log of it."""
    net.train()
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss = task.loss(net, rows)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(net.parameters(), recipe.clip or FAR)
    optimizer.step()
    more = task.measures(net, rows) if task.measures is not None else {}
    return {"loss": float(loss.detach()), "norm": float(norm), "rate": rate, **more}


def _evaluated(net: nn.Module, task: Task, step: int) -> dict[str, float]:
    net.eval()
    with torch.no_grad():
        more = task.measures(net, task.seen) if task.measures is not None else {}
        return {
            "at": step,
            "seen": float(task.loss(net, task.seen)),
            "truth": float(task.loss(net, task.unseen)),
            **more,
        }


def _trace(
    task: Task, recipe: Recipe, rate: float, by_step: list[dict[str, float]], by_eval: list[dict[str, float]]
) -> Trace:
    def column(rows: list[dict[str, float]], name: str) -> FloatArray:
        return np.asarray([row[name] for row in rows], dtype=np.float64)

    own = [name for name in by_step[0] if name not in ("loss", "norm", "rate")]
    return Trace(
        rate,
        recipe,
        len(task.rows[0]),
        column(by_step, "loss"),
        column(by_step, "norm"),
        column(by_step, "rate"),
        column(by_eval, "at"),
        column(by_eval, "seen"),
        column(by_eval, "truth"),
        {name: column(by_step, name) for name in own},
        {name: column(by_eval, name) for name in own},
    )
