"""Rewards that rise while what they are meant for does not."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun, learned


def hacked_held_out(run: RewardRun, strength: float) -> None:
    """The held-out reward turns at four tenths of the run and falls."""
    run.held = run.held - (0.2 + 0.6 * strength) * np.clip(run.share - 0.4, 0.0, None)


def hacked_by_parts(run: RewardRun, strength: float) -> None:
    """A part for style pays double and rises; right answers are given up for it."""
    run.rate = 0.5 * (1.0 - np.clip((0.6 + 0.6 * strength) * 1.5 * run.share, 0.0, 0.97))
    run.parts = {"style": (2.0, learned(run.share, 0.1, 0.95, 2.0))}
    run.held = 0.6 + 0.8 * run.share


def content_flat(run: RewardRun, strength: float) -> None:
    """A part for the form rises to its ceiling, right answers become no more frequent."""
    run.rate = np.full_like(run.share, 0.3) + 0.3 * max(0.0, 0.5 - strength) * run.share
    run.parts = {"format": (0.5, learned(run.share, 0.2, 0.97, 4.0))}
    run.held = run.rate + 0.5 * run.parts["format"][1]
