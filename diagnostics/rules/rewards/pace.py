"""Rewards that rise to the end as they did at first."""

from __future__ import annotations

from diagnostics.detectors.rewards import pace
from diagnostics.model.records import Label
from diagnostics.rules.rewards.flat import NOT_THE_RATE, RAISE_RATE
from diagnostics.rules.rewards.remedies import REWARDS
from diagnostics.rules.rule import Case, Fix, Rule


def _entropy_is_left(case: Case) -> bool:
    """The entropy was logged, and the rule asks that enough of it is left."""
    return "kept" in case.measured


LONGER = Fix("max_steps", "train for {factor:times} the steps", "a reward that goes on to rise", times=2.0, weight=0.8)

REWARD_STILL_RISES = Rule(
    name="reward-still-rises",
    label=Label.UNDERFIT,
    check=pace.reward_still_rises,
    limits={  # all but the first two are explained in ``PaceLimits``
        "min_share_done": 0.9,  # of the planned steps: on its way every reward rises
        "min_points": 10,
        "pace": 0.5,
        "t": 2.5,
        "kept": 0.7,
        "kept_pace": 0.33,
        "spent": 0.4,
    },
    message=(
        "the reward still rises at the end: by {second:.2g} over the second half of the learning rate spent, by "
        "{first:.2g} over the first"
    ),
    cause="The run is too short for its learning rate, or the rate too low: nothing shows yet what could be reached.",
    fixes=(
        Fix(
            "learning_rate",
            "use {factor:times} the learning rate",
            "a reward that bends towards its ceiling",
            times=RAISE_RATE.times,
            when=_entropy_is_left,
            condition="where the entropy is logged and at least 40 % of it is left",
        ),
        LONGER,
    ),
    confidence=0.75,
    example="reward 0.35, 0.40, 0.46, 0.50, 0.56 at even distances, entropy 0.30 to 0.27",
    sources=(
        "a step far below the best rate moves the policy in proportion to its rate (first-order expansion)",
        "The entropy mechanism of RL, 2505.22617: reward is bought with entropy, three quarters of it in the first "
        "twelfth of a run",
        "simulated policies over ladders of rates, benchmarks/verdicts/ladders.py: of 557 that this found 96 % were "
        "slow, and three times the rate ended higher in 93 %, lower in 2 %; with the entropy used up, lower in 63 %",
    ),
    not_when="most of the entropy is gone: then more steps may help, and a higher rate hurts",
    sets_label=False,
    unless_found=(*NOT_THE_RATE, "reward-hacked-held-out", "reward-hacked-by-parts"),
    methods=REWARDS,
)
