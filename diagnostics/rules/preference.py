"""Runs on preference pairs (DPO): nothing learned, pairs memorized, a policy that drifts away, swapped pairs."""

from __future__ import annotations

from diagnostics.detectors import preference
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.pair_remedies import NEAR_REFERENCE, higher_beta, more_epochs, one_epoch
from diagnostics.rules.remedies import CHECKPOINT, RAISE_RATE, TENTH_WARMUP, cut_rate, halve_rate
from diagnostics.rules.rule import Case, Fix, Rule, Sign

DPO = ("dpo",)


def _strong_beta(case: Case) -> bool:
    """Beta is above 0.1, the usual value."""
    return (case.settings.beta or 0.0) > 0.1


HIGHER_BETA = higher_beta(2.0, 0.7)
HALF_RATE = halve_rate("a smaller drift from the reference")

LIKELIHOOD_COLLAPSES = Rule(
    name="likelihood-collapses",
    label=Label.UNSTABLE,
    check=preference.likelihood_collapses,
    limits={
        "drop": 0.5,  # of the log-probability of both answers, or half of it beside...
        "entropy_drop": 0.5,  # ... such a drop of the entropy
    },
    message="the log-probability of both answers fell by {drop:.0%}",
    cause="The learning rate is far too high: the policy forgets how to write.",
    fixes=(
        cut_rate(0.3, "use {factor:times} the learning rate", expect="log-probabilities that stay near their start"),
        TENTH_WARMUP,
        HIGHER_BETA,
    ),
    confidence=0.85,
    example="logps/chosen from -180 to -420, answers that repeat themselves",
    unless_found=("preferences-saturate", "eval-loss-rises"),
    sources=("SimPO README: 1e-5 gives incoherent or repetitive output in full fine-tuning",),
    methods=DPO,
)


REWARDS_FALL_TOGETHER = Rule(
    name="rewards-fall-together",
    label=Label.UNSTABLE,
    sign=Sign.BLOW_UP,
    check=preference.rewards_fall_together,
    limits={
        "reward": 3.0,  # below 0, of both answers at the end: exp(-3 / beta) of their likelihood is left
        "fall": 0.1,  # of the loss below ln 2: less is nothing learned
        "min_points": 5,
    },
    message=(
        "the rewards of both answers fall to {chosen:.2g} and {rejected:.2g} while the loss is {loss:.3g} "
        "(ln 2 is 0.693)"
    ),
    cause="The learning rate is far too high: the policy ran away from its reference and prefers neither answer.",
    fixes=(
        NEAR_REFERENCE,
        TENTH_WARMUP,
        HIGHER_BETA,
    ),
    confidence=0.9,
    example="rewards/chosen -15, rewards/rejected -15, loss 0.69",
    sources=("Rafailov et al. 2023, equation 7: the reward is beta times the log ratio", "Razin et al., 2410.08847"),
    not_when="the margin grows far with it: then the pairs are memorized",
    methods=DPO,
)


PREFERENCES_SATURATE = Rule(
    name="preferences-saturate",
    label=Label.OVERFIT,
    check=preference.preferences_saturate,
    limits={
        "accuracy": 0.95,  # in training, in the last quarter
        "rise": 0.03,  # of the held-out loss above its minimum
        "loss": 0.05,  # in training, where no held-out loss is logged
        "min_points": 8,
    },
    message=(
        "the policy prefers the chosen answer in {accuracy:.0%} of the training pairs, at a loss of {loss:.3g}; the "
        "held-out pairs gain nothing"
    ),
    cause="The policy has memorized the pairs.",
    fixes=(
        CHECKPOINT,
        one_epoch(
            0.9,
            when=lambda case: (case.settings.num_train_epochs or 2.0) > 1.0,
            condition="with more than one epoch",
        ),
        halve_rate("a slower fit of the pairs", weight=0.8),
        HIGHER_BETA,
        Fix("label_smoothing", "set label_smoothing to {new} (robust DPO)", "bounded margins", to=0.1, weight=0.5),
    ),
    confidence=0.75,
    example="accuracy 1.0 in training, 0.66 and falling on held-out pairs",
    sources=("Rafailov et al., 2406.02900", "Zephyr, 2310.16944", "TRL documentation: IPO and robust losses"),
    not_when="a judge still prefers the newer answers (Zephyr)",
    methods=DPO,
)


