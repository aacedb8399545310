"""Rewards that do not rise, and policies that hardly move, where the noise lets one tell."""

from __future__ import annotations

from diagnostics.detectors.rewards import flat
from diagnostics.model.records import Label
from diagnostics.rules.rewards.collapse import NOISE
from diagnostics.rules.rewards.remedies import MORE_ANSWERS, MORE_IN_GROUP, PLAIN_ADVANTAGES, REWARDS, RUNS_88
from diagnostics.rules.rule import Fix, Rule, Sign

RAISE_RATE = Fix(
    "learning_rate", "use {factor:times} the learning rate", "a reward that rises within 100 steps", times=3.0
)
NOT_THE_RATE = (
    "no-reward-signal",
    "groups-always-equal",
    "answers-cut-off",
    "reward-collapses",
    "reward-stays-dead",
    "reward-declines",
    "answers-run-into-limit",
    "stop-token-lost",
    "answers-lengthen-for-nothing",
    "policy-entropy-explodes",
    "exploration-gone",
    "sampler-drifts",
    "kl-runs-away",
    "kl-grows-for-nothing",
    "reference-differs",
)
"""Faults beside which a reward that rises slowly, or not at all, says nothing of the learning rate."""

REWARD_DOES_NOT_RISE = Rule(
    name="reward-does-not-rise",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    check=flat.reward_does_not_rise,
    limits={
        "noise": NOISE,  # of the rewards' width: where a smaller rise drowns, nothing is said
        "min_steps": 100.0,
        "few": 10,  # logs in which a flat reward shows, if their noise lets it
        "min_points": 20,  # logs in which a likely rise counts; fewer must rise clearly
        "min_share_done": 0.5,  # of the planned steps
    },
    message="the reward does not rise ({start:.3g} to {end:.3g}); a rise by {detectable:.2g} would show",
    cause="The learning rate is too low for LoRA, the answers compared are too few, or the reward says too little.",
    fixes=(
        RAISE_RATE,
        MORE_ANSWERS,
        MORE_IN_GROUP,
        Fix("max_steps", "train for {factor:times} the steps", "a rise that takes longer", times=2.0, weight=0.4),
    ),
    confidence=0.75,
    example="reward 0.41 in the first third, 0.40 in the last, of 400 steps at 1e-5",
    sources=(f"{RUNS_88}: 3 of 55; without regard to the noise it would be 21", "TRL, LoRA without regret: 10x full"),
    not_when="the noise would hide a rise: then the log cannot tell",
    unless_found=NOT_THE_RATE,
    essential=True,
    methods=REWARDS,
)

SMALL_REWARDS_AMPLIFIED = Rule(
    name="small-rewards-amplified",
    label=Label.UNDERFIT,
    check=flat.small_rewards_amplified,
    limits={
        "spread": 0.05,  # of the rewards' width, by which the answers of a batch differ in the last third
        "equal": 0.1,  # the share of equal groups there, from which on the rewards are steps and no scale
        "noise": NOISE,  # of the rewards' width: where a smaller rise drowns, nothing is said
        "min_points": 20,
    },
    message="the rewards of all answers lie within {spread:.1%} of their width, and the reward does not rise",
    cause="Each group is divided by its own spread: where rewards hardly differ, noise gets advantages of full size.",
    fixes=(
        PLAIN_ADVANTAGES,
        Fix("data", "spread the rewards: score what differs between answers, and drop what all get", "a clearer order"),
    ),
    confidence=0.55,
    example="reward 0.62 with reward_std 0.01 and no equal group",
    sources=("Dr.GRPO, 2503.20783: the bias of dividing by the spread", "TRL, paper index: Lite PPO"),
    not_when="rewards of 0 or 1",
    sets_label=False,
    methods=REWARDS,
)

POLICY_HARDLY_MOVES = Rule(
    name="policy-hardly-moves",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    check=flat.policy_hardly_moves,
    limits={
        "kl": 2e-4,  # the divergence from the reference at the end
        "min_steps": 100.0,
        "min_points": 10,
    },
    message="the policy is still its reference (divergence {kl:.1g}), and the reward has not risen",
    cause="The learning rate is far too low, the adapter is frozen, or the rate does not reach the optimizer.",
    fixes=(
        Fix("learning_rate", "use {factor:times} the learning rate", "a divergence that grows", times=10.0),
        Fix("data", "check that the adapter trains and which learning rate is logged", "a divergence that grows"),
        Fix(
            "beta",
            "use {factor:times} the beta",
            "a policy that may move",
            times=0.1,
            when=lambda case: (case.settings.beta or 0.0) >= 0.1,
            condition="where it is 0.1 or more",
            weight=0.6,
        ),
    ),
    confidence=0.8,
    example="kl 1e-5 after 200 steps at 1e-8",
    sources=("HelloAgents#107: a wrapper ignored the rate", "HaoranLuo/text2sql-grpo: kl 7e-4 and 0.04 of reward"),
    unless_found=("no-reward-signal", "groups-always-equal", "answers-cut-off", "reference-differs"),
    methods=REWARDS,
)
