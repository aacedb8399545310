"""What people log of a training: every so many steps or once an epoch, with or without evaluations and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.verdicts.trained.training import Trace
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.settings import Settings

DIGITS = (None, 4, 3, 6)
"""Decimals to which a log is rounded."""


def logged(trace: Trace, known: Mapping[str, Any], rng: np.random.Generator, name: str) -> Run:
    """One log of the training, its detail drawn at random."""
    size = trace.loss.size
    per_epoch = max(1, trace.rows // trace.recipe.batch)
    in_epochs = size / per_epoch >= 8 and rng.random() < 0.35
    every = per_epoch if in_epochs else max(1, round(size / 2 ** rng.uniform(3.3, 7.5)))
    means = in_epochs or rng.random() < 0.6
    digits = DIGITS[int(rng.integers(len(DIGITS)))]
    steps = np.arange(every, size + 1, every) if size >= every else np.asarray([size])
    curves = {"train_loss": _by(trace.loss, steps, every, means)}
    if rng.random() < 0.5:
        curves["grad_norm"] = trace.norm[steps - 1]
    if rng.random() < 0.5:
        curves["learning_rate"] = trace.rates[steps - 1]
    curves |= {key: _by(values, steps, every, means) for key, values in trace.measured.items()}
    made = {key: _curve(steps, values, digits if key != "learning_rate" else None) for key, values in curves.items()}
    made |= _evaluations(trace, rng, digits, every if in_epochs else None)
    return Run(name, made, _settings(trace, known, rng))


def _by(values: FloatArray, steps: np.ndarray, every: int, means: bool) -> FloatArray:
    """The values at the steps, or the means since the step before."""
    if not means:
        return np.asarray(values[steps - 1])
    return np.asarray([values[max(0, step - every) : step].mean() for step in steps])


def _curve(steps: np.ndarray, values: FloatArray, digits: int | None) -> Curve:
    return Curve.from_points(steps, values if digits is None else np.round(values, digits))


def _evaluations(trace: Trace, rng: np.random.Generator, digits: int | None, every: int | None) -> Mapping[str, Curve]:
    """The held-out loss as it is logged: never, a few times, or often; before training at times."""
    wanted = int(rng.choice([0, 0, 2, 4, 6, 10, 24])) if every is None else 40
    if not wanted or trace.at.size < 2:
        return {}
    count = min(wanted, trace.at.size - 1)
    chosen = np.unique(np.linspace(0, trace.at.size - 1, count + 1).round().astype(int))
    chosen = chosen if rng.random() < 0.3 else chosen[1:]
    parts = {"eval_loss": trace.seen, **{f"eval_{key}": values for key, values in trace.held.items()}}
    return {key: _curve(trace.at[chosen], values[chosen], digits) for key, values in parts.items()}


def _settings(trace: Trace, known: Mapping[str, Any], rng: np.random.Generator) -> Settings:
    """No settings, those that name the method, or also those of the training."""
    kind = rng.random()
    if kind < 0.5:
        return Settings()
    own = {"batch_size": trace.recipe.batch, "max_steps": trace.recipe.steps, "learning_rate": trace.rate}
    return Settings.from_mapping({**known, **(own if kind < 0.8 else {})})
