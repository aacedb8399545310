"""How far a confidence can be trusted: of the verdicts given at 0.8, are 80 % right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.verdicts.cases import Case

EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.01)


@dataclass(frozen=True)
class Bin:
    """The verdicts whose confidence lies between two edges: how many, how sure on average, how often right."""

    low: float
    high: float
    count: int
    mean: float
    right: float


def bins(cases: Sequence[Case]) -> list[Bin]:
    """The verdicts by their confidence, empty bins left out; "unknown" is no verdict."""
    given = [case for case in cases if case.said != "unknown"]
    found = []
    for low, high in pairwise(EDGES):
        inside = [case for case in given if low <= case.confidence < high]
        if inside:
            mean = sum(case.confidence for case in inside) / len(inside)
            right = sum(case.right for case in inside) / len(inside)
            found.append(Bin(low, min(high, 1.0), len(inside), mean, right))
    return found


def calibration_error(cases: Sequence[Case]) -> float:
    """The expected calibration error: the mean distance of confidence and share right, weighed by the bins' counts."""
    found = bins(cases)
    total = sum(b.count for b in found)
    return sum(b.count * abs(b.mean - b.right) for b in found) / max(1, total)
