"""Runs whose best learning rate is known, each in several states of logging, as features and an offset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.rate.networks import sweeps
from benchmarks.search.grids import Setting
from benchmarks.search.table import Table, load_all
from diagnostics import read
from diagnostics.diagnosis.context import prepare
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.rate_estimate import OFFSETS
from diagnostics.model.settings import Settings
from diagnostics.rate.features import features_of
from diagnostics.rate.prior import log_prior

RATE = "learning_rate"
AS_LOGGED = "as logged"
LOGS = (AS_LOGGED, "no eval before training", "no evals", "losses alone")
"""How a run is logged; a feature must mean the same in all of them."""
Known = tuple[str, float, Run]
"""The source, log10(rate / best rate), the run."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A run's features, where its rate truly stands, and what its settings say of that."""

    source: str
    log: str
    offset: float
    features: dict[str, float]
    prior: FloatArray


def placed(runs: Iterable[Known]) -> list[Placed]:
    """Every run in every state of logging."""
    found = []
    for source, offset, run in runs:
        for log in LOGS:
            seen = prepare(logged(run, log), None)
            features = features_of(seen.curves, seen.settings)
            if features:
                prior = log_prior(seen.settings, run.settings.learning_rate)
                at = float(np.clip(offset, OFFSETS[0], OFFSETS[-1]))
                found.append(Placed(source, log, at, features, prior))
    return found


def logged(run: Run, log: str) -> Run:
    """The run as it would look with less of it logged."""
    held, curves = run.curves.get("eval_loss"), dict(run.curves)
    if log == "no evals":
        curves = {name: curve for name, curve in curves.items() if not name.startswith("eval_")}
    elif log == "no eval before training" and held is not None and len(held) > 1:
        curves["eval_loss"] = Curve(held.steps[1:], held.values[1:])
    elif log == "losses alone":
        curves = {name: curve for name, curve in curves.items() if name in ("train_loss", "eval_loss")}
        return replace(run, curves=curves, settings=Settings(learning_rate=run.settings.learning_rate))
    return replace(run, curves=curves)


def tables() -> Iterator[Known]:
    """The runs of every table of the search benchmark that is judged by its loss."""
    for table in load_all():
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


def all_known(folder: Path | None, networks: int) -> list[Known]:
    """All sources: the tables, so many sweeps of small networks, the labeled sweeps of a folder."""
    return [*tables(), *sweeps(networks), *(labeled(folder) if folder else ())]
