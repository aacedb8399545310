"""Losses that jitter: both together, ever more, at the start alone, or the held-out loss alone."""

from __future__ import annotations

from diagnostics.detectors import jitter
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.conditions import LONG_WARMUP, SHORT_WARMUP, warmup_is_long, warmup_is_short
from diagnostics.rules.remedies import BIGGER_BATCH, LOOK_AT_DATA, PLAYBOOK, TENTH_WARMUP, TIGHTER_CLIP, cut_rate
from diagnostics.rules.rule import Case, Fix, Rule, Sign


def _wild(case: Case) -> bool:
    """Jitter of a third of the training loss or more."""
    return case.measured.get("train_jitter", 0.0) >= 0.3


TRAIN_AND_EVAL_JITTER = Rule(
    name="train-and-eval-jitter",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    sign=Sign.JITTER,
    check=jitter.joint_jitter,
    limits={
        "train_jitter": 0.05,  # over the level
        "eval_jitter": 0.03,  # over the level
        "elasticity": 0.3,  # of the jitter under a decaying rate
        "of_descent": 0.2,  # the jitter over the descent of the log loss, where the rate is constant or unknown...
        "driven_of_descent": 0.03,  # ... and where the jitter shrinks with the rate
    },
    borderline={"train_jitter": 0.035, "eval_jitter": 0.02, "of_descent": 0.14, "driven_of_descent": 0.02},
    message="training ({train_jitter:.0%}) and held-out loss ({eval_jitter:.0%}) jitter together throughout",
    cause="The learning rate is too high: the held-out rows never change, so the weights themselves must swing.",
    fixes=(
        cut_rate(0.3, "use {factor:times} the learning rate", when=_wild, condition="where the jitter is 30 % or more"),
        cut_rate(0.5, "use {factor:times} the learning rate"),
        BIGGER_BATCH,
        Fix(
            "warmup_ratio",
            "warm up longer, over at most 10 % of the steps",
            "a calmer start",
            times=4.0,
            at_least=SHORT_WARMUP,
            at_most=LONG_WARMUP,
            weight=0.5,
        ),
        LOOK_AT_DATA,
    ),
    confidence=0.75,
    example="train and eval both move up and down by 10 % between logs, from start to end",
    sources=("Wen et al., 2410.05192: decay minimizes the oscillations", PLAYBOOK, "Cohen et al., 2207.14484"),
    not_when="both losses are logged on few examples",
    of_batches=True,
)

JITTER_GROWS = Rule(
    name="jitter-grows",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    sign=Sign.JITTER,
    check=jitter.jitter_grows,
    limits={
        "factor": 2.6,  # of the jitter to that in the first fifth...
        "over_chance": 1.2,  # ... over what chance exceeds in one case of twenty
        "min_jitter": 0.1,  # at the end, over the level: a DPO loss starts at exactly ln 2, and any jitter is growth
        "fall": 0.05,  # of the loss: one that lost more is learning
        "min_points": 40,
    },
    message="the loss jitters {ratio:number:2} times as much as at the start and has not fallen",
    cause="The weights drift without learning: the learning rate is too high for this signal.",
    fixes=(
        cut_rate(0.3, "use {factor:times} the learning rate"),
        TENTH_WARMUP,
        Fix(
            "batch_size",
            "use a larger batch, of at most 128 pairs or rows",
            "less noise per step",
            times=2.0,
            at_least=32,
            at_most=128,
            weight=0.6,
        ),
    ),
    confidence=0.75,
    example="a DPO loss of 0.69 +- 0.02 that becomes 0.7 +- 0.3",
    sources=(
        "SimPO README: the learning rate is the most critical hyperparameter",
        "own simulation: limits by sample size",
    ),
    of_batches=True,
)

WARMUP_TOO_SHORT = Rule(
    name="warmup-too-short",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    sign=Sign.JITTER,
    check=jitter.early_jitter,
    limits={
        "early_share": 0.2,  # of the run
        "ratio": 2.0,  # of the jitter there to that in the rest
        "rise": 0.15,  # the largest climb there, over the first level, if it lasts for more than a log...
        "lone_rise": 0.6,  # ... and if it does not
        "min_points": 40,
    },
    message=(
        "the loss jitters {ratio:number:2} times as much in the first fifth as later, "
        "and climbs back by {climb:.0%} there"
    ),
    cause="The full learning rate arrives before the optimizer knows the scale of the gradients.",
    fixes=(
        Fix(
            "warmup_ratio",
            "warm up longer, over at most 10 % of the steps",
            "a start as calm as the rest",
            times=4.0,
            at_least=SHORT_WARMUP,
            at_most=LONG_WARMUP,
            when=warmup_is_short,
            condition="while the warm-up is below 10 % of the steps",
        ),
        cut_rate(
            0.5,
            "use {factor:times} the learning rate",
            when=warmup_is_long,
            condition="when the warm-up is 10 % already",
        ),
        TIGHTER_CLIP,
    ),
    confidence=0.7,
    example="loss 2.0, 3.1, 1.8, 2.9, 1.6 ... then smooth from step 60 of 300 on",
    sources=(
        f"{PLAYBOOK}: warm-up for early instability, at most 10 % of the steps",
        "Kalra and Barkeshli, 2406.09405",
        "against it: Pareja et al., 2412.13337, found warm-up needless in SFT",
    ),
    unless_found=("loss-not-finite", "loss-diverges", "loss-overshoots", "rate-too-high"),
    not_when="a steep early fall: LoRA starts from B = 0, and falling fast is not jitter",
    of_batches=True,
)

EVAL_JITTERS_MORE = Rule(
    name="eval-jitters-more",
    label=Label.UNSTABLE,
    check=jitter.eval_jitters_more,
    limits={
        "ratio": 1.0,  # of the held-out loss's jitter to that of the training loss between evaluations
        "min_jitter": 0.01,  # of the held-out loss, over the level
        "flips": 0.35,  # the share of the evaluations that change direction
    },
    message=(
        "the held-out loss jitters by {eval_jitter:.1%} from evaluation to evaluation, the training loss by "
        "{train_jitter:.1%}"
    ),
    cause=(
        "The held-out rows are too few or drawn anew each time, or the batch is too small: with fixed rows "
        "every wiggle is a real move of the weights."
    ),
    fixes=(
        Fix("eval_set", "evaluate on more rows, and on the same ones each time", "a smooth held-out loss", weight=0.9),
        Fix(
            "adam_beta2",
            "raise adam_beta2 to {new}",
            "the optimizer averages over more of the small batches",
            to=0.99,
            weight=0.7,
            when=lambda case: (case.settings.adam_beta2 or 1.0) <= 0.98 and (case.settings.batch_size or 99) <= 8,
            condition="with batches of up to 8 rows and adam_beta2 of 0.98 or less",
        ),
        Fix(
            "batch_size",
            "use {factor:times} the batch and keep the learning rate",
            "steadier weights",
            times=2.0,
            at_most=128,
            weight=0.6,
        ),
    ),
    confidence=0.55,
    example="eval 1.30, 1.38, 1.29, 1.41 while the training loss moves by 0.01",
    sources=(f"{PLAYBOOK}: batch variance, small validation set, late learning rate", "Marek et al., 2507.07101"),
    not_when="the wiggle is within three standard errors of the paired differences between evaluations",
    sets_label=False,
    of_batches=True,
)
