"""How much a setting matters: the change of the metric across its range without the learning rate's effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from tuner.search.distributions import Distributions, position

MIN_TRIALS = 8


class Scored(Protocol):
    """A trial with its settings and the value that they reached, None where there is none."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The setting of each parameter of the space."""

    @property
    def value(self) -> float | None:
        """The study's metric."""


def parameter_effect(trials: Sequence[Scored], knob: str, space: Distributions) -> float | None:
    """The change of the metric across the range of ``knob``, beside a parabola in the learning rate.

    A least-squares fit over all trials with a value, plus the standard error of its slope. None when there are too few
    trials, or when the setting or the trials hardly differ.
    """
    known = [trial for trial in trials if trial.value is not None]
    if len(known) < MIN_TRIALS or knob == "learning_rate":
        return None
    knobs = [name for name in space if all(position(t.settings.get(name), space[name]) is not None for t in known)]
    columns = {name: np.array([position(t.settings[name], space[name]) for t in known], float) for name in knobs}
    columns = {name: column for name, column in columns.items() if np.ptp(column) > 0.2}
    if knob not in columns or len(known) < len(columns) + 4:
        return None
    table = [np.ones(len(known)), *columns.values()]
    if "learning_rate" in columns:
        table.append(columns["learning_rate"] ** 2)
    values = np.array([trial.value for trial in known], float)
    solution, *_ = np.linalg.lstsq(np.stack(table, axis=1), values, rcond=None)
    slope = solution[1 + list(columns).index(knob)]
    residual = values - np.stack(table, axis=1) @ solution
    error = float(np.std(residual)) / (np.std(columns[knob]) * np.sqrt(len(known)))
    return float(abs(slope) + error)
