"""The same runs, worse logged: limits that were bent to single points would fail on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.verdicts.cases import Labeled
from diagnostics.model.curves import Curve, Run

LOSSES = ("train_loss", "eval_loss")
FEW = 16
"""A curve of fewer points is not thinned: nothing would be left to judge."""


def thinned(run: Run, keep: float, seed: int) -> Run:
    """Every ``keep``-th point of each curve."""
    return replace(run, curves={name: _every(curve, int(keep)) for name, curve in run.curves.items()})


def _every(curve: Curve, keep: int) -> Curve:
    return curve if len(curve) < FEW else Curve(curve.steps[::keep], curve.values[::keep], curve.broken)


def roughened(run: Run, scale: float, seed: int) -> Run:
    """Both losses with noise of that share of their level on top."""
    rng = np.random.default_rng(seed)
    rough = {
        name: Curve(curve.steps, curve.values * np.exp(scale * rng.standard_normal(len(curve))), curve.broken)
        for name, curve in run.curves.items()
        if name in LOSSES
    }
    return replace(run, curves={**run.curves, **rough})


def cut_short(run: Run, share: float, seed: int) -> Run:
    """The first part of the run."""
    last = share * run.last_step
    return replace(run, curves={name: curve.between(-np.inf, last) for name, curve in run.curves.items()})


WAYS: Mapping[str, tuple[Callable[[Run, float, int], Run], float]] = {
    "every second point": (thinned, 2),
    "every third point": (thinned, 3),
    "with 0.3 % noise": (roughened, 0.003),
    "with 1 % noise": (roughened, 0.01),
    "the first nine tenths": (cut_short, 0.9),
}


def perturbed(runs: Sequence[Labeled], way: str) -> list[Labeled]:
    """The runs, each changed in that way."""
    change, size = WAYS[way]
    return [replace(item, run=change(item.run, size, number)) for number, item in enumerate(runs)]
