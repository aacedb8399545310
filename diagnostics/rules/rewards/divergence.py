"""How far the policy is from its reference: a wrong reference, a policy that runs away, a drift that gains nothing."""

from __future__ import annotations

from diagnostics.detectors.rewards import divergence
from diagnostics.model.records import Label
from diagnostics.rules.remedies import cut_rate
from diagnostics.rules.rewards.collapse import NOISE
from diagnostics.rules.rewards.remedies import (
    AXOLOTL,
    BEST_CHECKPOINT,
    CUT_RATE,
    HALF_RATE,
    MORE_BETA,
    REWARDS,
    RUNS_88,
)
from diagnostics.rules.rule import Fix, Rule

REFERENCE_DIFFERS = Rule(
    name="reference-differs",
    label=Label.BROKEN,
    check=divergence.reference_differs,
    limits={
        "kl": divergence.WRONG_REFERENCE,  # of the first three logs; 43 public runs have 0.003 at most, 9 have 0.28 up
        "first": 0.025,  # of the first log alone
        "grows": 1.5,  # times within these logs, where the first is not of the first step: then the updates made it
    },
    message="the policy is {kl:.2g} nats from its reference in the first logs, where it should be 0",
    cause=(
        "The reference is another model: an adapter on top of another one, or one that starts with a part of the base "
        "model (PiSSA, OLoRA), so that switching it off gives no base."
    ),
    fixes=(
        Fix(
            "data", "merge the first adapter into the model, or start the adapter plainly", "a divergence of 0 at first"
        ),
        cut_rate(0.5, "else judge the divergence by its growth, and use {factor:times} the learning rate", weight=0.3),
    ),
    confidence=0.9,
    example="kl 0.6 at the first log",
    sources=(f"{RUNS_88}: the first divergence is 0.003 at most or 0.28 at least", "PEFT: PiSSA"),
    not_when="the first log covers several steps at a rate above its cap",
    methods=REWARDS,
)

KL_RUNS_AWAY = Rule(
    name="kl-runs-away",
    label=Label.UNSTABLE,
    check=divergence.kl_runs_away,
    limits={
        "kl": 2.0,  # nats a token
        "times": 8.0,  # the median of the first third...
        "at_least": 0.5,  # ... and more nats than this
        "confirm": 3,  # logs in a row at the end
        "min_points": 10,
    },
    message="the policy runs away from its reference: divergence {kl:.2g}, {usual:.2g} in the first third",
    cause="The learning rate is too high for this beta, or the reward pays for text the reference would not write.",
    fixes=(*CUT_RATE, MORE_BETA, BEST_CHECKPOINT),
    confidence=0.75,
    example="kl 0.02, 0.3, 2.5, 6",
    sources=(f"{AXOLOTL}: above 2 it has diverged", "rlprobe 0.1.0: 8 times and 0.5"),
    not_when="a single log: up to 17.8 has recovered; or a reward that rises with it and stays",
    methods=REWARDS,
)

KL_GROWS_FOR_NOTHING = Rule(
    name="kl-grows-for-nothing",
    label=Label.UNSTABLE,
    check=divergence.kl_grows_for_nothing,
    limits={
        "kl": 0.5,  # nats a token, by which the divergence grew
        "t": 2.5,  # Welch's, between its first and its last third
        "noise": NOISE,  # of the rewards' width: where a smaller rise drowns, nothing is said
        "min_points": 20,
    },
    message="the divergence grows to {kl:.2g} while the reward does not rise (it ends at {reward:.3g})",
    cause="The policy walks away from its reference and gains nothing by it.",
    fixes=(BEST_CHECKPOINT, MORE_BETA, HALF_RATE),
    confidence=0.65,
    example="kl 0.05 to 0.9 at reward 0.5 all along",
    sources=("Gao et al. 2210.10760: the true reward peaks along the divergence", "rldoctor 0.2.0: kl_drift"),
    not_when="the reward is at its ceiling",
    unless_found=("kl-runs-away", "reward-collapses", "reward-stays-dead", "reference-differs"),
    methods=REWARDS,
)
