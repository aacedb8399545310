"""Faults of runs that learn from rewards, and sound runs of several kinds, drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.synthetic.reward_run import RewardFault, RewardRun, learned


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


def no_signal(run: RewardRun, strength: float) -> None:
    """No answer is ever right: from half strength on none at all, else a few in ten thousand."""
    run.rate = np.full_like(run.share, 4e-3 * max(0.0, 1.0 - 2.0 * strength))
    run.held = run.rate


def equal_groups(run: RewardRun, strength: float) -> None:
    """All answers to a prompt are one answer."""
    run.alike = 1.0 - max(0.0, 0.05 * (1.0 - 2.0 * strength))
    run.rate = np.full_like(run.share, 0.3)
    run.held = run.rate
    run.settings["temperature"] = 0.01


def wasted(run: RewardRun, strength: float) -> None:
    """Prompts are polarized: some are always solved and some never."""
    run.spread = 1.0 + 10.0 * strength
    run.rate = learned(run.share, 0.4, 0.6, 1.0)


def part_constant(run: RewardRun, strength: float) -> None:
    """A function that never matches."""
    run.parts = {"strict_format": (0.5, np.full_like(run.share, 2e-2 * max(0.0, 0.5 - strength)))}


def solved(run: RewardRun, strength: float) -> None:
    """The prompts are solved, the more the stronger."""
    run.rate = learned(run.share, 0.6, 0.9 + 0.095 * strength, 8.0)
    run.held = run.rate


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
    run.extra["completions/mean_length"] = 200.0 * (1.0 - 0.95 * strength * run.share)


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


def hacked_held_out(run: RewardRun, strength: float) -> None:
    """The held-out reward turns at four tenths of the run and falls."""
    run.held = run.held - (0.2 + 0.6 * strength) * np.clip(run.share - 0.4, 0.0, None)


def hacked_by_parts(run: RewardRun, strength: float) -> None:
    """A part for style pays double and rises; right answers are given up for it."""
    run.rate = 0.5 * (1.0 - np.clip((0.6 + 0.6 * strength) * 1.5 * run.share, 0.0, 0.97))
    run.parts = {"style": (2.0, learned(run.share, 0.1, 0.95, 2.0))}
    run.held = 0.6 + 0.8 * run.share


HEALTHY_REWARDS: Mapping[str, RewardFault] = {
    "healthy-rewards": unchanged,
    "healthy-rewards-hard": hard,
    "healthy-rewards-solved": solved_early,
    "healthy-rewards-parts": formatted,
    "healthy-rewards-beta": held_by_beta,
}
REWARD_FAULTS: Mapping[str, RewardFault] = {
    "reward-stays-dead": dead,
    "reward-collapses": collapses,
    "reward-declines": declines,
    "no-reward-signal": no_signal,
    "groups-always-equal": equal_groups,
    "groups-wasted": wasted,
    "reward-part-constant": part_constant,
    "prompts-solved": solved,
    "reward-does-not-rise": flat,
    "policy-hardly-moves": still,
    "reference-differs": wrong_reference,
    "kl-runs-away": kl_runs,
    "kl-grows-for-nothing": kl_for_nothing,
    "answers-cut-off": cut_off,
    "answers-run-into-limit": run_into_limit,
    "stop-token-lost": end_lost,
    "answers-lengthen-for-nothing": lengthens,
    "answers-shrink": shrinks,
    "policy-entropy-explodes": entropy_explodes,
    "exploration-gone": explores_no_more,
    "sampler-drifts": sampler_leaves,
    "clips-many-tokens": clipped_tokens,
    "reward-hacked-held-out": hacked_held_out,
    "reward-hacked-by-parts": hacked_by_parts,
}
