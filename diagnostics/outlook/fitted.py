"""From features to chances: one multinomial regression whose inputs are corners of polygons, fitted on known runs.

The log odds are a sum over the features: each moves along a polygon with a few corners, and a feature that the log
does not show has a weight of its own. ``python -m benchmarks.outlook`` fits it, scores it on sources left out and
writes the numbers.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.methods import method_record
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import RateEstimate
from diagnostics.model.rate_prior import rate_prior_of
from diagnostics.model.settings import Settings
from diagnostics.outlook.features import outlook_features
from diagnostics.rate.estimate import is_over
from diagnostics.rate.likelihood import inputs_of

USUAL = (0.3, 3.0)
"""Between these times the usual rate of such runs a rate says more than a look: a fall may precede the first log."""
MIN_POINTS = 12
"""Logs and evaluations: with fewer, a look holds too little to judge by."""
FITTED = Path(__file__).with_name("fitted.json")


@dataclass(frozen=True, eq=False)
class Fitted:
    """The corners of each feature, and weights of shape (1 + corners and one for "missing" of each, outcomes)."""

    places: Mapping[str, tuple[float, ...]]
    weights: FloatArray

    def inputs(self, features: Mapping[str, float]) -> FloatArray:
        """The features as inputs, a constant first, shape (inputs,)."""
        return inputs_of(features, self.places)

    def outlook(self, features: Mapping[str, float]) -> Outlook:
        """The chances of the outcomes."""
        rows, shares, row = [0], [0.0], 1
        for name, at in self.places.items():  # of each feature at most two inputs are not 0
            value = features.get(name)
            if value is None:
                rows.append(row + len(at))
                shares.append(0.0)
            else:
                place = min(max(bisect_right(at, value) - 1, 0), len(at) - 2)
                rows.append(row + place)
                shares.append(min(max((value - at[place]) / (at[place + 1] - at[place]), 0.0), 1.0))
            row += len(at) + 1
        first, share = np.asarray(rows), np.asarray(shares)[:, None]
        after = np.minimum(first + 1, row - 1)
        scores = np.cumsum((1.0 - share) * self.weights[first] + share * self.weights[after], axis=0)[-1]
        chances = np.exp(scores - scores.max())
        return Outlook(*(chances / chances.sum()).tolist())


@lru_cache(maxsize=1)
def fitted() -> Fitted:
    """The model in use."""
    raw = json.loads(FITTED.read_text("utf-8"))
    features = raw["features"]
    rows = [raw["constant"], *(row for one in features.values() for row in one["weights"])]
    return Fitted({name: tuple(one["at"]) for name, one in features.items()}, np.asarray(rows, dtype=np.float64))


def outlook_of(curves: Mapping[str, Curve], settings: Settings, rate: RateEstimate | None) -> Outlook | None:
    """What a run looks like; None at a usual rate, with few points, under way, or if its loss is no objective."""
    points = sum(len(curves[name]) for name in ("train_loss", "eval_loss") if name in curves)
    if points < MIN_POINTS:
        return None
    if not method_record(settings.method).loss_is_objective or not is_over(curves, settings):
        return None
    ratio = rate_prior_of(settings).relative(rate.rate if rate is not None else None)
    if ratio is not None and USUAL[0] <= ratio <= USUAL[1]:
        return None
    features = outlook_features(curves, settings, rate)
    return fitted().outlook(features) if any(name.startswith("train_") for name in features) else None
