"""Answers without an end, longer or shorter for nothing."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun, learned


def cut_off(run: RewardRun, strength: float) -> None:
    """Nearly all answers are cut off, and few can be right."""
    run.extra["completions/clipped_ratio"] = np.clip(
        0.7 + 0.4 * strength + 0.02 * run.rng.standard_normal(run.share.size), 0.0, 1.0
    )
    run.rate = learned(run.share, 0.03, 0.12)
    run.held = run.rate
    run.settings["max_completion_length"] = 64
    run.extra["completions/mean_length"] = np.full_like(run.share, 63.0)


def run_into_limit(run: RewardRun, strength: float) -> None:
    """Many answers are cut off, from the start and more and more."""
    wiggle = 0.02 * run.rng.standard_normal(run.share.size)
    run.extra["completions/clipped_ratio"] = np.clip(0.3 + 0.35 * strength + 0.2 * run.share + wiggle, 0.0, 0.78)
    run.extra["completions/mean_length"] = np.full_like(run.share, 400.0)


def end_lost(run: RewardRun, strength: float) -> None:
    """Answers stop ending, though the reward stays."""
    late = np.clip((run.share - 0.5) / 0.2, 0.0, 1.0)
    run.extra["completions/clipped_ratio"] = np.clip(0.02 + (0.2 + strength) * late, 0.0, 1.0)
    run.extra["completions/mean_length"] = 200.0 + 310.0 * late


def lengthens(run: RewardRun, strength: float) -> None:
    """The answers grow several times as long, and the reward is level."""
    run.rate = np.full_like(run.share, 0.55)
    run.held = run.rate
    run.extra["kl"] = 0.3 * run.share
    run.extra["completions/mean_length"] = 100.0 * (1.0 + 3.0 * strength * run.share)


def shrinks(run: RewardRun, strength: float) -> None:
    """The answers lose most of their length, and the reward is level."""
    run.rate = np.full_like(run.share, 0.45)
    run.held = run.rate
    run.extra["kl"] = 0.3 * run.share
    run.extra["completions/mean_length"] = 200.0 * (1.0 - (0.4 + 0.55 * strength) * run.share)
