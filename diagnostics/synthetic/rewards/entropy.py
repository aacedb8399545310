"""The entropy of the policy and its distance to the sampler."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.reward_run import RewardRun


def entropy_explodes(run: RewardRun, strength: float) -> None:
    """The entropy grows many times, the sampler leaves the trainer by less than that rule's limit."""
    late = np.clip((run.share - 0.5) / 0.5, 0.0, 1.0)
    run.extra["entropy"] = 0.2 * np.exp(4.0 * strength * late)
    run.extra["sampling/sampling_logp_difference/mean"] = 0.01 + 0.03 * np.sqrt(late)


def explores_no_more(run: RewardRun, strength: float) -> None:
    """The entropy is gone early, groups become equal, and the reward stays at four tenths."""
    run.rate = np.full_like(run.share, 0.4)
    run.held = run.rate
    run.extra["entropy"] = 0.4 * np.exp(-(1.0 + 8.0 * strength) * run.share)
    run.extra["frac_reward_zero_std"] = np.clip(0.1 + 0.8 * run.share, 0.0, 0.92)


def sampler_leaves(run: RewardRun, strength: float) -> None:
    """Sampler and trainer drift apart."""
    run.extra["sampling/sampling_logp_difference/mean"] = 0.02 + 0.2 * strength * run.share**2


def clipped_tokens(run: RewardRun, strength: float) -> None:
    """Many tokens are clipped, for each batch is used several times."""
    run.settings["num_iterations"] = 4
    run.extra["clip_ratio/region_mean"] = np.full_like(run.share, 0.4 * strength)
