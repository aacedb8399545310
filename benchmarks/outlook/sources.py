"""The sources: people's runs, trained networks of several kinds, fresh runs of other seeds, the search tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh.labels import LEAST_REACH, Answer, Ladder, answer
from benchmarks.fresh.loop import Truth
from benchmarks.fresh.recipe import Recipe
from benchmarks.outlook.known import OF_LABEL, Known, flat, known, of_answer, of_labeled
from benchmarks.outlook.projects import OTHERS
from benchmarks.rate.networks import RATES, Sweep, drawn, trained
from benchmarks.verdicts.cases import Labeled, labeled
from benchmarks.verdicts.healthy import FAMILIES, healthy_runs
from benchmarks.verdicts.sources import tables
from diagnostics import read
from diagnostics.errors import BadInput
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.label import Label
from diagnostics.model.settings import Settings
from diagnostics.rules import RULES
from diagnostics.synthetic import CAUSES, HEALTHY, make

MOST_STEPS, COPIES, OF_A_SWEEP = 600, 2, 9
DIGITS = (None, 3, 4, 6)


def people(folder: Path) -> list[Known]:
    """The runs of a folder with a manifest; a repository is a task."""
    return flat(of_labeled("people", item.source, item) for item in labeled(folder))


def searched() -> list[Known]:
    """The runs of the search tables; a table is a task."""
    return flat(of_labeled("tables", item.source, item) for item in tables())


def made_up(seeds: int, of_a_family: int) -> list[Known]:
    """Synthetic runs of many causes, in logs of several lengths and noises, and healthy runs of other shapes."""
    labels = {rule.name: str(rule.label) for rule in RULES if rule.label in (Label.UNDERFIT, Label.OVERFIT)}
    causes = {**dict.fromkeys(HEALTHY, "healthy"), **{name: labels[name] for name in CAUSES if name in labels}}
    found = [
        known("made up", cause, make(cause, noise=noise, seed=seed, logs=logs), OF_LABEL[label])
        for cause, label in causes.items()
        for logs in (20, 60, 300)
        for noise in (0.0, 0.02, 0.05, 0.1)
        for seed in range(1000, 1000 + seeds)
    ]
    healthy = [
        of_labeled("families", family, item) for family in FAMILIES for item in healthy_runs(family, of_a_family)
    ]
    return flat([*found, *healthy])


def networks(items: list[Labeled]) -> list[Known]:
    """The logs of ``benchmarks.verdicts.trained``; all rates of a task share it."""
    return flat(of_labeled("trained", item.name.rsplit("-", 2)[0], item) for item in items)


def fresh(folder: Path) -> list[Known]:
    """Runs that ``benchmarks.fresh --keep`` or ``benchmarks.outlook train`` left; a project is a task.

    The first writes them to ``style/number/run``, the second to ``seed-number-kind/run``. Kinds of task that the first
    never trains are a kind of source of their own.
    """
    rows = kept(folder)
    return flat(
        _fresh("others" if row.kind in OTHERS else "fresh", row.task, folder / row.path, row.label) for row in rows
    )


@dataclass(frozen=True)
class Kept:
    """A run that was kept: where its log lies below its folder, its project, the kind of task, and its label."""

    style: str
    path: str
    task: str
    kind: str
    label: Answer


def kept(folder: Path) -> list[Kept]:
    """The runs that a folder of fresh runs holds."""
    rows = json.loads((folder / "labels.json").read_text("utf-8"))["runs"]
    return [_kept(folder.name, row, row["path"].split("/")) for row in rows]


def _kept(folder: str, row: Mapping[str, Any], parts: list[str]) -> Kept:
    whole = parts[0] != row["style"]  # a whole project, whose folder names its kind
    task = "/".join([folder, *parts[: 1 if whole else 2]])
    kind = parts[0].split("-", 2)[-1] if whole else row.get("task", "")
    return Kept(row["style"], row["path"], task, kind, Answer.from_dict(row["label"]))


def _fresh(kind: str, task: str, path: Path, label: Answer) -> list[Known]:
    try:
        run = read(path)
    except BadInput:
        return []
    return of_answer(kind, task, run, label)


def sweeps(count: int, seed: int = 77) -> list[Known]:
    """Sweeps of small networks over their rates, each rate logged twice, with less and with more."""
    return flat(_of_sweep(number, np.random.default_rng([seed, number])) for number in range(count))


def _of_sweep(number: int, rng: np.random.Generator) -> list[Known]:
    sweep = drawn(rng)
    sweep = replace(sweep, steps=min(sweep.steps, MOST_STEPS))
    runs, truth = trained(sweep, rng, f"sweep-{number}")
    best, start = int(np.argmin(truth[-1])), float(truth[0, 0])
    if start - truth[-1, best] < LEAST_REACH * start:
        return []
    end = float(truth[-1, best])
    ladder = Ladder(float(RATES[best]), end, start, end)
    chosen = [rng.choice(RATES.size, min(RATES.size, OF_A_SWEEP), replace=False) for _ in range(COPIES)]
    return flat(
        of_answer("sweeps", f"sweep {number}", run, _answer(sweep, int(k), truth, ladder))
        for picked in chosen
        for k, run in zip(picked, _logged([runs[k] for k in picked], rng), strict=True)
    )


def _answer(sweep: Sweep, k: int, truth: FloatArray, ladder: Ladder) -> Answer | None:
    steps = [round(share * sweep.steps) for share in np.linspace(0, 1, truth.shape[0])]
    recipe = Recipe(float(RATES[k]), sweep.steps, sweep.batch, sweep.rows, 0)
    return answer(recipe, Truth.of(steps, [float(loss) for loss in truth[:, k]]), ladder)


def _logged(runs: list[Run], rng: np.random.Generator) -> Iterator[Run]:
    """The runs as one program would log them."""
    chances = {"train_loss": 1.0, "eval_loss": 0.7, "grad_norm": 0.5, "learning_rate": 0.5}
    kept = [name for name, chance in chances.items() if rng.random() < chance]
    settings, digits = bool(rng.random() < 0.4), DIGITS[int(rng.integers(len(DIGITS)))]
    for run in runs:
        curves = {name: _rounded(run.curves[name], digits) for name in kept}
        yield replace(run, curves=curves, settings=run.settings if settings else Settings())


def _rounded(curve: Curve, digits: int | None) -> Curve:
    return curve if digits is None else Curve(curve.steps, curve.values.round(digits), curve.broken)
