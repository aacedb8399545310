"""Runs that end no better than they began: than the untrained model, or than a guess."""

from __future__ import annotations

from diagnostics.detectors import nothing_learned
from diagnostics.model.records import Label
from diagnostics.rules.remedies import AFTER_BLOW_UP, CHECK_WHAT_IS_TRAINED, PLAYBOOK
from diagnostics.rules.rule import Fix, Rule, Sign, Wording

SMALL_SHARE = 0.05
"""Training losses that lost this share of their start were trained on something."""

WORSE_THAN_UNTRAINED = Rule(
    name="worse-than-untrained",
    label=Label.UNSTABLE,
    sign=Sign.BLOW_UP,
    check=nothing_learned.worse_than_untrained,
    limits={  # all but ``min_points`` are explained in ``WorseLimits``
        "rise": 0.01,
        "sigma": 4.0,
        "train_fall": SMALL_SHARE,
        "thrown": 1.0,
        "thrown_early": 0.1,
        "first_eval_by": 0.1,
        "min_points": 12,  # training losses, without such evaluations
    },
    message="the loss climbs from {start:.3g} to {highest:.3g}, further than it came down in the end (to {end:.3g})",
    wordings=(
        Wording(
            "the loss ends at {end:.3g}, worse than the {start:.3g} it began with",
            "where it ends above its start",
            lambda measured: measured["end"] >= measured["start"],
        ),
    ),
    cause="The steps are so large that training took away what the model could do before.",
    fixes=AFTER_BLOW_UP,
    confidence=0.85,
    example="eval 2.33 at the start, 2.49 at a third of the run, 2.31 at the end",
    sources=(
        f"{PLAYBOOK}: any workload becomes unstable if the learning rate is too large",
        "684 LoRA runs, benchmarks/search/tables: none within three times of the best rate ends above its start",
    ),
    not_when="the training loss falls meanwhile: then the rows are memorized",
    of_batches=True,
)

NO_BETTER_THAN_UNTRAINED = Rule(
    name="no-better-than-untrained",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    check=nothing_learned.no_better_than_untrained,
    limits={
        "gain": 0.003,  # of the held-out loss at the end below its start
        "best_gain": 0.01,  # of the best evaluation below it
        "train_fall": SMALL_SHARE,  # of the training loss...
        "sigma": 2.0,  # ... beyond so many standard errors
        "start_by": 0.02,  # the share of the run by which the first evaluation must come, if not before training,
        "still_by": 0.25,  # or where all evaluations are alike
    },
    message="the held-out loss ends at {end:.4g}; before training it was {start:.4g}",
    cause="Nothing that shows on held-out rows was learned: the rate is far too low, or the weights do not train.",
    fixes=(
        CHECK_WHAT_IS_TRAINED,
        Fix(
            "learning_rate",
            "try {factor:times} the learning rate",
            "a held-out loss that falls",
            times=10.0,
            weight=0.6,
            by_estimate=True,
        ),
    ),
    confidence=0.8,
    unless_found=("rate-too-low",),
    example="eval 4.695 before training, 4.693 at the end",
    sources=("Karpathy, A recipe for training neural networks: overfit one batch", "trainproof TP-FLAT"),
    not_when="the model knew the rows already",
    not_methods=("dpo",),
)

NO_BETTER_THAN_CHANCE = Rule(
    name="no-better-than-chance",
    label=Label.BROKEN,
    sign=Sign.FROZEN,
    check=nothing_learned.no_better_than_chance,
    limits={
        "near_vocabulary": 0.02,  # how far the end may lie from ln(vocabulary)
        "off_chance": 0.003,  # how far the end may lie from the ln of a count of classes, where no vocabulary is known
        "flat": 0.005,  # the most that the loss moves in its second half there
        "moved": 0.01,  # the share of its start by which the loss must have moved before: else the rate may be too low
        "min_points": 10,
    },
    message="the loss ends at {end:.4g}, that of a guess ({chance:.4g})",
    cause=(
        "A loss of ln(k) is what even guesses among k classes cost: units are dead, or labels do not belong to their "
        "inputs."
    ),
    fixes=(
        CHECK_WHAT_IS_TRAINED,
        Fix("data", "check the initialization and the scale of the inputs", "a loss below that of a guess"),
    ),
    confidence=0.85,
    example="loss 4.1 at the start and 2.3026 = ln 10 from a tenth of the run on",
    sources=("Karpathy, A recipe for training neural networks: verify loss at init",),
    not_when="the classes are of very unequal size: then a guess costs less than ln(k)",
    unless_found=("loss-diverges", "loss-overshoots", "gradient-dies", "loss-jumps"),
    not_methods=("dpo",),
)
