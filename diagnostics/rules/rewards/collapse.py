"""Rewards that were there and went: a collapse, a state without gradient, a slow decline."""

from __future__ import annotations

from diagnostics.detectors.rewards import collapse
from diagnostics.model.records import Label
from diagnostics.rules.rewards.remedies import (
    BEST_CHECKPOINT,
    CUT_RATE,
    HALF_RATE,
    KEPT_ENTROPY,
    MORE_ANSWERS,
    REWARDS,
    RUNS_88,
    SMALL_BETA,
    SUNSHINE,
    TIGHT_CLIP,
)
from diagnostics.rules.rule import Rule, Sign

AFTER_COLLAPSE = (*CUT_RATE, BEST_CHECKPOINT, MORE_ANSWERS, TIGHT_CLIP, SMALL_BETA)
NOISE = 0.1
"""The share of the rewards' width that must be visible as a rise, for a trend to be judged."""

REWARD_STAYS_DEAD = Rule(
    name="reward-stays-dead",
    label=Label.UNSTABLE,
    sign=Sign.BLOW_UP,
    check=collapse.reward_stays_dead,
    limits={  # explained in ``DeadLimits``
        "equal": 0.95,
        "confirm": 2,
        "near": 0.02,
        "fall": 0.1,
        "kept": KEPT_ENTROPY,
        "long": 5,
    },
    message="the reward fell from {before:.3g} to {end:.3g} and all answers of each group get the same: no gradient",
    cause="The steps were too large: the policy writes one useless answer to every prompt, and nothing differs.",
    fixes=AFTER_COLLAPSE,
    confidence=0.95,
    example="reward 0.4 at the first log, 0 from the third on, frac_reward_zero_std 1, grad_norm 0",
    sources=(f"{SUNSHINE}: 8 of 8 collapses, none of 25 others, none recovered",),
    not_when="the reward is at its best: then the prompts are solved",
    methods=REWARDS,
    immediate=True,
    stops=True,
)

REWARD_COLLAPSES = Rule(
    name="reward-collapses",
    label=Label.UNSTABLE,
    sign=Sign.BLOW_UP,
    check=collapse.reward_collapses,
    limits={
        "left": 0.5,  # of the best tenth at the end
        "t": 3.5,  # Welch's, between the best and the last tenth
        "confirm": 3,  # logs at which it must hold
        "min_points": 10,
    },
    message="the reward falls from {best:.3g} to {end:.3g}: {left:.0%} of its best is left",
    cause="The steps are too large for so few answers, or the sampler left the trainer: the policy lost what it could.",
    fixes=AFTER_COLLAPSE,
    confidence=0.9,
    example="reward 0.86 at step 300, 0.02 at step 400",
    sources=(f"{RUNS_88}: 8 of 8 collapses, none of 80 others", "hello-agents#770: 57 % to 2.4 % at 5e-5"),
    not_when="the prompts became harder on purpose",
    essential=True,
    methods=REWARDS,
    immediate=True,
    stops=True,
)

REWARD_DECLINES = Rule(
    name="reward-declines",
    label=Label.UNSTABLE,
    check=collapse.reward_declines,
    limits={
        "left": 0.8,  # of the best tenth at the end
        "t": 6.0,  # Welch's, between the best and the last tenth; 4 calls noisy runs declining
        "thirds": 2.5,  # Welch's, between the first and the last third...
        "fall": 0.15,  # ... that differ by this share of the rewards' width
        "noise": NOISE,  # of the rewards' width: where a smaller rise drowns, nothing is said
        "min_points": 20,
    },
    message="the reward declines from {best:.3g} to {end:.3g}",
    cause="The policy goes on moving after it has learned what it can at this rate.",
    fixes=(BEST_CHECKPOINT, HALF_RATE, MORE_ANSWERS),
    confidence=0.6,
    example="reward 0.88 at its best, 0.56 at the end",
    sources=(f"{RUNS_88}: 2 of 2 runs that degraded, none of 78 others",),
    not_when="the prompts became harder on purpose",
    unless_found=("reward-collapses", "reward-stays-dead"),
    methods=REWARDS,
)
