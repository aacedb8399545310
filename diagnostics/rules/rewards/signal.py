"""Whether the rewards of a group differ, which is all that GRPO and RLOO learn from."""

from __future__ import annotations

from diagnostics.detectors.rewards import signal
from diagnostics.model.records import Label
from diagnostics.rules.rewards.remedies import (
    AXOLOTL,
    DAPO,
    HOTTER,
    KEPT_ENTROPY,
    MORE_IN_GROUP,
    REWARDS,
    RUNS_88,
    SUNSHINE,
)
from diagnostics.rules.rule import Fix, Rule, Sign

LOW = 0.1
"""Shares of right answers up to this are those of a task that is far too hard, or of a function that never matches."""
GRADE_BY_HAND = Fix(
    "data",
    "grade 20 answers by hand and compare them with what the reward function says; check the parser and the chat "
    "template, and give prompts as lists of messages",
    "a reward above its lowest value for some of the answers",
)

NO_REWARD_SIGNAL = Rule(
    name="no-reward-signal",
    label=Label.BROKEN,
    sign=Sign.FROZEN,
    check=signal.no_reward_signal,
    limits={  # explained in ``NoSignalLimits``, but for the last three
        "equal": 0.9,
        "low": LOW,
        "near": 0.02,
        "kept": KEPT_ENTROPY,
        "min_points": 5,
        "at_end": 3,  # logs of a run that is over
        "min_steps": 20.0,
    },
    message="every answer gets the same lowest reward ({reward:.3g}) from the first log on: nothing to learn from",
    cause="The reward function or its parser never matches, the chat template is missing, or the task is far too hard.",
    fixes=(
        GRADE_BY_HAND,
        Fix("data", "begin with easier prompts, or with supervised fine-tuning on right answers", "some right answers"),
        MORE_IN_GROUP,
        HOTTER,
    ),
    confidence=0.9,
    example="reward 0 and frac_reward_zero_std 1 in every log",
    sources=("CoursIA#11304: prompts as plain text, so no answer ended", f"{RUNS_88}"),
    not_when="another part of the reward still varies",
    methods=REWARDS,
    immediate=True,
    stops=True,
)

GROUPS_ALWAYS_EQUAL = Rule(
    name="groups-always-equal",
    label=Label.BROKEN,
    sign=Sign.FROZEN,
    check=signal.groups_always_equal,
    limits={
        "equal": 0.95,  # the least share of groups with equal rewards, in the first three logs and over all
        "low": LOW,  # rewards that never exceed this are no signal at all
        "kept": KEPT_ENTROPY,  # of the first log, where training did not move the policy
        "min_points": 10,
    },
    message="in {equal:.0%} of the groups all answers get the same reward, though it is only {reward:.3g}: no gradient",
    cause="The answers to a prompt do not differ: they are sampled at temperature 0, with top_k 1 or a fixed seed.",
    fixes=(
        HOTTER,
        Fix("data", "sample with top_k 0 and no fixed seed, and read eight answers to one prompt", "unlike answers"),
        MORE_IN_GROUP,
    ),
    confidence=0.85,
    example="frac_reward_zero_std 1 in every log at reward 0.3",
    sources=("Shao et al. 2024, 2402.03300: the advantage is the reward less the mean of its group",),
    not_when="the prompts are solved, or all answers wrong",
    unless_found=("reward-stays-dead", "reward-collapses"),
    methods=REWARDS,
)

GROUPS_WASTED = Rule(
    name="groups-wasted",
    label=Label.UNDERFIT,
    check=signal.groups_wasted,
    limits={
        "equal": 0.5,  # explained in ``WastedLimits``, as the next one
        "low": 0.1,
        "min_points": 10,
    },
    message="{equal:.0%} of the groups teach nothing: their answers are all right or all wrong",
    cause="Some prompts are always solved and some never, the groups are small, or the answers alike.",
    fixes=(
        Fix("data", "keep prompts that are solved in 20 to 80 % of the tries", "groups that differ", weight=0.9),
        MORE_IN_GROUP,
        HOTTER,
    ),
    confidence=0.6,
    example="frac_reward_zero_std 0.7 at reward 0.5",
    sources=(f"{DAPO}: dynamic sampling is worth 2 points (verl's documentation)", AXOLOTL),
    not_when="scale_rewards is batch: then the share is 0 or 1",
    sets_label=False,
    methods=REWARDS,
)

REWARD_PART_CONSTANT = Rule(
    name="reward-part-constant",
    label=Label.BROKEN,
    check=signal.reward_part_constant,
    limits={
        "spread": 1e-6,  # around the part's usual value...
        "share": 0.9,  # ... in which so many of its logs lie
        "min_points": 10,
    },
    message="{parts:plural:reward function|reward functions} always gave {value:.3g}",
    cause="The function returns a constant, its parser never matches, or its demand is always met.",
    fixes=(Fix("data", "run the function on 20 answers by hand; drop it if it is met", "parts that all vary"),),
    confidence=0.7,
    example="rewards/strict_format/mean 0 in every log",
    sources=("rldoctor 0.2.0: dead reward part", AXOLOTL),
    sets_label=False,
    unless_found=("no-reward-signal", "reward-collapses", "reward-stays-dead"),
    methods=REWARDS,
)

PROMPTS_SOLVED = Rule(
    name="prompts-solved",
    label=Label.HEALTHY,
    check=signal.prompts_solved,
    limits={
        "equal": 0.6,  # the share of groups with equal rewards in the last quarter
        "near_best": 0.95,  # of the best tenth there, for rewards whose highest value is not known
        "min_points": 10,
    },
    message="the prompts are solved: {equal:.0%} of the groups are all right, at reward {reward:.3g}",
    cause="Nothing is left to learn on these prompts; equal groups and gradients of 0 are success here.",
    fixes=(
        Fix("data", "drop prompts that are solved in more than 90 % of the tries, or take harder ones", "new signal"),
        Fix("max_steps", "stop after {factor:times} the steps", "the same policy in less time", times=0.5, weight=0.5),
    ),
    confidence=0.85,
    example="reward 0.97, frac_reward_zero_std 0.8, grad_norm 0 in half of the logs",
    sources=(
        f"{SUNSHINE}: 21 of 25 sound runs, none of 8 collapsed",
        "rldoctor, rlprobe and Axolotl's ranges call these runs faulty",
    ),
    sets_label=False,
    unless_found=("reward-hacked-by-parts", "reward-hacked-held-out"),
    methods=REWARDS,
)
