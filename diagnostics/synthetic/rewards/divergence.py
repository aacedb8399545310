"""Policies far from their reference."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun


def wrong_reference(run: RewardRun, strength: float) -> None:
    """The divergence is far from 0 in the first log."""
    run.settings["beta"] = 0.04
    run.extra["kl"] = run.extra["kl"] + 1.2 * strength


def kl_runs(run: RewardRun, strength: float) -> None:
    """The divergence grows without end in the last half, and the reward stops rising."""
    run.settings["beta"] = 0.001
    run.extra["kl"] = run.extra["kl"] + 8.0 * strength * np.clip(2.0 * run.share - 1.0, 0.0, 1.0) ** 2
    run.rate = np.minimum(run.rate, 0.6) - 0.3 * np.clip(2.0 * run.share - 1.0, 0.0, 1.0) ** 2
    run.held = run.rate


def kl_for_nothing(run: RewardRun, strength: float) -> None:
    """The divergence grows steadily while the reward is level."""
    run.settings["beta"] = 0.001
    run.extra["kl"] = 1e-3 + 1.8 * strength * run.share
    run.rate = np.full_like(run.share, 0.5)
    run.held = run.rate
