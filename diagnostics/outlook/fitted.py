"""From features to chances: boosted trees, fitted on runs whose end is known.

Each tree asks a few features for their side of a limit and adds to the log odds of one outcome; a feature that the log
does not show goes to the side that the fit found for it. ``python -m benchmarks.outlook`` fits the trees, scores them
on sources left out and writes the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.methods import method_record
from diagnostics.model.outlook import WELL, Outlook
from diagnostics.model.rate_estimate import RateEstimate, RateSide
from diagnostics.model.rate_prior import rate_prior_of
from diagnostics.model.settings import Settings
from diagnostics.outlook.features import outlook_features

IntArray = NDArray[np.int64]

USUAL = (0.3, 3.0)
"""Between these times the usual rate of such runs a rate says more than a look: a fall may precede the first log."""
SURELY_SLOW, LIKELY_SLOW = 0.95, 0.8
"""But the rate is usual for models of usual size. Where a log holds no held-out losses, a look that is as sure as the
first counts, and where nothing names the size and the loss fell far, one as sure as the second. (None of 53 healthy
runs of people would be, taken for such runs.)"""
LARGE_FALL = 0.25
"""A large model that knows its language ends near its start: there even a healthy run looks slow. A loss that fell by
this share is none of those, and a look that it went well counts against an estimate that tells too low."""
MIN_POINTS = 6
"""Logs and evaluations: with fewer, a look holds too little to judge by."""
FITTED = Path(__file__).with_name("fitted.json")


@dataclass(frozen=True, eq=False)
class Fitted:
    """Trees as arrays over their nodes.

    ``constant`` are the log odds before any tree. ``feature`` is an index of ``names``, or -1 at a leaf, and ``number``
    the limit of that feature, or what the leaf adds to the log odds of its outcome. A run whose feature is at most the
    limit goes left, to the next node, as does one whose log does not show it where ``unshown_left``; else ``right``
    nodes on. The tree at ``roots[i]`` is one for the outcome ``outcome[i]``.
    """

    names: tuple[str, ...]
    constant: FloatArray
    roots: IntArray
    outcome: IntArray
    feature: IntArray
    number: FloatArray
    right: IntArray
    unshown_left: NDArray[np.bool_]

    def outlook(self, features: Mapping[str, float]) -> Outlook:
        """The chances of the outcomes."""
        values = np.array([features.get(name, np.nan) for name in self.names])
        at, leaf = self.roots, self.feature[self.roots] < 0
        while not leaf.all():
            value = values[self.feature[at]]
            left = np.where(np.isnan(value), self.unshown_left[at], value <= self.number[at])
            at = at + np.where(leaf, 0, np.where(left, 1, self.right[at]))
            leaf = self.feature[at] < 0
        scores = self.constant + np.bincount(self.outcome, self.number[at], self.constant.size)
        chances = np.exp(scores - scores.max())
        return Outlook(*(float(chance) for chance in chances / chances.sum()))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the nodes tree by tree."""
        nodes = (self.feature, self.number, self.right, self.unshown_left.astype(int))
        return {
            "names": list(self.names),
            "constant": self.constant.tolist(),
            "roots": self.roots.tolist(),
            "outcome": self.outcome.tolist(),
            "nodes": [array.tolist() for array in nodes],
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Fitted:
        """What ``to_dict`` wrote."""
        feature, number, right, unshown_left = (np.asarray(array) for array in raw["nodes"])
        constant, roots, outcome = (np.asarray(raw[name]) for name in ("constant", "roots", "outcome"))
        return cls(tuple(raw["names"]), constant, roots, outcome, feature, number, right, unshown_left.astype(np.bool_))


@lru_cache(maxsize=1)
def fitted() -> Fitted:
    """The model in use."""
    return Fitted.from_dict(json.loads(FITTED.read_text("utf-8")))


def outlook_of(
    curves: Mapping[str, Curve], settings: Settings, rate: RateEstimate | None, model: Fitted | None = None
) -> Outlook | None:
    """What a run looks like that ends where its log does, by ``model`` or by the one in use.

    None with too few points, if its loss is no objective, and at most usual rates.
    """
    points = sum(len(curves[name]) for name in ("train_loss", "eval_loss") if name in curves)
    if points < MIN_POINTS:
        return None
    if not method_record(settings.method).loss_is_objective:
        return None
    features = outlook_features(curves, settings, rate)
    if not any(name.startswith("train_") for name in features):
        return None
    look = replace((model or fitted()).outlook(features), points=points, passes=_passes(curves, settings))
    if not _is_usual(settings, rate):
        return look
    sure = "eval_loss" not in curves and look.slow >= SURELY_SLOW
    far = features.get("train_fall", 0.0) >= LARGE_FALL
    return look if sure or (far and _tells_after_large_fall(look, settings, rate)) else None


def _passes(curves: Mapping[str, Curve], settings: Settings) -> float:
    """How often the run saw its rows, by the epochs that were logged or asked for; 1 where nothing tells."""
    logged = curves.get("epoch")
    return float(logged.values.max()) if logged is not None and len(logged) else settings.num_train_epochs or 1.0


def _tells_after_large_fall(look: Outlook, settings: Settings, rate: RateEstimate | None) -> bool:
    """Whether a loss that fell far shows a rate not to be too low, or to be that for what may well be a small model.

    Not too low only where no answers are compared: that loss falls far at any rate that learns at all.
    """
    told_low = rate is not None and rate.tells(RateSide.TOO_LOW)
    denied = told_low and look.doubted.well >= WELL and not method_record(settings.method).loss_compares_answers
    return denied or (settings.hidden_size is None and look.slow >= LIKELY_SLOW)


def _is_usual(settings: Settings, rate: RateEstimate | None) -> bool:
    """Whether the rate is one that such runs usually take."""
    ratio = rate_prior_of(settings).relative(rate.rate if rate is not None else None)
    return ratio is not None and USUAL[0] <= ratio <= USUAL[1]