CHOSEN_LIKELIHOOD_FALLS = Rule(
    name="chosen-likelihood-falls",
    label=Label.OVERFIT,
    check=preference.chosen_likelihood_falls,
    limits={
        "reward": -1.0,  # of the chosen answers at the end
        "p": 0.1,  # the chance of such a downward trend
        "min_points": 8,
    },
    message="the reward of the chosen answers falls to {chosen:.2g} while the margin grows to {margin:.2g}",
    cause="The margin grows because both answers become less likely; often the pairs are nearly identical.",
    fixes=(
        HALF_RATE,
        HIGHER_BETA,
        Fix(
            "loss_type",
            "add an SFT term to the loss (loss_type: sigmoid and sft)",
            "chosen answers stay likely",
            weight=0.6,
        ),
        Fix("data", "drop pairs whose two answers hardly differ", "chosen answers stay likely", weight=0.5),
    ),
    confidence=0.6,
    example="rewards/chosen from 0 to -2.4, margin up to 3",
    sources=("Razin et al., 2410.08847", "DPOP, 2402.13228", "trl#800"),
    not_when="a mild fall, which is how DPO usually works, or a rising score from a judge",
    sets_label=False,
    methods=DPO,
)

MARGINS_RUN_AWAY = Rule(
    name="margins-run-away",
    label=Label.OVERFIT,
    check=preference.margins_run_away,
    limits={"reward": 5.0},  # the size of either reward at the end
    message="an implicit reward reaches {size:.2g}: the policy is far from its reference",
    cause="Nothing keeps the policy near its reference: beta is low for this rate and this many steps.",
    fixes=(HIGHER_BETA, HALF_RATE),
    confidence=0.55,
    example="rewards/rejected -9 with beta 0.1",
    sources=("eric-mitchell/direct-preference-optimization#4",),
    sets_label=False,
    methods=DPO,
)


PREFERENCES_NOT_LEARNED = Rule(
    name="preferences-not-learned",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    check=preference.preferences_not_learned,
    limits={
        "accuracy": 0.55,  # below which the policy does no better than chance
        "fall": 0.04,  # of the loss below ln 2: less is nothing learned
        "margin": 0.1,  # above which something was learned
        "max_margin": 1.0,  # on the wrong side: a policy that went so far learned, if the wrong thing
        "min_points": 5,
    },
    message=(
        "the policy prefers the chosen answer in {accuracy:.0%} of the pairs, the margin is {margin:.2g}, the loss "
        "{loss:.3g} (ln 2 is 0.693)"
    ),
    cause="The learning rate is too low, or the pairs and steps are too few, to leave the reference.",
    fixes=(
        RAISE_RATE,
        Fix(
            "beta",
            "use {factor:times} the beta",
            "the policy may move further",
            times=1.0 / 3.0,
            at_least=0.01,
            when=_strong_beta,
            condition="where it is above 0.1",
            weight=0.6,
        ),
        more_epochs(0.5),
    ),
    confidence=0.75,
    example="accuracy 0.52, loss 0.691, margin 0.006 after 50 steps",
    sources=("tinker: an underfit run at 0.516, 0.6907 and 0.006", "TRL: 5e-6 to 1e-5 with LoRA"),
    not_when="the first loss is not 0.693: then the set-up is wrong",
    methods=DPO,
)

HELD_OUT_PAIRS_SWAPPED = Rule(
    name="held-out-pairs-swapped",
    label=Label.BROKEN,
    check=preference.pairs_swapped,
    limits={
        "train": 0.65,  # the least accuracy in training
        "held_out": 0.35,  # the highest on the held-out pairs
        "min_evals": 3,
    },
    message=(
        "the policy prefers the chosen answer in {train:.0%} of the training pairs but only in {held_out:.0%} of the "
        "held-out ones"
    ),
    cause="What one split calls chosen the other calls rejected: an accuracy far below one half is not chance.",
    fixes=(
        Fix(
            "eval_set",
            "look at five pairs of each split and check which answer is in the column chosen",
            "a held-out accuracy above 50 %",
        ),
    ),
    confidence=0.75,
    example="rewards/accuracies 0.82 in training, 0.21 on the held-out pairs",
    sources=("algebra: an accuracy below 1/2 means that the negated preference is learned",),
    not_when="only a handful of pairs is held out",
    methods=DPO,
)
