"""The map from first estimates to shares of right verdicts, fitted on some sources and applied to others.

Each source counts as much as ``SOURCE_WEIGHT`` runs at most: a thousand logs of one kind of network must not outvote
what people trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import log

import numpy as np

from benchmarks.verdicts.cases import Case
from benchmarks.verdicts.folds import each_source_out
from diagnostics.diagnosis.calibration import (
    DEFAULT,
    HEALTHY_BEFORE,
    LOOKED_BEFORE,
    REWARDS_BEFORE,
    ConfidenceMap,
    Health,
    LookedHealth,
    RewardHealth,
)
from diagnostics.model.curves import FloatArray

HELD_BEFORE = 40.0
"""The table's own confidences count as if they had held on so many verdicts before: few runs must not undo them."""
SOURCE_WEIGHT = 40.0
SPREAD_BEFORE = 0.35
"""The standard deviation of what is held of a weight before a run is seen."""
STRETCHES = [0.6 + 0.05 * i for i in range(69)]
STEPS = 50
KINDS = (Health, RewardHealth, LookedHealth)


def fitted(cases: Sequence[Case]) -> ConfidenceMap:
    """The map that fits the verdicts of these cases, drawn towards what was held before."""
    weights = _weights(cases)
    faults = [
        (_estimate(c), c.right, w) for c, w in zip(cases, weights, strict=True) if _is_fault(c) and not _has_no_fault(c)
    ]
    stretch = max(STRETCHES, key=lambda s: _likelihood(replace(DEFAULT, stretch=s), faults))
    well = [(c, w) for c, w in zip(cases, weights, strict=True) if _has_no_fault(c)]
    of = {kind: [(c, w) for c, w in well if c.basis and type(c.basis.health) is kind] for kind in KINDS}
    return ConfidenceMap(
        stretch,
        _healthy_weights(of[Health], HEALTHY_BEFORE),
        _healthy_weights(of[RewardHealth], REWARDS_BEFORE) if of[RewardHealth] else DEFAULT.rewards,
        _healthy_weights(of[LookedHealth], LOOKED_BEFORE) if of[LookedHealth] else DEFAULT.looked,
    )


def recalibrated_elsewhere(cases: Sequence[Case]) -> list[Case]:
    """Every case with the confidence that a map gives it which was fitted without its source."""
    found: list[Case] = []
    for others, own in each_source_out(cases):
        found += remapped(own, fitted(others))
    return found


def remapped(cases: Sequence[Case], by: ConfidenceMap) -> list[Case]:
    """The cases with their confidences under another map."""
    return [replace(c, confidence=_under(c, by)) for c in cases]


def _weights(cases: Sequence[Case]) -> list[float]:
    sizes = Counter(case.source for case in cases)
    return [min(1.0, SOURCE_WEIGHT / sizes[case.source]) for case in cases]


def _healthy_weights(cases: Sequence[tuple[Case, float]], held: tuple[float, ...]) -> tuple[float, ...]:
    """The weights of a logistic regression of "was well" on what a healthy verdict rests on (Newton's method)."""
    before = np.asarray(held)
    if not cases:
        return held
    x = np.asarray([c.basis.health.features for c, _ in cases if c.basis is not None])
    y = np.asarray([float("healthy" in (c.label, *c.accepted)) for c, _ in cases])
    weight = np.asarray([w for _, w in cases])
    found: FloatArray = before.copy()
    for _ in range(STEPS):
        right = 1.0 / (1.0 + np.exp(-x @ found))
        slope = x.T @ (weight * (y - right)) - (found - before) / SPREAD_BEFORE**2
        bend = (x * (weight * right * (1.0 - right))[:, None]).T @ x + np.eye(before.size) / SPREAD_BEFORE**2
        found = found + np.linalg.solve(bend, slope)
    return tuple(round(float(value), 3) for value in found)


def _under(case: Case, by: ConfidenceMap) -> float:
    if case.basis is None or case.said == "unknown":
        return case.confidence
    if _is_fault(case):
        share = 1.0 - by.no_fault(case.basis.health) if case.basis.likelier else case.basis.share
        return share * by.fault(_estimate(case))
    return by.no_fault(case.basis.health)


def _estimate(case: Case) -> float:
    """The first estimate of a fault, before the map and before what spoke for another reading."""
    share = case.basis.share if case.basis is not None else 1.0
    return DEFAULT.estimate(min(case.confidence / share, 0.979))


def _has_no_fault(case: Case) -> bool:
    """Whether no rule found a fault, though one that was nearly found may have been likelier than none."""
    return case.basis is not None and (case.said == "healthy" or case.basis.likelier)


def _is_fault(case: Case) -> bool:
    return case.said not in ("healthy", "unknown")


def _likelihood(by: ConfidenceMap, faults: Sequence[tuple[float, bool, float]]) -> float:
    """The log likelihood of right and wrong verdicts, and of the table's confidences having held before."""
    held = HELD_BEFORE / max(1, len(faults))
    total = 0.0
    for estimate, right, weight in faults:
        sure = by.fault(estimate)
        total += weight * log(sure if right else 1.0 - sure)
        total += held * (estimate * log(sure) + (1.0 - estimate) * log(1.0 - sure))
    return total
