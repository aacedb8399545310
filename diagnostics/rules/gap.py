"""The gap between the losses: where it grows, and where only the training loss falls."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.detectors import gap
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import MORE_ROWS, ONE_OR_TWO_EPOCHS, SOME_DROPOUT
from diagnostics.rules.rule import Fix, Rule

GAP_GROWS = Rule(
    name="gap-grows",
    label=Label.OVERFIT,
    check=gap.gap_grows,
    limits={
        "growth": 0.05,  # of the gap since the first epoch, over the held-out loss
        "sigma": 3.0,  # the standard errors of that growth
        "p": 0.1,  # the chance of such a trend
        "min_evals": 5,
        "max_start_gap": 0.05,  # over the held-out loss: losses further apart at the start are not of one kind...
        "early_share": 0.03,  # ... where the first evaluation comes in this share of the run
    },
    message="since the first epoch the gap between the losses grew from {before:.2g} to {after:.2g}",
    cause="What the model still gains on the training rows no longer reaches the held-out ones.",
    fixes=(replace(ONE_OR_TWO_EPOCHS, weight=0.6), SOME_DROPOUT, MORE_ROWS),
    confidence=0.4,
    example="three epochs: eval stays at 1.05 while train goes from 1.0 to 0.7",
    sources=(
        "tinker-cookbook sft_sweep: within one epoch the gap says nothing about the rate",
        "Google tuning playbook: problematic overfitting is a rising validation error, not a gap",
    ),
    not_when="the first epoch, or dropout and NEFTune noise, which only training has",
    sets_label=False,
    not_methods=("dpo",),
)

TINY_RATE_MANY_EPOCHS = Rule(
    name="tiny-rate-many-epochs",
    label=Label.OVERFIT,
    blames=RateSide.TOO_LOW,
    check=gap.low_rate_many_epochs,
    limits={
        "epochs": 3.0,
        "max_rate_ratio": 0.3,  # of the rate to its center
        "growth": 0.005,  # of the gap, over the held-out loss
        "sigma": 3.0,  # the standard errors of that growth
        "p": 0.1,  # the chance of such a trend
        "min_evals": 5,
    },
    message=(
        "{epochs:.0f} epochs at {rate_over_center:.0%} of the usual learning rate, and the gap to the held-out loss "
        "grows"
    ),
    cause="Many small steps over the same rows memorize them. The evidence for this rule is weak.",
    fixes=(
        Fix("learning_rate", "use {factor:times} the learning rate", "as much learned in fewer passes", times=3.0),
        Fix(
            "num_train_epochs",
            "and train for {factor:times} the epochs with it",
            "as much learned in fewer passes",
            times=0.5,
            at_least=1.0,
        ),
    ),
    confidence=0.3,
    example="6 epochs of 500 rows in batches of 2 at 2e-5 with LoRA",
    sources=("Smith, 1803.09820: too small a rate can overfit", "against it: Marek et al., 2507.07101"),
    not_when="a single epoch",
    sets_label=False,
)

TRAIN_FALLS_ALONE = Rule(
    name="train-falls-alone",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    check=gap.train_falls_alone,
    limits={
        "train_fall": 0.05,  # of the training loss since the first evaluation
        "sigma": 2.0,  # the noises by which the held-out loss may move
        "min_evals": 5,
        "max_hidden": 0.5,  # of the fall in training, that noise may hide in the held-out loss
        "p": 0.05,  # the chance of such a trend in training
        "floor": 0.002,  # the least noise a held-out loss is taken to have, over its level
    },
    message=(
        "within one epoch the training loss falls by {train_fall:.0%} while the held-out loss moves by "
        "{eval_change:.1%}"
    ),
    cause=(
        "Most often the held-out rows differ: another template, mask or source. Less often the adapter cannot "
        "express what the rows have in common. The evidence for this rule is the weakest of all."
    ),
    fixes=(
        Fix("data", "compare template, masking and source of both splits, and remove duplicates", "both fall"),
        Fix(
            "learning_rate",
            "try {factor:times} the learning rate as a probe",
            "both losses fall",
            times=3.0,
            weight=0.9,
        ),
        Fix(
            "lora_r",
            "use {factor:times} the rank and keep lora_alpha",
            "both losses fall",
            times=2.0,
            at_most=64,
            weight=0.7,
        ),
    ),
    confidence=0.3,
    example="one epoch: train 1.4 to 0.9, eval 1.52, 1.51, 1.52",
    sources=("Smith, 1803.09820, in part: large rates regularize", "no source supports lack of expressiveness"),
    not_when="any repeat of rows, any rise of the held-out loss, a rate near the cap",
    not_methods=("dpo",),
)
