"""How likely a run's features are at each offset of its rate: a fitted model, weakened where it may be wrong.

The log likelihood is a sum over the features: each moves along a polygon (hat functions at fixed places), and each
corner pulls the offsets by weights on a coarse grid. One multinomial regression over all features at once, trained on
runs spread evenly over the offsets, so that what it gives is a likelihood and no posterior. ``python -m
benchmarks.rate`` fits it and writes the numbers.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.rate_estimate import OFFSETS

FITTED = Path(__file__).with_name("fitted.json")


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The fitted model: places of each feature, knots of the offsets, a weight for each place (and "missing") and knot.

    ``doubt`` is the chance that a run is like none of those it was fitted on: then its features say nothing.
    """

    knots: tuple[float, ...]
    places: Mapping[str, tuple[float, ...]]
    weights: FloatArray
    doubt: float

    @property
    def size(self) -> int:
        """The number of inputs: a constant, and for each feature its places and whether it is missing."""
        return 1 + sum(len(at) + 1 for at in self.places.values())

    def inputs(self, features: Mapping[str, float]) -> FloatArray:
        """The features as inputs, shape (size,)."""
        return inputs_of(features, self.places)

    @cached_property
    def _on_offsets(self) -> FloatArray:
        """The weights on ``OFFSETS`` instead of the knots, which no run changes."""
        return np.asarray(self.weights @ np.stack([hats(offset, self.knots) for offset in OFFSETS], axis=1))

    def log_density(self, features: Mapping[str, float]) -> FloatArray:
        """The log likelihood on ``OFFSETS``, normalized to a sum of 1 before the logarithm."""
        scores = self.inputs(features) @ self._on_offsets
        chances = np.exp(scores - scores.max())
        chances = (1.0 - self.doubt) * chances / chances.sum() + self.doubt / chances.size
        return np.asarray(np.log(chances), dtype=np.float64)


def inputs_of(features: Mapping[str, float], places: Mapping[str, tuple[float, ...]]) -> FloatArray:
    """A constant, and for each feature the weights of its places and whether it is missing."""
    found = [1.0]
    for name, at in places.items():
        value = features.get(name)
        found += [*[0.0] * len(at), 1.0] if value is None else [*hats(value, at), 0.0]
    return np.asarray(found, dtype=np.float64)


def hats(value: float, at: tuple[float, ...]) -> list[float]:
    """The weights of the two places that a value lies between, 0 for all others; beyond the ends it stands at them."""
    weights = [0.0] * len(at)
    place = min(max(bisect_right(at, value) - 1, 0), len(at) - 1)
    if value <= at[0] or place == len(at) - 1:
        weights[place] = 1.0
        return weights
    between = 1.0 / (at[place + 1] - at[place]) * (value - at[place]) + place
    weights[place], weights[place + 1] = 1.0 - (between - place), 1.0 - (place + 1 - between)
    return weights


@lru_cache(maxsize=1)
def fitted() -> Likelihood:
    """The model in use."""
    raw = json.loads(FITTED.read_text("utf-8"))
    places = {name: tuple(at) for name, at in raw["places"].items()}
    return Likelihood(tuple(raw["knots"]), places, np.asarray(raw["weights"], dtype=np.float64), raw["doubt"])
