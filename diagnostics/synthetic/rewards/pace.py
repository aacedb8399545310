"""Rewards that rise to the end as they did at first."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun


def rises_slowly(run: RewardRun, strength: float) -> None:
    """The reward rises along a straight line, the less the stronger, and the policy keeps most of its entropy."""
    rise = 0.35 - 0.2 * strength
    run.rate = 0.25 + rise * run.share
    run.held = run.rate
    run.settings["learning_rate"] = 1e-6
    run.extra["learning_rate"] = np.full_like(run.share, 1e-6)
    wiggle = run.rng.standard_normal(run.share.size)
    run.extra["entropy"] = 0.4 * (1.0 - 0.6 * rise * run.share) * np.exp(0.05 * wiggle)
    run.extra["kl"] = 2e-3 * run.share
