"""Runs whose best learning rate is known, each in several states of logging, as features and an offset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh.labels import Answer
from benchmarks.rate.networks import sweeps
from benchmarks.search.grids import Setting
from benchmarks.search.table import Table, load_all
from diagnostics import read
from diagnostics.diagnosis.context import prepare
from diagnostics.errors import BadInput
from diagnostics.model.curves import Curve, Run
from diagnostics.model.rate_estimate import OFFSETS
from diagnostics.model.settings import Settings
from diagnostics.rate.features import features_of
from diagnostics.rate.prior import log_prior

RATE = "learning_rate"
AS_LOGGED = "as logged"
OTHER_TOKENS = "entropy of other tokens"
LOGS = (AS_LOGGED, "no eval before training", "no evals", OTHER_TOKENS, "losses alone")
"""How a run is logged; a feature must mean the same in all of them."""
FRESH = "fresh"
Known = tuple[str, float, Run]
"""The source, log10(rate / best rate), the run."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A run's features, where its rate truly stands, and what its settings say of that."""

    source: str
    log: str
    offset: float
    features: dict[str, float]
    prior: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        short = {name: float(f"{value:.6g}") for name, value in self.features.items()}
        return {**vars(self), "features": short, "prior": [round(value, 4) for value in self.prior]}


def placed(runs: Iterable[Known]) -> list[Placed]:
    """Every run in every state of logging; fresh runs were logged by many programs and stay as they are."""
    return [
        one
        for source, offset, run in runs
        for log in (LOGS if source.partition(",")[0] != FRESH else (AS_LOGGED,))
        if (one := _placed(source, log, offset, logged(run, log))) is not None
    ]


def _placed(source: str, log: str, offset: float, run: Run) -> Placed | None:
    seen = prepare(run, None)
    features = features_of(seen.curves, seen.settings)
    if not features:
        return None
    prior = log_prior(seen.settings, run.settings.learning_rate)
    at = float(np.clip(offset, OFFSETS[0], OFFSETS[-1]))
    return Placed(source, log, at, features, tuple(float(value) for value in prior))


def logged(run: Run, log: str) -> Run:
    """The run as it would look with less of it logged."""
    held, curves = run.curves.get("eval_loss"), dict(run.curves)
    if log == "no evals":
        curves = {name: curve for name, curve in curves.items() if not name.startswith("eval_")}
    elif log == "no eval before training" and held is not None and len(held) > 1:
        curves["eval_loss"] = Curve(held.steps[1:], held.values[1:])
    elif log == OTHER_TOKENS:  # half of those that the entropy is of are of prompts, which the loss leaves out
        curves |= {
            name: Curve(curve.steps, 0.5 * (curve.values[0] + curve.values))
            for name, curve in curves.items()
            if name in ("entropy", "eval_entropy") and len(curve)
        }
    elif log == "losses alone":
        curves = {name: curve for name, curve in curves.items() if name in ("train_loss", "eval_loss")}
        return replace(run, curves=curves, settings=Settings(learning_rate=run.settings.learning_rate))
    return replace(run, curves=curves)


def tables() -> Iterator[Known]:
    """The runs of every table of the search benchmark that is judged by its loss."""
    for table in (*load_all(), *load_all(unseen=True)):
        if table.metric == "eval_loss":
            for at, by_seed in table.runs.items():
                offset = float(np.log10(dict(at)[RATE])) - best_rate(table, at)
                yield from ((table.name, offset, run) for run in by_seed.values())


def best_rate(table: Table, at: Setting) -> float:
    """log10 of the best rate with the other knobs as in a setting: the vertex through the best three."""
    beside = {
        dict(other)[RATE]: value
        for other, value in table.truths.items()
        if all(a == b or a[0] == RATE for a, b in zip(other, at, strict=True))
    }
    rates = np.log10(sorted(beside))
    losses = np.log([max(1e-9, beside[rate]) for rate in sorted(beside)])
    best = int(np.argmin(losses))
    if not 0 < best < losses.size - 1:
        return float(rates[best])
    left, middle, right = losses[best - 1 : best + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(rates[best] + (rates[best + 1] - rates[best]) * np.clip(shift, -0.5, 0.5))


def labeled(folder: Path) -> Iterator[Known]:
    """The curves of a folder with a manifest that say how far their rate lies from the best of their sweep."""
    for row in json.loads((folder / "manifest.json").read_text("utf-8")):
        ratio = (row.get("hyperparameters") or {}).get("lr_over_best")
        if ratio:
            yield f"sweeps, {row.get('task', row['id'])}", float(np.log10(ratio)), read(folder / row["file"])


def fresh(folder: Path) -> Iterator[Known]:
    """The sound runs that ``benchmarks.fresh --keep`` or ``benchmarks.outlook train`` left, by the ladder's best.

    A run that overfits is left out: it is ill of something else.
    """
    for row in json.loads((folder / "labels.json").read_text("utf-8"))["runs"]:
        label = Answer.from_dict(row["label"])
        if row["recipe"]["fault"] or label.name == "overfit":
            continue
        try:
            run = read(folder / row["path"])
        except BadInput:
            continue
        yield f"{FRESH}, {folder.name}", float(np.log10(label.facts["times_best_rate"])), run


def all_known(folder: Path | None, networks: int, projects: Sequence[Path] = ()) -> list[Known]:
    """All sources: the tables, so many sweeps of small networks, the labeled sweeps of a folder, fresh runs."""
    labels = labeled(folder) if folder else ()
    return [*tables(), *sweeps(networks), *labels, *(known for project in projects for known in fresh(project))]


def kept(file: Path) -> list[Placed]:
    """The runs of a file that ``python -m benchmarks.rate gather`` wrote."""
    return [Placed(**row) for row in json.loads(file.read_text("utf-8"))]


def kin(source: str) -> str:
    """The name of all tables that share runs with a source: two betas of a grid share nothing else than their data."""
    return source if "," in source else source.partition(" ")[0]
