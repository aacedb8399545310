"""The fit of the likelihood: one multinomial regression over all features, every source and every offset alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from benchmarks.rate.sources import FRESH, Placed
from diagnostics.model.curves import FloatArray
from diagnostics.model.rate_estimate import OFFSETS
from diagnostics.rate.likelihood import Likelihood, hats

KNOTS = (-4.0, -3.0, -2.5, -2.0, -1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
PLACES: dict[str, tuple[float, ...]] = {
    "peak": (-2.52, -2.0, -1.0, -0.3, 0.3),
    "fall": (-3.5, -2.5, -2.0, -1.5, -1.0, -0.7, -0.4, -0.2, 0.0),
    "fell": (0.0, 1.0),
    "back": (0.0, 0.05, 0.2, 0.4, 0.6),
    "late": (-0.2, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 1.0),
    "early": (-0.5, 0.1, 0.25, 0.4, 0.6, 0.8, 1.1),
    "half": (-2.5, -1.5, -1.0, -0.7, -0.5, -0.3, -0.1),
    "given_back": (0.0, 0.05, 0.2, 0.6, 1.2),
    "calms": (-0.5, 0.0, 0.3, 0.7, 1.2),
    "top": (-0.3, -0.1, 0.0, 0.1, 0.4, 1.0),
    "norm_end": (-2.0, -0.8, -0.3, 0.0, 0.4, 1.0),
    "norm_peak": (0.0, 0.05, 0.15, 0.4, 1.0),
    "excess": (-0.3, 0.0, 0.1, 0.25, 0.5, 0.75, 0.95, 1.1),
    "train_unsure": (-0.5, -0.25, -0.1, 0.0, 0.1, 0.2, 0.4),
    "eval_unsure": (-0.5, -0.25, -0.1, 0.0, 0.1, 0.2, 0.4),
}
"""Where the polygon of each feature has its corners: about evenly many runs between them."""
RIDGE, SMOOTH = 2.0, 4.0
"""The penalties on the weights and on their bend over the offsets."""
LABEL_SD = 0.2
"""Decades: a grid of half decades and the noise of seeds leave the best rate this uncertain."""
DOUBT = 0.05
"""The chance that a run is like none of these sources. Left out, whole kinds of networks lie outside the 90 % interval
two to three times as often as they should."""
WEIGHTS = {"networks": 0.4, "sweeps": 0.4, FRESH: 8.0}
"""The weight of a kind of small networks, of a labeled sweep, and of all fresh runs, beside a table of language models
in one of its states of logging."""
BIN = 0.5
COARSE = 2
"""The fit looks at every second of the offsets."""


def fit(runs: Sequence[Placed]) -> Likelihood:
    """The likelihood fitted to the runs."""
    knots = np.asarray(KNOTS)
    empty = Likelihood(KNOTS, PLACES, np.zeros((0, len(KNOTS))), DOUBT)
    inputs = np.stack([empty.inputs(run.features) for run in runs])
    offsets = np.asarray(OFFSETS)[::COARSE]
    basis = np.stack([hats(offset, KNOTS) for offset in offsets], axis=1)
    labels = np.exp(-0.5 * ((offsets - np.array([[run.offset] for run in runs])) / LABEL_SD) ** 2)
    labels /= labels.sum(axis=1, keepdims=True)
    weight = _weights(runs)[:, None]
    bends = np.diff(np.eye(knots.size), 2, axis=0)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        weights = flat.reshape(-1, knots.size)
        scores = inputs @ weights @ basis
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        total = chances.sum(axis=1, keepdims=True)
        value = -(weight * labels * (scores - np.log(total))).sum()
        slope = inputs.T @ (weight * (chances / total - labels)) @ basis.T
        bend = weights @ bends.T
        value += 0.5 * RIDGE * (weights**2).sum() + 0.5 * SMOOTH * (bend**2).sum()
        return float(value), (slope + RIDGE * weights + SMOOTH * bend @ bends).ravel()

    found = minimize(
        loss, np.zeros(inputs.shape[1] * knots.size), jac=True, method="L-BFGS-B", options={"maxiter": 250}
    )
    weights = np.round(found.x.reshape(-1, knots.size), 2)
    return Likelihood(KNOTS, PLACES, weights, DOUBT)


def _weights(runs: Sequence[Placed]) -> FloatArray:
    """Every offset counts alike, and within it every source by its kind and every state of logging alike."""
    places = [float(np.clip(round(run.offset / BIN) * BIN, -4.0, 2.0)) for run in runs]
    kinds = [run.source.partition(",")[0] for run in runs]
    sources = [kind if kind == FRESH else run.source for run, kind in zip(runs, kinds, strict=True)]
    cells = list(zip(sources, (run.log for run in runs), places, strict=True))
    count = Counter(cells)
    weight = np.array([WEIGHTS.get(kind, 1.0) / count[cell] for kind, cell in zip(kinds, cells, strict=True)])
    total: Counter[float] = Counter()
    for place, one in zip(places, weight, strict=True):
        total[place] += one
    weight /= np.array([total[place] for place in places])
    return np.asarray(weight / weight.mean(), dtype=np.float64)
