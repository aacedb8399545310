"""A table of trained runs: the run of any setting, what it is worth, and which setting is the best."""

from __future__ import annotations

import json
import lzma
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from benchmarks.search.grids import GRIDS, Grid, Setting
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Diagnosis
from diagnostics.model.settings import Settings


@dataclass(frozen=True)
class Table:
    """The runs of a grid by setting and seed, judged by one metric; lower is better, whatever the metric."""

    name: str
    axes: Mapping[str, tuple[float, ...]]
    runs: Mapping[Setting, Mapping[int, Run]]
    metric: str = "eval_loss"
    sign: float = 1.0

    @cached_property
    def space(self) -> dict[str, BaseDistribution]:
        """The search space: the rate is continuous, every other knob one of the grid's values."""
        rates = self.axes["learning_rate"]
        others = {
            knob: CategoricalDistribution(values) for knob, values in self.axes.items() if knob != "learning_rate"
        }
        return {"learning_rate": FloatDistribution(min(rates), max(rates), log=True), **others}

    @cached_property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Each knob's range, as a study file would give it."""
        return {knob: (min(values), max(values)) for knob, values in self.axes.items()}

    @cached_property
    def truths(self) -> dict[Setting, float]:
        """What each setting is worth: the mean over its seeds of the best evaluation."""
        return {at: float(np.mean([self.value(run) for run in by_seed.values()])) for at, by_seed in self.runs.items()}

    @cached_property
    def best(self) -> Setting:
        """The best setting; one that was trained with a single seed may have been lucky, and cannot win."""
        repeated = [at for at, by_seed in self.runs.items() if len(by_seed) > 1] or list(self.runs)
        return min(repeated, key=lambda at: self.truths[at])

    @cached_property
    def noise(self) -> dict[float, float]:
        """The deviation between seeds of one setting, by learning rate, in units of the metric."""
        found: dict[float, list[float]] = {}
        for at, by_seed in self.runs.items():
            if len(by_seed) > 1:
                values = [self.value(run) for run in by_seed.values()]
                found.setdefault(dict(at)["learning_rate"], []).append(float(np.var(values, ddof=1)))
        return {rate: float(np.sqrt(np.mean(variances))) for rate, variances in sorted(found.items())}

    def noise_at(self, setting: Setting) -> float:
        """The deviation between seeds at a setting: that of its learning rate, or of the nearest rate with repeats."""
        rate = dict(setting)["learning_rate"]
        nearest = min(self.noise, key=lambda known: abs(math.log(known / rate)), default=None)
        return 0.0 if nearest is None else self.noise[nearest]

    def regret(self, setting: Setting) -> float:
        """How far a setting lies from the best one, as a share of the best value's size."""
        least = self.truths[self.best]
        return (self.truths[setting] - least) / abs(least)

    def regret_apart(self, setting: Setting) -> float:
        """The regret less its standard error over the seeds that a setting shares with the best one; 0 for a tie.

        The one-standard-error rule (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3): which of
        two settings that close is the best, these runs do not tell.
        """
        ours, best = self.runs[setting], self.runs[self.best]
        gaps = [self.value(ours[seed]) - self.value(best[seed]) for seed in ours if seed in best]
        if len(gaps) < 3:
            return self.regret(setting)
        error = float(np.std(gaps, ddof=1)) / math.sqrt(len(gaps)) / abs(self.truths[self.best])
        return max(0.0, self.regret(setting) - error)

    def value(self, run: Run) -> float:
        """The best evaluation of a run; the first one (before training) where no other is finite."""
        curve = run.curve(self.metric)
        if curve is None or not len(curve):
            return math.inf
        return float(np.min(self.sign * np.asarray(curve.values)))

    def run(self, setting: Setting, seed: int) -> Run:
        """The run of a setting with one of the seeds that it was trained with, taken in turn."""
        by_seed = self.runs[setting]
        return by_seed[sorted(by_seed)[seed % len(by_seed)]]

    def nearest(self, wanted: Mapping[str, Any]) -> Setting:
        """The setting of the grid that answers for these values: the nearest rate, the same value of the rest."""
        rates = self.axes["learning_rate"]
        rate = min(rates, key=lambda known: abs(math.log(known / wanted["learning_rate"])))
        return tuple((knob, rate if knob == "learning_rate" else wanted[knob]) for knob in self.axes)

    def only(self, **fixed: float) -> Table:
        """The part of the table where some knobs have one value, without those axes."""
        axes = {knob: values for knob, values in self.axes.items() if knob not in fixed}
        runs = {
            tuple(pair for pair in at if pair[0] not in fixed): by_seed
            for at, by_seed in self.runs.items()
            if all(dict(at)[knob] == value for knob, value in fixed.items())
        }
        name = " ".join([self.name, *(f"{knob} {value:g}" for knob, value in fixed.items())])
        return Table(name, axes, runs, self.metric, self.sign)

    def judged_by(self, metric: str, sign: float) -> Table:
        """The same runs judged by another metric; ``sign`` is -1 where more is better."""
        return Table(self.name, self.axes, self.runs, metric, sign)


