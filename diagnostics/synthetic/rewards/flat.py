"""Rewards that do not rise, policies that hardly move."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun


def flat(run: RewardRun, strength: float) -> None:
    """The reward stays where it began."""
    run.rate = np.full_like(run.share, 0.35) + 0.05 * max(0.0, 0.5 - strength) * run.share
    run.held = run.rate
    run.settings["learning_rate"] = 1e-7
    run.extra["kl"] = 1e-3 * run.share


def still(run: RewardRun, strength: float) -> None:
    """The policy stays its own reference."""
    flat(run, 1.0)
    run.settings |= {"learning_rate": 1e-8, "beta": 0.04}
    run.extra["kl"] = 10.0 ** (-3.0 - 2.0 * strength) * run.share


def amplified(run: RewardRun, strength: float) -> None:
    """A reward on a scale that hardly differs between answers, and does not rise."""
    wiggle = run.rng.standard_normal((2, run.share.size))
    spread = max(0.005, 0.1 - 0.12 * strength)
    run.rate = np.full_like(run.share, 0.6)
    run.held = run.rate
    run.extra |= {
        "reward": 0.6 + 0.1 * spread * wiggle[0],
        "reward_std": spread * np.exp(0.05 * wiggle[1]),
        "frac_reward_zero_std": np.zeros_like(run.share),
    }
