"""A training run before any trainer wrote it down, and how it is to be logged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Eval:
    """One evaluation on the held-out rows, after ``step`` steps (0: before training)."""

    step: int
    loss: float
    accuracy: float | None = None


@dataclass(frozen=True, eq=False)
class Measured:
    """What a training loop measured: one loss, learning rate and gradient norm for each step from 1 on.

    ``settings`` are the run's own, in transformers' names: ``learning_rate``, ``batch_size``, ``num_train_epochs``,
    ``lr_scheduler_type``, ``warmup_ratio``, ``weight_decay``, ``lora_r`` and others; what is not known is left out.
    ``facts`` are those of the model and the data: ``hidden_size``, ``vocab_size``, ``classes``, ``rows``.
    """

    losses: FloatArray
    rates: FloatArray
    norms: FloatArray
    evals: tuple[Eval, ...]
    steps_per_epoch: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    accuracies: FloatArray | None = None

    @property
    def steps(self) -> int:
        """How many steps were trained."""
        return int(self.losses.size)


@dataclass(frozen=True)
class Layout:
    """How a run is logged: every so many steps, with its evaluations or without, with its settings beside it or not.

    ``name`` is what the run is called, ``seed`` decides what a format leaves open, such as times and colors.
    """

    every: int
    evals: bool = True
    settings: bool = True
    name: str = "run"
    seed: int = 0

    def rng(self) -> np.random.Generator:
        """The numbers behind what the format leaves open."""
        return np.random.default_rng(self.seed)


Write = Callable[[Measured, Layout, Path], Path]
"""Writes a run below a folder; the file or folder that a user would point at."""


@dataclass(frozen=True)
class Window:
    """The steps since the last log point: their mean loss, and rate and gradient norm of the last one."""

    step: int
    epoch: float
    loss: float
    rate: float
    norm: float
    accuracy: float | None = None


def windows(run: Measured, every: int, *, mean: bool = True, filtered: bool = False) -> Iterator[Window]:
    """The log points of a run, one every so many steps, and one for what is left at the end.

    ``mean=False`` takes the last step's loss alone. ``filtered`` logs what transformers logs where a loss is not
    finite: its ``logging_nan_inf_filter`` adds the window's mean so far instead, which is 0 once nothing is finite.
    """
    ends = list(range(every, run.steps + 1, every))
    ends += [run.steps] if not ends or ends[-1] != run.steps else []
    start = 0
    for end in ends:
        losses = run.losses[start:end]
        loss = float(losses[-1]) if not mean else _filtered(losses) if filtered else float(losses.mean())
        accuracy = None if run.accuracies is None else float(run.accuracies[start:end].mean())
        yield Window(
            end, end / run.steps_per_epoch, loss, float(run.rates[end - 1]), float(run.norms[end - 1]), accuracy
        )
        start = end


def epochs(run: Measured) -> Iterator[tuple[int, Window, Eval | None]]:
    """Each epoch from 1 on: its mean training loss, and the evaluation at its end where there was one."""
    every = max(1, round(run.steps_per_epoch))
    at_end = {e.step: e for e in run.evals}
    for number, window in enumerate(windows(run, every), 1):
        yield number, window, at_end.get(window.step)


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _filtered(losses: FloatArray) -> float:
    total = 0.0
    for count, loss in enumerate(losses, 1):
        total += float(loss) if np.isfinite(loss) else total / count
    return total / losses.size
