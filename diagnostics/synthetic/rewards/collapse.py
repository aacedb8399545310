"""Rewards that were there and went."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.synthetic.reward_run import RewardRun


def _dies(run: RewardRun, at: float, left: float) -> FloatArray:
    return np.where(run.share > at, left * run.rate, run.rate)


def dead(run: RewardRun, strength: float) -> None:
    """At some step all answers become wrong, and stay so; the sooner the stronger."""
    run.rate = _dies(run, 0.95 - 0.75 * strength, 0.0)
    run.held = run.rate


def collapses(run: RewardRun, strength: float) -> None:
    """From the middle on the reward falls to a small share of its best, within a tenth of the run."""
    down = np.clip((run.share - 0.6) / 0.1, 0.0, 1.0)
    run.rate = run.rate * (1.0 - (0.4 + 0.55 * min(strength, 1.0)) * down)
    run.held = run.rate


def declines(run: RewardRun, strength: float) -> None:
    """In the second half the reward slowly loses up to four tenths of its best."""
    run.rate = run.rate * (1.0 - (0.2 + 0.4 * strength) * np.clip(2.0 * run.share - 1.0, 0.0, 1.0))
    run.held = run.rate


def thrown(run: RewardRun, strength: float) -> None:
    """Seven gradients far above the others; after them the reward loses a part of its level."""
    late = run.share > 0.55
    norms = 0.3 * np.exp(0.3 * run.rng.standard_normal(run.share.size))
    where = np.unique((np.linspace(0.55, 0.8, 7) * (run.share.size - 1)).astype(int))
    norms[where] = 0.3 * (4.0 + 16.0 * strength)
    run.extra["grad_norm"] = norms
    run.rate = np.where(late, (1.0 - 0.45 * strength) * run.rate, run.rate)
    run.held = run.rate
