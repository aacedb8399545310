"""What a run is worth: the metric of its best checkpoint, and the other metrics beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import Curve, Run, canonical_name
from tuner.config.direction import Direction
from tuner.search.attributes import BEFORE, METRICS, forgotten

MAX_KEPT_POINTS = 200
"""A kept curve has no more points than a report draws."""
NOT_METRICS = ("eval_learning_rate", "eval_epoch", "eval_num_tokens", "eval_wall_time", "eval_grad_norm")


@dataclass(frozen=True)
class Measure:
    """The metric at its best evaluation (None without one), at the first one, and the metrics beside them."""

    value: float | None
    first: float | None
    steps: float
    metrics: Mapping[str, float]
    before: Mapping[str, float]
    curve: tuple[tuple[float, float], ...]


def measure(run: Run, metric: str, direction: Direction) -> Measure:
    """What the run is worth by ``metric``: the kept checkpoint is the one with the best value."""
    curve = run.curve(canonical_name(metric))
    others = {name: c for name, c in run.curves.items() if _is_metric(name) and len(c)}
    before = {name: float(c.values[0]) for name, c in others.items() if c.steps[0] == 0}
    if curve is None or not len(curve):
        return Measure(None, _start(run), run.last_step, {}, before, ())
    best = int(np.argmin(direction.sign * curve.values))
    step = float(curve.steps[best])
    metrics = {name: _value_at(c, step) for name, c in others.items()}
    metrics[metric] = value = float(curve.values[best])
    return Measure(value, float(curve.values[0]), run.last_step, metrics, before, _thinned(curve))


def forgotten_of(found: Measure) -> float | None:
    """By how much the loss on general text rose, in nats a token; None where it was not measured."""
    return forgotten({BEFORE: found.before, METRICS: found.metrics})


def _is_metric(name: str) -> bool:
    return name == "train_loss" or (name.startswith("eval_") and name not in NOT_METRICS and "/" not in name)


def _value_at(curve: Curve, step: float) -> float:
    """The value logged at the step of the best checkpoint, else the last one: some metrics come at the end alone."""
    at = np.flatnonzero(curve.steps == step)
    return float(curve.values[at[0]] if at.size else curve.values[-1])


def _start(run: Run) -> float | None:
    """The first training loss: what an untrained model is worth when no evaluation succeeded."""
    loss = run.curve("train_loss")
    return float(loss.values[0]) if loss is not None and len(loss) else None


def _thinned(curve: Curve) -> tuple[tuple[float, float], ...]:
    keep = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), MAX_KEPT_POINTS)).round().astype(int))
    return tuple((float(curve.steps[i]), float(curve.values[i])) for i in keep)
