"""Set-ups that learn nothing at any rate: labels that are chance, units that never answer, weights that are alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from benchmarks.verdicts.trained.tasks import Generator, Rows, Task, classify, images, language, pick, regress


def _shuffled(gen: Generator, task: Task) -> Task:
    """The answers belong to other rows, on every set."""

    def mixed(rows: Rows) -> Rows:
        return (rows[0][torch.randperm(len(rows[0]), generator=gen)], *rows[1:])

    many = (
        tuple(part.repeat(2, *[1] * (part.dim() - 1)) for part in task.rows) if len(task.rows[0]) < 800 else task.rows
    )
    return replace(task, rows=mixed(many), seen=mixed(task.seen), unseen=mixed(task.unseen))


def _changed(task: Task, change: Callable[[nn.Parameter], None]) -> Task:
    """The task with every weight matrix of its network changed before training."""

    def build() -> nn.Module:
        net = task.build()
        with torch.no_grad():
            for parameter in net.parameters():
                change(parameter)
        return net

    return replace(task, build=build)


def _vanishing(gen: Generator, task: Task) -> Task:
    """Seven layers of sigmoids, through which no gradient comes."""
    width, outputs = task.rows[0].shape[1], int(task.rows[1].max()) + 1
    seed = int(torch.randint(1 << 30, (), generator=gen))

    def build() -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            layers = [part for _ in range(6) for part in (nn.Linear(24, 24), nn.Sigmoid())]
            return nn.Sequential(nn.Linear(width, 24), nn.Sigmoid(), *layers, nn.Linear(24, outputs))

    return replace(task, build=build)


def _shut(parameter: nn.Parameter) -> None:
    """Biases so low that no rectified unit answers, but in the last layer."""
    if parameter.dim() == 1 and len(parameter) > 10:
        parameter.fill_(-30.0)


def _alike(parameter: nn.Parameter) -> None:
    """Weights of 0, so that all units of a layer stay equal."""
    parameter.zero_()


def dead(gen: Generator) -> Task:
    """One of the set-ups, of one of the tasks."""
    kind = pick(gen, "shuffled", "vanishing", "alike", "shut")
    if kind == "shuffled":
        task = _shuffled(gen, pick(gen, classify, images, regress)(gen))
    elif kind == "vanishing":
        task = _vanishing(gen, classify(gen))
    elif kind == "alike":
        task = _changed(pick(gen, classify, language)(gen), _alike)
    else:
        task = _changed(images(gen), _shut)
    return replace(task, family="dead")