def load(grid: Grid, path: Path | None = None) -> Table:
    """The table of a grid, from its packed file or from the rows that are being trained."""
    path = path or grid.table
    raw = path.read_bytes()
    text = lzma.decompress(raw) if path.suffix == ".xz" else raw
    return Table(grid.name, grid.axes, _runs(json.loads(line) for line in text.splitlines()))


def _runs(rows: Iterable[Mapping[str, Any]]) -> dict[Setting, dict[int, Run]]:
    runs: dict[Setting, dict[int, Run]] = {}
    for row in rows:
        setting = tuple(row["setting"].items())
        runs.setdefault(setting, {})[row["seed"]] = _run(row)
    return runs


def _run(row: Mapping[str, Any]) -> Run:
    curves = {
        name: Curve(np.asarray(steps, float), np.asarray(values, float), tuple(float(s) for s in broken))
        for name, (steps, values, broken) in row["curves"].items()
    }
    name = " ".join(f"{knob}={value:g}" for knob, value in row["setting"].items()) + f" seed={row['seed']}"
    return Run(name, curves, Settings.from_mapping(row["settings"]), tuple(row["notes"]))


def load_all(folder: Path | None = None, *, unseen: bool = False) -> list[Table]:
    """Every table that the search is made on, or with ``unseen`` every one that it is only scored on.

    A DPO loss means something else for each beta, so the DPO runs make three tables: one for each beta judged by its
    loss, and one over both judged by the share of pairs that are told apart.
    """
    tables = []
    for grid in GRIDS.values():
        path = folder / f"{grid.name}.jsonl" if folder else grid.table
        if not path.exists() or grid.unseen != unseen:
            continue
        table = load(grid, path)
        if "beta" in grid.axes:
            tables += [table.only(beta=beta) for beta in grid.axes["beta"]]
            tables.append(table.judged_by("eval_rewards_accuracies", -1.0))
        else:
            tables.append(table)
    return tables


def cut(run: Run, share: float) -> Run:
    """The run as it was logged up to a share of its steps."""
    end = share * run.last_step
    curves = {
        name: Curve(curve.steps[keep], curve.values[keep], tuple(s for s in curve.broken if s <= end))
        for name, curve in run.curves.items()
        for keep in (np.asarray(curve.steps) <= end + 1e-9,)
    }
    return Run(run.name, curves, run.settings, run.notes)


class Judge:
    """Verdicts on the runs of a table, each made once."""

    def __init__(self, table: Table) -> None:
        self._bounds = table.bounds
        self.of = lru_cache(maxsize=None)(self._of)
        self.part = lru_cache(maxsize=None)(cut)

    def _of(self, run: Run, share: float) -> Diagnosis:
        return diagnose(self.part(run, share), bounds=self._bounds)
