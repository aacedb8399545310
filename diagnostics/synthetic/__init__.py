"""Synthetic runs whose cause is known: one for every rule of the table, and healthy ones of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import numpy as np

from diagnostics.model.curves import Run
from diagnostics.synthetic.broken import BROKEN
from diagnostics.synthetic.dpo import DPO_FAULTS
from diagnostics.synthetic.healthy import HEALTHY_DPO, HEALTHY_SFT
from diagnostics.synthetic.nothing_learned import NOTHING_LEARNED
from diagnostics.synthetic.objectives import (
    HEALTHY_OF_PAIRS,
    HEALTHY_OF_TOKENS,
    OBJECTIVES_OF_PAIRS,
    OBJECTIVES_OF_TOKENS,
)
from diagnostics.synthetic.overfit import OVERFIT
from diagnostics.synthetic.reward_run import healthy_rewards
from diagnostics.synthetic.rewards import HEALTHY_REWARDS, REWARD_FAULTS
from diagnostics.synthetic.slow import SLOW
from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun, healthy_dpo, healthy_sft
from diagnostics.synthetic.tokens import TOKENS, TOKENS_OF_PAIRS
from diagnostics.synthetic.unstable import UNSTABLE

OF_PAIRS: Mapping[str, Fault] = {
    **HEALTHY_DPO,
    **DPO_FAULTS,
    **TOKENS_OF_PAIRS,
    **HEALTHY_OF_PAIRS,
    **OBJECTIVES_OF_PAIRS,
}
OF_LOSSES: Mapping[str, Fault] = {
    **BROKEN,
    **UNSTABLE,
    **OVERFIT,
    **SLOW,
    **NOTHING_LEARNED,
    **TOKENS,
    **DPO_FAULTS,
    **TOKENS_OF_PAIRS,
    **OBJECTIVES_OF_PAIRS,
    **OBJECTIVES_OF_TOKENS,
}
HEALTHY_LOSSES: Mapping[str, Fault] = {**HEALTHY_SFT, **HEALTHY_DPO, **HEALTHY_OF_PAIRS, **HEALTHY_OF_TOKENS}
FAULTS: tuple[str, ...] = (*OF_LOSSES, *REWARD_FAULTS)
HEALTHY: tuple[str, ...] = (*HEALTHY_LOSSES, *HEALTHY_REWARDS)
CAUSES: tuple[str, ...] = (*HEALTHY, *FAULTS)
"""Every cause that ``make`` knows: the names of the rules, and healthy runs."""


def make(
    cause: str, strength: float = 0.5, noise: float = 0.02, seed: int = 0, *, logs: int = 100, evals: int = 12
) -> Run:
    """A synthetic run with that cause at that strength (0 none, 0.5 typical, 1 severe), the same for the same seed.

    ``noise`` is the scatter of the training loss as a share of its level; where rewards are learned from, that of the
    mean reward of a log when half of the answers are right. Raises ``ValueError`` for an unknown cause.
    """
    if cause not in CAUSES:
        near = get_close_matches(cause, CAUSES, n=1, cutoff=0.0)
        raise ValueError(f"{cause}: no such cause; did you mean {near[0]}?")
    rng = np.random.default_rng(seed)
    title = f"{cause}-{strength:g}-{seed}"
    if (drawn := {**HEALTHY_REWARDS, **REWARD_FAULTS}.get(cause)) is not None:
        rewarded = healthy_rewards(rng, logs, evals)
        drawn(rewarded, strength)
        return rewarded.to_run(title, noise)
    run = healthy_dpo(rng, logs, evals) if cause in OF_PAIRS else healthy_sft(rng, logs, evals)
    {**HEALTHY_LOSSES, **OF_LOSSES}[cause](run, strength)
    return run.to_run(title, noise)


__all__ = ["CAUSES", "FAULTS", "HEALTHY", "SyntheticRun", "make"]
