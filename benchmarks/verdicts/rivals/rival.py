"""What a rival is, and the curves of a run as its rules read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import Curve, FloatArray, Run

ALL = frozenset({"underfit", "overfit", "unstable"})
OVERFIT = frozenset({"overfit"})


@dataclass(frozen=True)
class Rival:
    """A tool's rules as one function from a run to a label, and the faults that it knows."""

    name: str
    says: Callable[[Run], str]
    knows: frozenset[str] = ALL

    @property
    def overfit_only(self) -> bool:
        """Whether it can say nothing but overfit or not."""
        return self.knows == {"overfit"}


def values_of(run: Run, name: str) -> FloatArray:
    """The finite values of a curve, empty where the log has none."""
    curve = run.curves.get(name)
    return curve.values if curve is not None else np.empty(0)


def has_nan(run: Run) -> bool:
    """Whether a loss of the run was logged as nan or inf."""
    return any(bool(run.curves[name].broken) for name in ("train_loss", "eval_loss") if name in run.curves)


def paired(run: Run) -> tuple[FloatArray, FloatArray]:
    """Training and held-out loss at the evaluations; empty where one of them is missing."""
    train, held = run.curves.get("train_loss"), run.curves.get("eval_loss")
    if train is None or held is None or not len(train) or not len(held):
        return np.empty(0), np.empty(0)
    return mean_between(train, held), held.values


def mean_between(train: Curve, held: Curve) -> FloatArray:
    """The mean training loss between evaluations: what a tool that works in epochs would see."""
    ends = np.searchsorted(train.steps, held.steps, side="right")
    starts = np.concatenate([[0], ends[:-1]])
    at = train.at(held.steps)
    return np.asarray(
        [train.values[a:b].mean() if b > a else at[i] for i, (a, b) in enumerate(zip(starts, ends, strict=True))]
    )


def slope_and_p(values: FloatArray) -> tuple[float, float]:
    """The least-squares slope per point and its two-sided p; p is 1 where a line fits no better than chance could."""
    from scipy.stats import linregress

    if values.size < 3 or not np.ptp(values):
        return 0.0, 1.0
    found = linregress(np.arange(values.size), values)
    return float(found.slope), float(found.pvalue)
