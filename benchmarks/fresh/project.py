"""One task of one style: its ladder of rates, and the runs that are scored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.fresh.labels import LEAST_REACH, Answer, Ladder, answer
from benchmarks.fresh.loop import Truth, train
from benchmarks.fresh.recipe import Recipe
from benchmarks.fresh.tasks import TASKS, Task

RUNGS = (-2.0, -1.2, -0.5, 0.0, 0.5, 1.2, 1.8)
"""Learning rates of a ladder, in decades from the usual one."""
STEP = 0.5
MOST_MORE = 3
"""A ladder whose best rate is its last gets up to so many more."""
MOST_PASSES = 100
"""Passes over a handful of rows, at most."""
LANGUAGE = ("letters", "other-language", "orders", "pairs")


@dataclass(frozen=True, eq=False)
class Trained:
    """A run: its settings, its log (what was measured, or where a trainer wrote it), the truth and the label."""

    task: str
    recipe: Recipe
    log: Any
    truth: Truth
    answer: Answer


Train = Callable[[Task, Recipe], tuple[Any, Truth]]
"""Trains a recipe: the run's log, and the truth."""
Run = tuple[Recipe, Any, Truth]


def project(kind: str, rng: np.random.Generator, count: int, epochs: bool, train: Train = train) -> list[Trained]:
    """Up to so many runs of a task of that kind; none where even the best rate learns nothing.

    With ``epochs`` the recipe is one that is trained and logged by whole passes over the rows.
    """
    task = TASKS[kind](rng)
    base = recipe_of(task, rng, epochs)
    runs = [(recipe, *train(task, recipe)) for recipe in ladder_of(base)]
    runs += further(task, runs, train)
    best, _, truth = min(runs, key=lambda run: run[2].end)
    if truth.start - truth.end < LEAST_REACH * abs(truth.start):
        return []
    ladder = Ladder(best.rate, truth.end, truth.start, train(task, replace(best, steps=2 * best.steps))[1].end)
    near = [replace(base, rate=ladder.best_rate * 10 ** rng.uniform(-0.3, 0.2), seed=base.seed + 1)]
    more = [(recipe, *train(task, recipe)) for recipe in (*near, spoiled(task, base, ladder, rng))]
    told = [Trained(kind, r, m, t, a) for r, m, t in (*runs, *more) if (a := answer(r, t, ladder)) is not None]
    return chosen(told, count, rng)


def chosen(runs: Sequence[Trained], count: int, rng: np.random.Generator) -> list[Trained]:
    """Runs of every label in turn, at random within a label; healthy ones come first and again after the others."""
    waiting: dict[str, list[Trained]] = {}
    for index in rng.permutation(len(runs)):
        waiting.setdefault(runs[index].answer.name, []).append(runs[index])
    names = sorted(waiting, key=lambda name: (name != "healthy", rng.random()))
    picked: list[Trained] = []
    while any(waiting.values()) and len(picked) < count:
        for name in names:
            if waiting[name] and len(picked) < count:
                picked.append(waiting[name].pop())
    return picked


def recipe_of(task: Task, rng: np.random.Generator, epochs: bool) -> Recipe:
    """Settings as people have them; the rate is that of the middle of the ladder."""
    seed = int(rng.integers(1 << 30))
    rows, usual = task.rows[0].shape[0], task.usual * 10 ** rng.uniform(-0.25, 0.25)
    schedule = str(rng.choice(["constant", "linear", "cosine"]))
    warmup = float(rng.choice([0.0, 0.03, 0.1]))
    if task.kind in LANGUAGE:
        heavy = task.kind == "orders"
        steps = int(rng.integers(30, 45)) if heavy else int(rng.integers(50, 111))
        batch = int(rng.choice([4, 8])) if heavy else int(rng.choice([8, 8, 16]))
        lora = None if task.kind == "letters" or (not heavy and rng.random() < 0.25) else int(rng.choice([4, 8, 16]))
        evals = int(rng.choice([5, 6])) if heavy else int(rng.choice([5, 8, 10, 15]))
        return Recipe(usual, steps, batch, rows, seed, "adamw", schedule, warmup, 0.0, 1.0, lora, evals)
    sgd = bool(rng.random() < 0.25)
    batch, passes = int(rng.choice([16, 32, 64])), int(rng.integers(12, 31))
    rows = min(rows, batch * int(rng.integers(14, 26)))
    optimizer, clip = ("sgd", None) if sgd else ("adamw", None if rng.random() < 0.7 else 1.0)
    decay = float(rng.choice([0.0, 0.0, 1e-4, 1e-2]))
    rate = usual * (10.0 if sgd else 1.0)
    evals = passes if epochs else int(rng.choice([8, 10, 15]))
    return Recipe(
        rate, passes * (rows // batch), batch, rows, seed, optimizer, schedule, warmup, decay, clip, None, evals
    )


def ladder_of(base: Recipe) -> list[Recipe]:
    """The recipe at every rate of the ladder."""
    return [replace(base, rate=base.rate * 10**rung) for rung in RUNGS]


def further(task: Task, runs: list[Run], train: Train) -> list[Run]:
    """More rungs beyond the last one, for as long as the last one is the best."""
    more: list[Run] = []
    for _ in range(MOST_MORE):
        ranked = sorted([*runs, *more], key=lambda run: run[0].rate)
        if min(ranked, key=lambda run: run[2].end) is not ranked[-1] or not math.isfinite(ranked[-1][2].end):
            break
        recipe = replace(ranked[-1][0], rate=ranked[-1][0].rate * 10**STEP)
        more.append((recipe, *train(task, recipe)))
    return more


def spoiled(task: Task, base: Recipe, ladder: Ladder, rng: np.random.Generator) -> Recipe:
    """The best rate with something wrong."""
    fault = str(rng.choice(["few-rows", *task.faults]))  # twice as often as the others
    seed = int(rng.integers(1 << 30))
    if fault != "few-rows":
        return replace(base, rate=ladder.best_rate, fault=fault, seed=seed)
    rows = base.batch * int(rng.integers(2, 5))
    passes = int(np.clip(base.steps * base.batch // rows, 8, MOST_PASSES))
    each = base.evals * base.steps_per_epoch == base.steps  # evaluated after every pass
    rate = ladder.best_rate * 10 ** rng.uniform(-0.3, 0.3)
    few = replace(base, rate=rate, fault=fault, seed=seed, rows=rows, steps=passes * (rows // base.batch))
    return replace(few, schedule="constant", decay=0.0, evals=passes if each else base.evals)
