"""Runs that learn too little, drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun


def _slow(run: SyntheticRun, strength: float) -> None:
    """Both losses fall along a straight line, the less the stronger the fault."""
    lost = 0.12 * (1.0 - strength) + 0.005
    run.train = 1.9 * (1.0 - lost * run.share)
    run.held = run.train * 1.01


def _slow_with(**settings: object) -> Fault:
    """A slow run whose settings give the cause."""

    def fault(run: SyntheticRun, strength: float) -> None:
        _slow(run, strength)
        run.settings |= settings
        rate = run.settings["learning_rate"]
        run.rate *= rate / max(float(run.rate.max()), 1e-12)
        run.steps *= run.settings["max_steps"] / run.steps[-1]

    fault.__doc__ = f"A slow run with {', '.join(f'{k} {v}' for k, v in settings.items())}."
    return fault


def barely_falls(run: SyntheticRun, strength: float) -> None:
    """Both losses stay within 2 % of their start at a good rate."""
    run.train = 1.9 * (1.0 - 0.02 * (1.0 - strength) * run.share)
    run.held = run.train * 1.01


def rate_runs_out(run: SyntheticRun, strength: float) -> None:
    """The loss falls with every bit of learning rate spent, and flattens as the cosine runs out."""
    share = run.share
    run.rate = 1.2e-4 * 0.5 * (1 + np.cos(np.pi * share))
    run.settings |= {"learning_rate": 1.2e-4, "lr_scheduler_type": "cosine"}
    dose = share + np.sin(np.pi * share) / np.pi
    run.train = 2.4 - (0.5 + strength) * dose**1.6
    run.held = run.train * 1.01


def still_improving(run: SyntheticRun, strength: float) -> None:
    """The loss falls steeply to the end of a short run at a good rate."""
    run.train = 2.6 - (0.6 + strength) * run.share
    run.held = run.train * 1.01
    run.settings["max_steps"] = 150
    run.steps *= 150 / run.steps[-1]


def plateaus(run: SyntheticRun, strength: float) -> None:
    """Flat over the last half at a constant rate."""
    level: FloatArray = np.maximum(run.train, float(np.interp(0.4, run.share, run.train)))
    run.train, run.held = level, level * 1.01
    run.rate[:] = run.rate.max()
    run.settings["lr_scheduler_type"] = "constant"


SLOW: Mapping[str, Fault] = {
    "rate-too-low": _slow_with(learning_rate=3e-5),
    "rate-runs-out": rate_runs_out,
    "too-few-updates": _slow_with(max_steps=60, batch_size=256),
    "rate-low-for-batch": _slow_with(batch_size=128),
    "batch-too-large": _slow_with(batch_size=1024),
    "regularization-too-strong": _slow_with(lora_dropout=0.3),
    "adapter-too-small": _slow_with(lora_r=4, learning_rate=8e-4),
    "loss-barely-falls": barely_falls,
    "still-improving": still_improving,
    "loss-plateaus": plateaus,
}
