"""The fit: one multinomial regression, every kind of source with a weight of its own, and a penalty on its weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import minimize

from benchmarks.outlook.known import OUTCOMES, Known
from diagnostics.model.curves import FloatArray
from diagnostics.outlook.fitted import Fitted

CORNERS = (0.03, 0.265, 0.5, 0.735, 0.97)
"""The corners of a feature are these quantiles of it."""
LEAST_RUNS = 60
"""A feature that fewer runs show is left out."""
RIDGE = 40.0
RUNS_OF_A_KIND = {
    "people": 600.0,
    "trained": 600.0,
    "tables": 300.0,
    "sweeps": 240.0,
    "made up": 900.0,
    "fresh": 1200.0,
}
"""So much does each kind of source count, however many runs it has: few people's runs have much to say."""
MOST_WEIGHT = 4.0
FOLDS = 6


def fit(runs: Sequence[Known], names: Sequence[str]) -> Fitted:
    """The model of these features fitted to the runs."""
    empty = Fitted(places(runs, names), np.zeros((0, len(OUTCOMES))))
    inputs = np.stack([empty.inputs(run.features) for run in runs])
    truth = np.eye(len(OUTCOMES))[[run.outcome for run in runs]]
    weight = weights(runs)[:, None]
    shape = (inputs.shape[1], len(OUTCOMES))

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        found = flat.reshape(shape)
        scores = inputs @ found
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        total = chances.sum(axis=1, keepdims=True)
        held = np.concatenate([np.zeros((1, shape[1])), found[1:]])  # the constant is free
        value = -(weight * truth * (scores - np.log(total))).sum() + 0.5 * RIDGE * (held**2).sum()
        return float(value), (inputs.T @ (weight * (chances / total - truth)) + RIDGE * held).ravel()

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return Fitted(empty.places, np.round(found.x.reshape(shape), 2))


def places(runs: Sequence[Known], names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The corners of each feature that enough runs show."""
    found = {}
    for name in names:
        values = [run.features[name] for run in runs if name in run.features]
        if len(values) >= LEAST_RUNS:
            at = np.unique(np.quantile(values, CORNERS).round(3))
            found |= {name: tuple(float(place) for place in at)} if at.size > 1 else {}
    return found


def weights(runs: Sequence[Known]) -> FloatArray:
    """What each run counts."""
    count = Counter(run.kind for run in runs)
    return np.array([min(MOST_WEIGHT, RUNS_OF_A_KIND[run.kind] / count[run.kind]) for run in runs])


def left_out(runs: Sequence[Known], names: Sequence[str], seed: int = 1) -> FloatArray:
    """The chances of each run by a fit on five sixths of the tasks, its own not among them; shape (runs, outcomes)."""
    found = np.zeros((len(runs), len(OUTCOMES)))
    for inside, outside in _folds([run.task for run in runs], seed):
        model = fit([runs[i] for i in inside], names)
        for i in outside:
            out = model.outlook(runs[i].features)
            found[i] = (out.well, out.slow, out.hot, out.overfit)
    return found


def _folds(tasks: Sequence[str], seed: int) -> Iterator[tuple[list[int], list[int]]]:
    names = sorted(set(tasks))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[at]: place % FOLDS for place, at in enumerate(order)}
    for number in range(FOLDS):
        yield (
            [i for i, task in enumerate(tasks) if fold[task] != number],
            [i for i, task in enumerate(tasks) if fold[task] == number],
        )
