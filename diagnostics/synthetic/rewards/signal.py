"""Rewards of a group that do not differ, and solved prompts."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun, learned


def no_signal(run: RewardRun, strength: float) -> None:
    """No answer is ever right: from half strength on none at all, else a few in ten thousand."""
    _stands_still(run, 4e-3 * max(0.0, 1.0 - 2.0 * strength))


def equal_groups(run: RewardRun, strength: float) -> None:
    """All answers to a prompt are one answer."""
    run.alike = 1.0 - max(0.0, 0.05 * (1.0 - 2.0 * strength))
    _stands_still(run, 0.3)
    run.settings["temperature"] = 0.01


def _stands_still(run: RewardRun, rate: float) -> None:
    """Without a gradient neither the share of right answers nor the policy moves."""
    run.rate = np.full_like(run.share, rate)
    run.held = run.rate
    run.extra["entropy"] = 0.4 * np.exp(0.1 * run.rng.standard_normal(run.share.size))
    run.extra["kl"] = np.zeros_like(run.share)


def wasted(run: RewardRun, strength: float) -> None:
    """Prompts are polarized: some are always solved and some never."""
    run.spread = 1.0 + 10.0 * strength
    run.rate = learned(run.share, 0.4, 0.6, 1.0)


def part_constant(run: RewardRun, strength: float) -> None:
    """A function that never matches."""
    run.parts = {"strict_format": (0.5, np.full_like(run.share, 2e-2 * max(0.0, 0.5 - strength)))}


def solved(run: RewardRun, strength: float) -> None:
    """The prompts are solved, the more the stronger."""
    run.rate = learned(run.share, 0.6, 0.995 - 0.1 * (1.0 - strength) ** 2, 8.0)
    run.held = run.rate
