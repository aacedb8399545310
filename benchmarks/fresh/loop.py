"""A plain training loop that measures every step, and the truth behind it on rows that the log never shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.dialects.measured import Eval, Measured
from benchmarks.fresh.recipe import Recipe
from benchmarks.fresh.tasks import Task

EVAL_BATCH = 256
BROKEN_FROM = 0.45
"""The share of the steps after which a run with the fault ``nan`` or ``zeros`` computes nothing any more."""


@dataclass(frozen=True)
class Truth:
    """The held-out loss on all rows kept back: before training, at its lowest and where, and at the end.

    A loss that is not finite is infinite here.
    """

    start: float
    lowest: float
    lowest_at: float
    end: float

    @classmethod
    def of(cls, steps: list[int], losses: list[float]) -> Truth:
        """The truth of evaluations after these steps, the first of which is before training."""
        known = [loss if math.isfinite(loss) else math.inf for loss in losses]
        best = int(np.argmin(known))
        return cls(known[0], known[best], steps[best] / steps[-1], known[-1])


def train(task: Task, recipe: Recipe) -> tuple[Measured, Truth]:
    """One run: what its loop measured, and the truth on the rows kept back."""
    rng = np.random.default_rng(recipe.seed)
    torch.manual_seed(recipe.seed)
    rows, held = _with_fault(task.rows, task.held, recipe, rng)
    model = task.model(recipe)
    _spoil(model, recipe)
    weights = [w for w in model.parameters() if w.requires_grad]
    optimizer = _optimizer(weights, recipe)
    losses, norms, hits = np.full(recipe.steps, np.nan), np.full(recipe.steps, np.nan), np.full(recipe.steps, np.nan)
    rates = np.array([recipe.rate_at(step) for step in range(1, recipe.steps + 1)])
    due = _evaluations(recipe)
    first, evals, truths = _evaluate(task, model, held, 0), list[Eval](), list[float]()
    evals.append(first[0])
    truths.append(first[1])
    order = np.array([], dtype=np.int64)
    for step in range(1, recipe.steps + 1):
        if order.size < recipe.batch:
            order = rng.permutation(recipe.rows)
        at, order = torch.from_numpy(order[: recipe.batch]), order[recipe.batch :]
        broken = recipe.fault in ("nan", "zeros") and step > BROKEN_FROM * recipe.steps
        finite = step == 1 or math.isfinite(losses[step - 2])
        if finite and not broken:
            losses[step - 1], norms[step - 1], hits[step - 1] = _step(
                task, model, (rows[0][at], rows[1][at]), optimizer, weights, float(rates[step - 1]), recipe
            )
        if step in due:
            one, truth = (
                _evaluate(task, model, held, step)
                if math.isfinite(losses[step - 1])
                else (Eval(step, math.nan), math.nan)
            )
            evals.append(one)
            truths.append(truth)
    accuracies = hits if task.hits else None
    measured = Measured(
        losses, rates, norms, tuple(evals), recipe.steps_per_epoch, recipe.settings(), task.facts, accuracies
    )
    return measured, Truth.of([e.step for e in evals], truths)


def _step(
    task: Task,
    model: nn.Module,
    batch: tuple[Tensor, Tensor],
    optimizer: torch.optim.Optimizer,
    weights: list[nn.Parameter],
    rate: float,
    recipe: Recipe,
) -> tuple[float, float, float]:
    """One step: its loss and gradient norm before it, and the share of right answers."""
    model.train()
    optimizer.zero_grad()
    loss = task.losses(model, *batch).mean()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(weights, recipe.clip or math.inf)
    for group in optimizer.param_groups:
        group["lr"] = 0.0 if recipe.fault == "frozen" else rate
    optimizer.step()
    hits = math.nan
    if task.hits:
        with torch.no_grad():
            hits = float(task.hits(model, *batch).mean())
    return float(loss.detach()), float(norm), hits


def truth_of(task: Task, model: nn.Module) -> float:
    """The loss on all rows kept back; the model is left in the mode it was in."""
    mode = model.training
    truth = _evaluate(task, model, task.held, 0)[1]
    model.train(mode)
    return truth


def _evaluate(task: Task, model: nn.Module, held: tuple[Tensor, Tensor], step: int) -> tuple[Eval, float]:
    """The evaluation that the run logs, and the loss on all rows kept back."""
    model.eval()
    losses, hits = list[Tensor](), list[Tensor]()
    with torch.no_grad():
        for start in range(0, held[0].shape[0], EVAL_BATCH):
            batch = held[0][start : start + EVAL_BATCH], held[1][start : start + EVAL_BATCH]
            losses.append(task.losses(model, *batch))
            if task.hits:
                hits.append(task.hits(model, *batch))
    every = torch.cat(losses)
    accuracy = float(torch.cat(hits)[: task.seen].mean()) if hits else None
    return Eval(step, float(every[: task.seen].mean()), accuracy), float(every.mean())


def _evaluations(recipe: Recipe) -> set[int]:
    """The steps after which the held-out rows are evaluated, the last one among them."""
    return {round(recipe.steps * i / recipe.evals) for i in range(1, recipe.evals + 1)} - {0}


def _with_fault(
    rows: tuple[Tensor, Tensor], held: tuple[Tensor, Tensor], recipe: Recipe, rng: np.random.Generator
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The rows of the run; with the fault ``shuffled`` every label, of held-out rows too, is that of another row."""
    if recipe.fault != "shuffled":
        return rows, held
    mixed = [(x, y[torch.from_numpy(rng.permutation(y.shape[0]))]) for x, y in (rows, held)]
    return mixed[0], mixed[1]


def _spoil(model: nn.Module, recipe: Recipe) -> None:
    """With the fault ``dead``, no unit of the first layer is ever on."""
    if recipe.fault == "dead":
        layers = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
        with torch.no_grad():
            for layer in layers[:-1]:
                layer.weight.mul_(0.01)
                if layer.bias is not None:
                    layer.bias.fill_(-5.0)
        for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
            nn.init.constant_(norm.bias, -5.0)
            nn.init.constant_(norm.weight, 0.01)


def _optimizer(weights: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(weights, recipe.rate, momentum=0.9, weight_decay=recipe.decay)
    return torch.optim.AdamW(weights, recipe.rate, weight_decay=recipe.decay)
