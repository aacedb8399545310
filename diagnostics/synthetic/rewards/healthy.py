"""Sound runs of several kinds."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun, learned


def unchanged(run: RewardRun, strength: float) -> None:
    """The healthy run itself."""


def hard(run: RewardRun, strength: float) -> None:
    """A hard task: the share of right answers rises from a twentieth to a half."""
    run.rate = learned(run.share, 0.05, 0.5, 1.0)
    run.held = run.rate


def solved_early(run: RewardRun, strength: float) -> None:
    """Most prompts are solved from the middle on: groups are equal and gradients 0."""
    run.rate = learned(run.share, 0.6, 0.985, 8.0)
    run.held = run.rate
    run.extra["entropy"] = run.extra["entropy"] * np.exp(-3.0 * run.share)


def formatted(run: RewardRun, strength: float) -> None:
    """A second function rewards the form, and is met early; answers grow shorter."""
    run.parts = {"format": (0.5, learned(run.share, 0.3, 0.97, 8.0))}
    run.extra["completions/mean_length"] *= 1.0 - 0.3 * run.share


def held_by_beta(run: RewardRun, strength: float) -> None:
    """RLOO: the KL is taken off each reward first, so no group is equal; the divergence has a spike of one log."""
    run.settings |= {"method": "rloo", "beta": 0.05, "num_generations": 4}
    run.extra["kl"][run.steps.size // 2] = 4.0
    run.extra["frac_reward_zero_std"] = np.zeros_like(run.share)
