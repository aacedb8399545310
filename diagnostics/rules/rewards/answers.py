"""The lengths of the answers: cut off by the limit, without an end, longer or shorter for nothing."""

from __future__ import annotations

from diagnostics.detectors.rewards import answers
from diagnostics.model.records import Label
from diagnostics.rules.rewards.collapse import NOISE
from diagnostics.rules.rewards.remedies import (
    DAPO,
    END_OF_ANSWER,
    HALF_RATE,
    MORE_TOKENS,
    REWARDS,
    RUNS_88,
    SMALL_BETA,
)
from diagnostics.rules.rule import Fix, Rule, Sign

SOFT_LIMIT = Fix(
    "data", "take off reward for answers in the last fifth of the limit", "answers that end in time", weight=0.6
)
LENGTH_FREE_LOSS = Fix(
    "loss_type",
    "use loss_type dr_grpo or dapo, which do not favor long wrong answers",
    "lengths that follow the reward",
    to="dr_grpo",
    when=lambda case: case.settings.loss_type in (None, "grpo"),
    condition="where the loss is averaged over each answer",
)

ANSWERS_CUT_OFF = Rule(
    name="answers-cut-off",
    label=Label.BROKEN,
    sign=Sign.FROZEN,
    check=answers.answers_cut_off,
    limits={
        "ratio": 0.8,  # of the answers, in the first third and in the last
        "first": 0.5,  # in the first log: where most answers ended there, training did it
        "min_points": 5,
        "min_steps": 20.0,
    },
    message="{ratio:.0%} of the answers are cut off by the length limit, from the first logs on",
    cause="The limit is too short for an answer, or the model never writes its end token.",
    fixes=(MORE_TOKENS, END_OF_ANSWER, SOFT_LIMIT),
    confidence=0.9,
    example="completions/clipped_ratio 0.97 in every log, mean_terminated_length 0",
    sources=(f"{RUNS_88}: 7 runs from the first logs on, all of them true", f"{DAPO}: overlong answers"),
    not_when="the reward is at its ceiling: then the limit is part of the task",
    unless_found=("reward-stays-dead", "reward-collapses"),
    methods=REWARDS,
    immediate=True,
    stops=True,
)

ANSWERS_RUN_INTO_LIMIT = Rule(
    name="answers-run-into-limit",
    label=Label.UNSTABLE,
    check=answers.answers_run_into_limit,
    limits={
        "ratio": 0.5,  # of the answers in the last third
        "falls": 2.5,  # Welch's t between the thirds, from which on the share is on its way to 0
        "early": 0.2,  # where fewer were cut off at the start, the end of the answers was lost
        "min_points": 10,
    },
    message="{ratio:.0%} of the answers are cut off by the length limit",
    cause="The limit is too short for what the model writes: cut answers earn nothing and teach nothing.",
    fixes=(MORE_TOKENS, SOFT_LIMIT, END_OF_ANSWER),
    confidence=0.8,
    example="completions/clipped_ratio 0.6 at max_completion_length 256",
    sources=(f"{RUNS_88}: 16 of them end so", "DAPO: soft overlong punishment"),
    not_when="the share is falling to 0 by itself",
    unless_found=("answers-cut-off", "reward-collapses", "reward-stays-dead"),
    methods=REWARDS,
)

STOP_TOKEN_LOST = Rule(
    name="stop-token-lost",
    label=Label.UNSTABLE,
    check=answers.stop_token_lost,
    limits={
        "early": 0.2,  # the most answers cut off at the start
        "late": 0.5,  # the fewest at the end
        "of_limit": 0.9,  # the mean length at the end over the length limit, where both are known
        "min_points": 10,
    },
    message="{end:.0%} of the answers no longer end by themselves ({start:.0%} at the start)",
    cause="The reward does not look at what follows the answer, or the policy falls apart: it no longer writes an end.",
    fixes=(
        Fix("data", "let the reward function read the whole answer and ask for its end", "answers that end"),
        HALF_RATE,
        SOFT_LIMIT,
        SMALL_BETA,
    ),
    confidence=0.85,
    example="completions/clipped_ratio 0 to 1.0 with the reward still at 0.87",
    sources=(f"{RUNS_88}: 6 of 8 collapses, 2 others, both true",),
    unless_found=("reward-collapses", "reward-stays-dead"),
    methods=REWARDS,
)

ANSWERS_LENGTHEN_FOR_NOTHING = Rule(
    name="answers-lengthen-for-nothing",
    label=Label.UNSTABLE,
    check=answers.answers_lengthen_for_nothing,
    limits={
        "times": 1.5,  # the length at the start
        "t": 2.5,  # Welch's, between the first and the last third of the lengths
        "earned": 0.25,  # the least relative rise of the reward for each relative rise of the length
        "noise": NOISE,  # of the rewards' width: where a smaller rise drowns, nothing is said
        "min_points": 20,
    },
    message="the answers grow from {start:.0f} to {end:.0f} tokens while the reward does not rise in step",
    cause="The loss is averaged over each answer, which favors long wrong ones, or the reward pays for length.",
    fixes=(LENGTH_FREE_LOSS, SOFT_LIMIT, SMALL_BETA),
    confidence=0.7,
    example="139 to 1,610 tokens at a reward of 5.85",
    sources=("Dr.GRPO, 2503.20783", "rldoctor 0.2.0: earned length"),
    not_when="the reward or held-out answers improve with the length",
    unless_found=("answers-cut-off", "stop-token-lost", "answers-run-into-limit"),
    methods=REWARDS,
)

ANSWERS_SHRINK = Rule(
    name="answers-shrink",
    label=Label.UNSTABLE,
    check=answers.answers_shrink,
    limits={
        "times": 0.5,  # the length at the start
        "t": 2.5,  # Welch's, between the first and the last third of the lengths
        "noise": NOISE,  # of the rewards' width: where a smaller rise drowns, nothing is said
        "min_points": 20,
    },
    message="the answers shrink from {start:.0f} to {end:.0f} tokens and the reward does not rise",
    cause="Short answers pay: a penalty for each token, or a part of the reward that is met without an answer.",
    fixes=(
        Fix("data", "take out the penalty on length, or weigh right answers higher", "answers of a useful length"),
        SMALL_BETA,
    ),
    confidence=0.6,
    example="120 to 15 tokens at reward 0.3",
    sources=("Singhal et al. 2310.03716: reward and length",),
    not_when="the reward rises: shorter answers may be better",
    sets_label=False,
    unless_found=("reward-collapses", "reward-stays-dead"),
    methods=REWARDS,
)
