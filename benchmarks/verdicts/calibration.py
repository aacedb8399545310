"""The map from first estimates to shares of right verdicts, fitted on some sources and applied to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log

from benchmarks.verdicts.cases import Case
from benchmarks.verdicts.folds import each_source_out
from diagnostics.diagnosis.calibration import DEFAULT, MAX_CONFIDENCE_HEALTHY, ConfidenceMap

HELD_BEFORE = 40.0
"""The table's own confidences count as if they had held on so many verdicts before: few runs must not undo them."""
HEALTHY_BEFORE, NEAR_BEFORE = 0.95, 0.7
"""What is held of healthy verdicts, and of those where a rule was nearly found, before a run is seen."""
STRETCHES = [1.0 + 0.05 * i for i in range(61)]


def fitted(cases: Sequence[Case]) -> ConfidenceMap:
    """The map that fits the verdicts of these cases, drawn towards what was held before."""
    faults = [(DEFAULT.estimate(c.confidence), c.right) for c in cases if _is_fault(c)]
    stretch = max(STRETCHES, key=lambda s: _likelihood(replace(DEFAULT, stretch=s), faults))
    well = [c for c in cases if c.said == "healthy"]
    clear, close = [c for c in well if not _is_near(c)], [c for c in well if _is_near(c)]
    weight = sum(_shape(c) for c in clear) + HELD_BEFORE
    healthy = (sum(c.right for c in clear) + HELD_BEFORE * HEALTHY_BEFORE) / weight
    near = (sum(c.right for c in close) / healthy + HELD_BEFORE / 2 * NEAR_BEFORE) / (
        sum(_shape(c) for c in close) + HELD_BEFORE / 2
    )
    return ConfidenceMap(stretch, min(MAX_CONFIDENCE_HEALTHY, healthy), min(1.0, near))


def recalibrated_elsewhere(cases: Sequence[Case]) -> list[Case]:
    """Every case with the confidence that a map gives it which was fitted without its source."""
    found: list[Case] = []
    for others, own in each_source_out(cases):
        found += remapped(own, fitted(others))
    return found


def remapped(cases: Sequence[Case], by: ConfidenceMap) -> list[Case]:
    """The cases with their confidences under another map."""
    return [replace(c, confidence=_under(c, by)) for c in cases]


def _under(case: Case, by: ConfidenceMap) -> float:
    if _is_fault(case):
        return by.fault(DEFAULT.estimate(case.confidence))
    return by.healthy * _shape(case) * (by.near if _is_near(case) else 1.0)


def _is_fault(case: Case) -> bool:
    return case.said not in ("healthy", "unknown")


def _is_near(case: Case) -> bool:
    """Whether a rule was nearly found on a run that was called healthy."""
    return case.diagnosis is not None and case.diagnosis.borderline is not None


def _shape(case: Case) -> float:
    """What the points and the kinds that were asked for make of a healthy verdict's confidence."""
    return case.confidence / DEFAULT.healthy / (DEFAULT.near if _is_near(case) else 1.0)


def _likelihood(by: ConfidenceMap, faults: Sequence[tuple[float, bool]]) -> float:
    """The log likelihood of right and wrong verdicts, and of the table's confidences having held before."""
    held = HELD_BEFORE / max(1, len(faults))
    total = 0.0
    for estimate, right in faults:
        sure = by.fault(estimate)
        total += log(sure if right else 1.0 - sure)
        total += held * (estimate * log(sure) + (1.0 - estimate) * log(1.0 - sure))
    return total
