"""The fit: boosted trees (scikit-learn's), every kind of source with a weight of its own, written as arrays.

Trees, not a sum over features: what a fall says depends on what else the log shows, and by tasks left out trees let a
third of the ill runs pass that a sum lets pass. They are fitted from several seeds, whose log odds are averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.outlook.known import OUTCOMES, Known
from diagnostics.model.curves import FloatArray
from diagnostics.outlook.fitted import Fitted

LEAST_RUNS = 60
"""A feature that fewer runs show is left out."""
RUNS_OF_A_KIND = {
    "people": 600.0,
    "trained": 600.0,
    "tables": 300.0,
    "sweeps": 240.0,
    "made up": 900.0,
    "families": 900.0,
    "fresh": 1200.0,
    "others": 700.0,
}
"""So much does each kind of source count, however many runs it has: few people's runs have much to say."""
MOST_WEIGHT = 4.0
FOLDS = 6
SEEDS = 2
TREES = {
    "max_iter": 170,
    "learning_rate": 0.08,
    "max_leaf_nodes": 10,
    "min_samples_leaf": 15,
    "l2_regularization": 5.0,
    "max_features": 0.3,
    "early_stopping": False,
}


def fit(runs: Sequence[Known], seeds: int = SEEDS) -> Fitted:
    """The trees fitted to the runs. Needs scikit-learn, which nothing else does: ``pip install scikit-learn``."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    names = shown(runs)
    inputs = np.array([[run.features.get(name, np.nan) for name in names] for run in runs])
    outcomes, weight = [run.outcome for run in runs], weights(runs)
    with threadpool_limits(1):  # threads wait for each other: on busy cores ten times as long as they work
        models = [
            HistGradientBoostingClassifier(**TREES, random_state=seed).fit(inputs, outcomes, sample_weight=weight)
            for seed in range(seeds)
        ]
    return _as_arrays(names, models)


def shown(runs: Sequence[Known]) -> tuple[str, ...]:
    """The features that enough runs show."""
    count = Counter(name for run in runs for name in run.features)
    return tuple(sorted(name for name in count if count[name] >= LEAST_RUNS))


def _as_arrays(names: tuple[str, ...], models: Sequence[Any]) -> Fitted:
    """The trees of all models, one after the other, their log odds averaged."""
    constant = np.mean([model._baseline_prediction[0] for model in models], axis=0)
    trees = [(k, one.nodes) for model in models for several in model._predictors for k, one in enumerate(several)]
    nodes = np.concatenate([one for _, one in trees])
    starts = np.cumsum([0, *(one.size for _, one in trees)])[:-1]
    leaf = nodes["is_leaf"].astype(bool)
    own = np.concatenate([np.arange(one.size) for _, one in trees])
    if not (nodes["left"] == own + 1)[~leaf].all():
        raise RuntimeError("this version of scikit-learn no longer puts the left child right after its node")
    number = np.where(leaf, nodes["value"] / len(models), nodes["num_threshold"])
    return Fitted(
        names,
        constant.round(4),
        starts,
        np.array([k for k, _ in trees]),
        np.where(leaf, -1, nodes["feature_idx"].astype(np.int64)),
        np.array([float(f"{one:.4g}" if ends else f"{one:.6g}") for one, ends in zip(number, leaf, strict=True)]),
        np.where(leaf, 0, nodes["right"].astype(np.int64) - own),
        nodes["missing_go_to_left"].astype(bool) & ~leaf,
    )


def weights(runs: Sequence[Known]) -> FloatArray:
    """What each run counts."""
    count = Counter(run.kind for run in runs)
    return np.array([min(MOST_WEIGHT, RUNS_OF_A_KIND[run.kind] / count[run.kind]) for run in runs])


def left_out(runs: Sequence[Known], seed: int = 1) -> FloatArray:
    """The chances of each run by a fit on five sixths of the tasks, its own not among them; shape (runs, outcomes)."""
    found = np.zeros((len(runs), len(OUTCOMES)))
    for inside, outside in folds([run.task for run in runs], seed):
        model = fit([runs[i] for i in inside])
        for i in outside:
            out = model.outlook(runs[i].features)
            found[i] = (out.well, out.slow, out.hot, out.overfit)
    return found


def folds(tasks: Sequence[str], seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """Places inside and outside of each fit; those of a task stay together."""
    names = sorted(set(tasks))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[at]: place % FOLDS for place, at in enumerate(order)}
    for number in range(FOLDS):
        yield (
            [i for i, task in enumerate(tasks) if fold[task] != number],
            [i for i, task in enumerate(tasks) if fold[task] == number],
        )
