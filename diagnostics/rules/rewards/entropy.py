"""The entropy of the policy and its distance to the sampler: a policy that dissolves, one that no longer explores."""

from __future__ import annotations

from diagnostics.detectors.rewards import entropy
from diagnostics.model.records import Label
from diagnostics.rules.rewards.collapse import NOISE
from diagnostics.rules.rewards.remedies import (
    AXOLOTL,
    BEST_CHECKPOINT,
    CLIP_HIGHER,
    CUT_RATE,
    DAPO,
    HALF_RATE,
    HOTTER,
    REWARDS,
    SMALL_BETA,
    SUNSHINE,
)
from diagnostics.rules.rule import Fix, Rule

PRECISION = Fix(
    "data",
    "compute the last layer in float32 (cast_lm_head_to_fp32), sample in the trainer's precision and sync the weights "
    "at every step",
    "log-probabilities that agree to 0.02 nats",
)
ON_POLICY = Fix(
    "num_iterations",
    "use each batch of answers for {new:plural:update|updates}",
    "answers of the policy that is trained",
    to=1,
    when=lambda case: (case.settings.num_iterations or 1) > 1,
    condition="where it is more",
)

ENTROPY_EXPLODES = Rule(
    name="policy-entropy-explodes",
    label=Label.UNSTABLE,
    check=entropy.entropy_explodes,
    limits={
        "times": 2.0,  # the entropy at the start, in the last logs, beside...
        "gap": 0.02,  # ... so many nats between sampler and trainer...
        "more": 0.1,  # ... or so many nats above the start and...
        "left": 0.8,  # ... this share of the best reward at the end...
        "t": 3.5,  # ... by Welch's t
        "confirm": 3,  # logs at the end
        "min_points": 10,
    },
    message="the entropy of the policy rises from {start:.2g} to {end:.2g}",
    cause="The steps are too large, or clip-higher or an entropy bonus too strong: the policy dissolves into noise.",
    fixes=(
        *CUT_RATE,
        Fix(
            "epsilon_high",
            "set epsilon_high to {new}",
            "a policy that is not pushed to unlikely tokens",
            to=0.2,
            when=lambda case: (case.settings.epsilon_high or 0.0) > 0.2,
            condition="where it is higher",
            weight=0.6,
        ),
        PRECISION,
        BEST_CHECKPOINT,
    ),
    confidence=0.8,
    example="entropy 0.15 to 2.1, sampling_logp_difference 0.08",
    sources=(f"{SUNSHINE}: 6 of 8 collapses, none of 25 others", "rllm#116: fine while the reward rises"),
    not_when="the temperature was raised on purpose, or the reward rises",
    methods=REWARDS,
)

EXPLORATION_GONE = Rule(
    name="exploration-gone",
    label=Label.UNSTABLE,
    check=entropy.exploration_gone,
    limits={
        "left": 0.1,  # of the entropy at the start
        "lowest": 0.01,  # or less than this
        "noise": NOISE,  # of the rewards' width: where a smaller rise drowns, nothing is said
        "t": 2.0,  # Welch's, by which the share of equal groups rises between the thirds
        "min_points": 20,
    },
    message="the entropy falls from {start:.2g} to {end:.2g} and the reward does not rise",
    cause="The policy writes nearly the same answer every time and has nothing left to compare.",
    fixes=(CLIP_HIGHER, HOTTER, HALF_RATE, SMALL_BETA),
    confidence=0.7,
    example="entropy 0.4 to 0.01 at reward 0.4",
    sources=("The entropy mechanism of RL, 2505.22617", f"{DAPO}: clip higher", "ProRL, 2505.24864"),
    not_when="the reward rises or is at its ceiling: then the policy has converged",
    unless_found=("reward-collapses", "reward-stays-dead"),
    methods=REWARDS,
)

SAMPLER_DRIFTS = Rule(
    name="sampler-drifts",
    label=Label.UNSTABLE,
    check=entropy.sampler_drifts,
    limits={
        "gap": 0.05,  # nats a token between sampler and trainer
        "times": 5.0,  # the gap at the start, and half the limit
        "ratio": 0.5,  # the mean importance ratio
        "confirm": 3,  # logs in a row; one less for the other two signs
    },
    message="sampler and trainer disagree by {gap:.2g} nats a token ({start:.2g} at the start)",
    cause="The answers come from another policy than the one that is trained: precision, stale weights or a cache.",
    fixes=(PRECISION, ON_POLICY, HALF_RATE),
    confidence=0.8,
    example="sampling_logp_difference/mean 0.01 to 0.2",
    sources=(f"{SUNSHINE}: 6 of 8 collapses, one of 25 others, which degraded", "verl: rollout correction"),
    methods=REWARDS,
)

CLIPS_MANY_TOKENS = Rule(
    name="clips-many-tokens",
    label=Label.UNSTABLE,
    check=entropy.clips_many_tokens,
    limits={
        "ratio": 0.1,  # of the tokens
        "confirm": 5,  # logs in a row
    },
    message="{ratio:.0%} of the tokens are clipped",
    cause="Each batch of answers is used for so many updates that the policy has left them behind.",
    fixes=(ON_POLICY, HALF_RATE),
    confidence=0.7,
    example="clip_ratio/region_mean 0.2 with num_iterations 4",
    sources=(f"{AXOLOTL}: above 0.1 look, above 0.3 too aggressive", "GSPO, 2507.18071: 0.15 is normal there"),
    not_when="whole answers are weighed (GSPO)",
    sets_label=False,
    methods=REWARDS,
)
