"""Whole projects of fresh runs to fit on: every rate of a ladder, each run written by two programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dialects.measured import Layout, Measured
from benchmarks.dialects.writers import DIALECTS
from benchmarks.fresh.labels import LEAST_REACH, Answer, Ladder, answer
from benchmarks.fresh.loop import Truth, train
from benchmarks.fresh.project import further, ladder_of, recipe_of, spoiled
from benchmarks.fresh.recipe import SCHEDULES, Recipe
from benchmarks.fresh.styles import POINTS, can_tell, every
from benchmarks.fresh.tasks import TASKS

LATER = (
    *("claims", "lifetimes", "steering", "density", "tags", "rare-classes", "margins", "picks", "vocabulary"),
    *("masks", "boxes", "sounds", "nodes", "codebook", "equation", "quantiles"),
)
"""Kinds that are trained with every schedule, not only the three that all others know."""
OTHERS = (
    *("ratings", "ranking", "contrast", "triplets", "distilling", "autoencoding", "variational", "denoising"),
    *("counts", "prices", "masked-symbols", "sorting", "forecast"),
    *LATER,
)
"""Kinds that ``benchmarks.fresh`` never trains: the more kinds a fit has seen, the better it holds on one more."""
IN_EPOCHS = ("classes", "images", "regression", *OTHERS)
KINDS = ("classes", "images", "regression", "letters", "other-language", "other-language", "pretraining", *OTHERS)
LANGUAGE = ("letters", "pretraining", "other-language")
LOGS = 2
PROGRAMS: dict[str, tuple[tuple[str, ...], float]] = {
    "lightning-csv": (IN_EPOCHS, 1.0),
    "keras-log": (IN_EPOCHS, 0.9),
    "keras-history": (IN_EPOCHS, 1.0),
    "mlx-lm": (LANGUAGE[2:], 1.0),
    "wandb-export": ((*IN_EPOCHS, *LANGUAGE), 0.8),
    "llamafactory": (LANGUAGE[2:], 0.8),
    "ms-swift": (LANGUAGE[2:], 0.8),
    "torchtune": (LANGUAGE[2:], 0.0),
    "automodel": (LANGUAGE[2:], 0.8),
    "consoles": (LANGUAGE[2:], 0.8),
    "transformers": (LANGUAGE[1:], 0.8),
    "scripts": ((*IN_EPOCHS, *LANGUAGE[:2]), 0.8),
}
"""A dialect, the kinds of task it logs, and how often with evaluations."""
BY_EPOCH = ("lightning-csv", "keras-log", "keras-history")
WITH_SETTINGS = 0.6
Run = tuple[Recipe, Measured, Truth, Answer]


def trained(kind: str, seed: int, number: int) -> list[Run]:
    """Every run of a project whose label is known; none where even the best rate learns nothing."""
    rng = np.random.default_rng([seed, number, 99])
    task = TASKS[kind](rng)
    base = recipe_of(task, rng, kind in IN_EPOCHS and bool(rng.random() < 0.6))
    if kind in LATER:
        base = replace(base, schedule=str(rng.choice(list(SCHEDULES))))
    runs = [(recipe, *train(task, recipe)) for recipe in ladder_of(base)]
    runs += further(task, runs, train)
    best, _, truth = min(runs, key=lambda run: run[2].end)
    if truth.start - truth.end < LEAST_REACH * abs(truth.start):
        return []
    longer = train(task, replace(best, steps=2 * best.steps))[1].end
    ladder = Ladder(best.rate, truth.end, truth.start, longer)
    near = [replace(base, rate=best.rate * 10 ** rng.uniform(-0.3, 0.2), seed=base.seed + k) for k in (1, 2)]
    runs += [(recipe, *train(task, recipe)) for recipe in (*near, spoiled(task, base, ladder, rng))]
    return [(recipe, log, truth, label) for recipe, log, truth in runs if (label := answer(recipe, truth, ladder))]


def written(runs: Sequence[Run], kind: str, folder: Path, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """The rows of the runs' logs below the folder, as ``benchmarks.fresh`` keeps them."""
    by_epoch = all(recipe.evals * recipe.steps_per_epoch == recipe.steps for recipe, *_ in runs)
    able = [name for name, (kinds, _) in PROGRAMS.items() if kind in kinds and (by_epoch or name not in BY_EPOCH)]
    for copy in range(LOGS):
        name = str(rng.choice(able))
        evals = PROGRAMS[name][1]
        wanted = float(np.exp(rng.uniform(*np.log(POINTS))))
        with_evals, with_settings = bool(rng.random() < evals), bool(rng.random() < WITH_SETTINGS)
        seed = int(rng.integers(1 << 30))
        for number, (recipe, log, _, label) in enumerate(runs):
            layout = Layout(every(log, wanted), with_evals, with_settings, f"run-{number}", seed)
            path = DIALECTS[name](log, layout, folder / f"{copy}-{number}")
            if can_tell(label, path):
                yield {"style": name, "path": path, "recipe": asdict(recipe), "label": label.to_dict()}


def make(folder: Path, seeds: range, kinds: Sequence[str] = KINDS) -> None:
    """Train the projects of these seeds and keep their logs and labels in the folder; what is there stays."""
    file = folder / "labels.json"
    folder.mkdir(parents=True, exist_ok=True)
    rows = json.loads(file.read_text("utf-8"))["runs"] if file.is_file() else []
    done = {row["path"].split("/")[0] for row in rows}
    for seed in seeds:
        for number, kind in enumerate(KINDS):
            name = f"{seed}-{number}-{kind}"
            if kind in kinds and name not in done:
                found = written(trained(kind, seed, number), kind, folder / name, np.random.default_rng([seed, number]))
                rows += [{**row, "path": str(row["path"].relative_to(folder))} for row in found]
                file.write_text(json.dumps({"seed": seeds.start, "runs": rows}, indent=1), encoding="utf-8")
                print(name, len(rows), "logs", flush=True)
