"""How runs differ from one of them: the difference of a curve at equal places, and of its last and best values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from tuner.inspector.chart.seed_groups import spread
from tuner.inspector.chart.series import View
from tuner.inspector.runs.folder import Opened

HIGHER_IS_BETTER = ("accuracy", "accuracies", "margins", "exact_match", "rewards_chosen", "chosen")


@dataclass(frozen=True)
class Standing:
    """A run's last and best value of a curve, and how much each lies above the baseline's; None where it has none."""

    last: float | None
    best: float | None
    last_difference: float | None
    best_difference: float | None


def difference_of(opened: Opened, baseline: Opened, name: str, view: View) -> tuple[FloatArray, FloatArray] | None:
    """The places that the curve of both runs reaches, and the difference there, each smoothed and interpolated."""
    a, b = spread("", [opened], name, view), spread("", [baseline], name, view)
    if a is None or b is None:
        return None
    first, last = max(a.x[0], b.x[0]), min(a.x[-1], b.x[-1])
    grid = np.unique(np.concatenate([s.x[(s.x >= first) & (s.x <= last)] for s in (a, b)]))
    if not grid.size:
        return None
    return grid, np.interp(grid, a.x, a.mean) - np.interp(grid, b.x, b.mean)


def standings(runs: Sequence[Opened], baseline: int, name: str) -> list[Standing]:
    """Each run's last and best value of a curve against the baseline's, in the order of the runs."""
    ends = [_ends(opened.run.curve(name), name) for opened in runs]
    base_last, base_best = ends[baseline]
    return [Standing(last, best, _minus(last, base_last), _minus(best, base_best)) for last, best in ends]


def rises(name: str) -> bool:
    """Whether a higher value of this curve is the better one, as far as its name tells."""
    return name.endswith(HIGHER_IS_BETTER)


def _ends(curve: Curve | None, name: str) -> tuple[float | None, float | None]:
    if curve is None or not len(curve):
        return None, None
    best = curve.values.max() if rises(name) else curve.values.min()
    return float(curve.values[-1]), float(best)


def _minus(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other
