"""Trials that share a place on the landscape of two settings, as one mark with all their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.inspector.study.landscape import Landscape
from tuner.study.results import TrialResult

MIN_DISTANCE = 0.035
"""Marks that are closer than this share of both axes would cover each other's number."""
HALF_LETTER, HALF_MARK = 3.1, 8.0  # pixels: half the width of a letter, half the height of a mark


@dataclass(frozen=True)
class TrialCluster:
    """Trials at one place (from 0 to 1 along both axes, the first one's) with the mean of their metric."""

    x: float
    y: float
    metric: float
    trials: tuple[TrialResult, ...]

    @property
    def label(self) -> str:
        """The numbers of the trials: ``6``, ``6, 8``; of more the first one's, and how many there are beside it."""
        numbers = [str(trial.number) for trial in self.trials]
        return ", ".join(numbers) if len(numbers) < 3 else f"{numbers[0]} +{len(numbers) - 1}"

    @property
    def outline(self) -> str:
        """A path as wide as the label: a circle around a number or two digits, a pill around more."""
        flat = max(0.0, HALF_LETTER * len(self.label) / HALF_MARK - 0.75)
        ends = f"A1,1 0 0 1 {flat:.2f},1 L{-flat:.2f},1 A1,1 0 0 1 {-flat:.2f},-1 Z"
        return f"M{-flat:.2f},-1 L{flat:.2f},-1 {ends}"


def trial_clusters(land: Landscape) -> list[TrialCluster]:
    """The trials by their place, in the order of their numbers; those of equal or nearly equal settings are one."""
    groups: list[list[int]] = []
    for n, (x, y, _) in enumerate(land.points):
        near = (group for group in groups if _close(land, group[0], float(x), float(y)))
        group = next(near, None)
        if group is None:
            groups.append([n])
        else:
            group.append(n)
    return [_cluster(land, group) for group in groups]


def _close(land: Landscape, first: int, x: float, y: float) -> bool:
    return bool(abs(land.points[first, 0] - x) < MIN_DISTANCE and abs(land.points[first, 1] - y) < MIN_DISTANCE)


def _cluster(land: Landscape, places: Sequence[int]) -> TrialCluster:
    x, y = land.points[places[0], :2]
    values = land.points[list(places), 2]
    mean = np.exp(np.log(values).mean()) if land.log else values.mean()
    return TrialCluster(float(x), float(y), float(mean), tuple(land.trials[place] for place in places))
