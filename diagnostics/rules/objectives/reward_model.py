"""Reward models: scores no better than a coin, an overfit that accuracy hides, scores that drift."""

from __future__ import annotations

from diagnostics.detectors.objectives import reward_model
from diagnostics.model.records import Label
from diagnostics.rules.pair_remedies import one_epoch
from diagnostics.rules.remedies import CHECKPOINT, RAISE_RATE, cut_rate, halve_rate
from diagnostics.rules.rule import Fix, Rule, Sign

REWARD_MODEL = ("reward",)

SCORES_AT_CHANCE = Rule(
    name="scores-at-chance",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    check=reward_model.scores_at_chance,
    limits={
        "off": 0.01,  # the distance of the loss from ln 2
        "margin": 0.02,  # the largest margin between chosen and rejected answers
        "min_points": 8,
        "min_share_done": 0.9,  # of the planned steps
    },
    message="the reward model ends at a loss of {loss:.4g} (ln 2 is 0.6931) and a margin of {margin:.1g}: a coin",
    cause="The rate is too low, or so high for full training that the features died, or the pairs are cut to be equal.",
    fixes=(
        RAISE_RATE,
        Fix(
            "data", "check the pad token and whether max_length cuts off where the answers differ", "a loss below ln 2"
        ),
    ),
    confidence=0.8,
    example="loss 0.6931 after 200 steps of full training at 1e-4",
    sources=("alexwb's OPT-350m reward model at 1e-4", "trl#937: padding"),
    methods=REWARD_MODEL,
)

SCORES_BELOW_CHANCE = Rule(
    name="scores-below-chance",
    label=Label.OVERFIT,
    check=reward_model.scores_below_chance,
    limits={
        "accuracy": 0.45,  # the most held-out pairs ranked right, in the last three evaluations
        "loss": 0.5,  # the highest training loss
        "min_evals": 3,
        "min_points": 8,
    },
    message="{accuracy:.0%} of the held-out pairs are ranked right, less than by a coin, at a loss of {loss:.2g}",
    cause="The model ranks by a shortcut of the training pairs, or the labels of one split are flipped.",
    fixes=(
        Fix(
            "eval_set", "check five pairs of each split: which answer is in the column chosen", "an accuracy above 50 %"
        ),
        one_epoch(0.7),
    ),
    confidence=0.75,
    example="accuracy 0.31 on held-out pairs at a training loss of 0.2",
    sources=("bmaltbie's reward models: 0.26 to 0.40 in 12 runs",),
    not_when="less than 100 held-out pairs",
    methods=REWARD_MODEL,
)

ACCURACY_HIDES_OVERFIT = Rule(
    name="accuracy-hides-overfit",
    label=Label.OVERFIT,
    check=reward_model.accuracy_hides_overfit,
    limits={
        "rise": 0.02,  # of the held-out loss above its minimum
        "noise": 3.0,  # times the noise of an evaluation
        "level": 0.02,  # the most that the accuracy moved since the minimum
        "min_evals": 4,
    },
    message="the held-out loss rises {rise:.1%} above its minimum of {lowest:.3g}; the accuracy stays {accuracy:.0%}",
    cause="After one pass a reward model only gets surer of what it thinks already, of its mistakes too.",
    fixes=(
        CHECKPOINT,
        one_epoch(0.9),
        cut_rate(0.3, "use {factor:times} the learning rate", expect="a held-out loss that turns later", weight=0.7),
        Fix(
            "center_rewards_coefficient",
            "hold the scores near 0: center_rewards_coefficient {new}",
            "bounded scores",
            to=0.01,
            weight=0.4,
        ),
    ),
    confidence=0.85,
    example="held-out loss 0.63 to 0.74, accuracy 0.88 all along",
    sources=("Abhay11's reward model: three epochs", "Ouyang et al. 2022, InstructGPT: one epoch"),
    methods=REWARD_MODEL,
)

SCORES_DRIFT = Rule(
    name="scores-drift",
    label=Label.OVERFIT,
    check=reward_model.scores_drift,
    limits={
        "size": 10.0,  # of the mean score at the end
        "min_points": 8,
    },
    message="the mean score is {score:.2g}, far from 0",
    cause="The loss sees differences only, so all scores may drift together.",
    fixes=(
        Fix("center_rewards_coefficient", "set center_rewards_coefficient to {new}", "scores around 0", to=0.01),
        halve_rate("a slower drift", weight=0.4),
    ),
    confidence=0.6,
    example="mean_reward 0 to -14",
    sources=("TRL documentation: center_rewards_coefficient 0.01",),
    sets_label=False,
    methods=REWARD_MODEL,
)
