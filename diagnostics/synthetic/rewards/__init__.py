"""Faults of runs that learn from rewards, and sound runs of several kinds, drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.synthetic.reward_run import RewardFault
from diagnostics.synthetic.rewards import answers, collapse, divergence, entropy, flat, hacking, healthy, pace, signal

HEALTHY_REWARDS: Mapping[str, RewardFault] = {
    "healthy-rewards": healthy.unchanged,
    "healthy-rewards-hard": healthy.hard,
    "healthy-rewards-solved": healthy.solved_early,
    "healthy-rewards-parts": healthy.formatted,
    "healthy-rewards-beta": healthy.held_by_beta,
}
REWARD_FAULTS: Mapping[str, RewardFault] = {
    "reward-stays-dead": collapse.dead,
    "reward-collapses": collapse.collapses,
    "reward-declines": collapse.declines,
    "no-reward-signal": signal.no_signal,
    "groups-always-equal": signal.equal_groups,
    "groups-wasted": signal.wasted,
    "reward-part-constant": signal.part_constant,
    "prompts-solved": signal.solved,
    "reward-does-not-rise": flat.flat,
    "small-rewards-amplified": flat.amplified,
    "policy-hardly-moves": flat.still,
    "reward-still-rises": pace.rises_slowly,
    "reference-differs": divergence.wrong_reference,
    "kl-runs-away": divergence.kl_runs,
    "kl-grows-for-nothing": divergence.kl_for_nothing,
    "answers-cut-off": answers.cut_off,
    "answers-run-into-limit": answers.run_into_limit,
    "stop-token-lost": answers.end_lost,
    "answers-lengthen-for-nothing": answers.lengthens,
    "answers-shrink": answers.shrinks,
    "policy-entropy-explodes": entropy.entropy_explodes,
    "exploration-gone": entropy.explores_no_more,
    "sampler-drifts": entropy.sampler_leaves,
    "clips-many-tokens": entropy.clipped_tokens,
    "reward-hacked-held-out": hacking.hacked_held_out,
    "reward-hacked-by-parts": hacking.hacked_by_parts,
    "task-part-stays-flat": hacking.content_flat,
    "reward-falls-after-gradient-spikes": collapse.thrown,
}
