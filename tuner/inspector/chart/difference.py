"""How runs differ from one of them: the difference of a curve at equal places, and of its last and best values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import Curve, FloatArray
from tuner.inspector.chart.seed_groups import spread
from tuner.inspector.chart.series import AXES, Figure, Line, View
from tuner.inspector.runs.folder import Opened

HIGHER_IS_BETTER = ("accuracy", "accuracies", "margins", "exact_match", "rewards_chosen", "chosen")


@dataclass(frozen=True)
class Standing:
    """A run's last and best value of a curve, and how much each lies above the baseline's; None where it has none."""

    last: float | None
    best: float | None
    last_difference: float | None
    best_difference: float | None


def difference(runs: Sequence[Opened], baseline: int, name: str, view: View) -> Figure:
    """The curve of each other run minus the baseline's, where both were logged; lines are named by the run's place."""
    lines: list[Line] = []
    for place in range(len(runs)):
        if place != baseline and (apart := _apart(runs[place], runs[baseline], name, view)) is not None:
            x, y = apart
            empty = np.empty(0)
            lines.append(Line(str(place), x, y, empty, empty, x.size, x.size))
    low = min((float(line.x[0]) for line in lines), default=0.0)
    high = max((float(line.x[-1]) for line in lines), default=1.0)
    return Figure(AXES[view.x], tuple(lines), extent=(low, high), title=f"{name}, difference")


def _apart(opened: Opened, base: Opened, name: str, view: View) -> tuple[FloatArray, FloatArray] | None:
    """Places that both reach, and the difference there, each curve smoothed as asked and interpolated."""
    pair = [spread("", [run], name, view) for run in (opened, base)]
    a, b = pair
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
