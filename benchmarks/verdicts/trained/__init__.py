"""Small networks of many kinds, really trained at many rates and logged as people log, with labels from the truth.

Each task is trained at ten rates over five decades. What a run is called by its label rests on the loss on rows
that no log has, at this rate and at the others (``labels``); what a diagnosis sees is one of many kinds of log
(``logs``). Some 300 trainings of eight families and twice as many logs take minutes on one core.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.verdicts.cases import Labeled
from benchmarks.verdicts.trained.dead import dead
from benchmarks.verdicts.trained.labels import truths
from benchmarks.verdicts.trained.logs import logged
from benchmarks.verdicts.trained.tasks import SCRATCH, Task
from benchmarks.verdicts.trained.training import Recipe, Trace, train
from benchmarks.verdicts.trained.tuning import TUNED

FAMILIES = {make.__name__: make for make in (*SCRATCH, *TUNED, dead)}
RATES = 10.0 ** np.asarray([-2.75, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0])
"""Factors on a task's center."""
OTHER_OPTIMIZERS = {"adam": 1.0, "momentum": 5.0, "sgd": 40.0}
"""How much higher the rates of an optimizer lie than Adam's."""
LOGS = 2
"""Logs of each training."""


def recipe(rng: np.random.Generator, task: Task) -> Recipe:
    """How a task is trained: up to 60 passes over its rows."""
    batch = int(rng.choice([8, 16, 32, 64]))
    steps = int(2 ** rng.uniform(6.3, 8.5))
    steps = min(steps, max(60, 60 * len(task.rows[0]) // batch))
    fine = task.family in ("fine_tune", "prefer")
    return Recipe(
        optimizer="adam" if fine else str(rng.choice(["adam", "adam", "momentum", "sgd"])),
        schedule=str(rng.choice(["constant", "linear", "cosine"])),
        warmup=float(rng.choice([0.0, 0.05, 0.1])),
        batch=batch,
        steps=steps,
        clip=float(rng.choice([0.0, 1.0])) or None,
        decay=float(rng.choice([0.0, 0.01])),
    )


def sweep(family: str, number: int, seed: int) -> tuple[Task, list[Trace]]:
    """One task of a family, trained at all rates."""
    key = [seed, number, sorted(FAMILIES).index(family)]
    rng = np.random.default_rng(key)
    task = FAMILIES[family](torch.Generator().manual_seed(int(rng.integers(1 << 30))))
    how = recipe(rng, task)
    center = task.center * OTHER_OPTIMIZERS[how.optimizer]
    factors = RATES if family != "dead" else RATES[4:8]
    return task, [train(task, how, float(center * factor), number) for factor in factors]


def labeled_logs(family: str, number: int, seed: int) -> list[Labeled]:
    """The logs of one sweep with their labels."""
    task, traces = sweep(family, number, seed)
    rng = np.random.default_rng([seed, number, 7])
    found = []
    for trace, truth in zip(traces, truths(traces, family), strict=True):
        for copy in range(LOGS):
            name = f"{family}-{seed}-{number}-{trace.rate:.1e}-{copy}"
            run = logged(trace, task.known, rng, name)
            if truth is not None:
                found.append(Labeled(name, f"trained {family}", truth.label, run, truth.accepted))
    return found
