"""Slot 5: runs that learn the training rows rather than the task."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.detectors import eval_rise, gap
from diagnostics.model.records import Label
from diagnostics.rules.rule import Case, Fix, Rule

STAIRS = {"z": 4.0, "noises": 3.0, "drop": 0.1, "points": 20}


def _several_epochs(case: Case) -> bool:
    """More than one pass over the rows, or unknown."""
    return case.settings.num_train_epochs is None or case.settings.num_train_epochs > 1.0


def _epochs_to_minimum(case: Case) -> float | None:
    """The number of whole epochs that reach the minimum of the held-out loss."""
    epochs, share = case.settings.num_train_epochs, case.measured.get("onset")
    if epochs is None or share is None:
        return None
    return float(max(1, -int(-(epochs * share) // 1)))


def _no_dropout(case: Case) -> bool:
    """Dropout is known to be below 0.05."""
    return (case.settings.lora_dropout or 0.0) < 0.05


CHECKPOINT = Fix(
    "checkpoint",
    "use the checkpoint at the minimum of the held-out loss",
    "the best model of this run, at no cost",
)
ONE_OR_TWO_EPOCHS = Fix(
    "num_train_epochs",
    "train one or two epochs unless a task metric asks for more",
    "the same held-out loss in less time",
    to=2.0,
    at_least=1.0,
    weight=0.5,
    when=lambda case: (case.settings.num_train_epochs or 3.0) > 2.0,
    condition="with more than two epochs",
)

OVERFIT = (
    Rule(
        name="eval-loss-rises",
        label=Label.OVERFIT,
        check=eval_rise.eval_loss_rises,
        limits={
            "rise": 0.02,
            "of_descent": 0.12,
            "clear": 0.08,
            "noise_share": 0.65,
            "floor": 0.01,
            "evals": 4,
            "train_fall": 0.02,
            "far_rise": 0.1,
            "far_noises": 0.75,
            "far_fall": 0.4,
            "far_p": 0.4,
        },
        borderline={
            "rise": 0.012,
            "of_descent": 0.08,
            "clear": 0.05,
            "noise_share": 0.4,
            "floor": 0.006,
            "far_rise": 0.06,
            "far_noises": 0.5,
            "far_fall": 0.25,
        },
        message=(
            "the held-out loss rises {rise:.1%} above its minimum of {lowest:.3g} while the training loss goes on "
            "falling"
        ),
        cause="Too many updates on the same rows: the model learns them by heart.",
        fixes=(
            CHECKPOINT,
            Fix(
                "num_train_epochs",
                "train only as many epochs as it takes to reach the minimum",
                "the run ends near its best held-out loss",
                to=_epochs_to_minimum,
                when=_several_epochs,
                condition="with more than one epoch",
                weight=0.9,
            ),
            Fix("learning_rate", "halve the learning rate", "the held-out loss turns later", times=0.5, weight=0.75),
            Fix(
                "batch_size",
                "double the batch and keep the learning rate",
                "half as many updates on the same rows",
                times=2.0,
                at_most=128,
                weight=0.5,
            ),
            Fix(
                "lora_dropout",
                "set lora_dropout to 0.05, then 0.1",
                "a smaller gap between the losses",
                to=0.05,
                when=_no_dropout,
                condition="where it is below 0.05",
                weight=0.45,
            ),
            Fix(
                "lora_dropout",
                "set lora_dropout to 0.1",
                "a smaller gap between the losses",
                to=0.1,
                weight=0.4,
                condition="where it is 0.05 already",
            ),
            Fix(
                "neftune_noise_alpha",
                "add noise to the embeddings (NEFTune, alpha 5)",
                "a smaller gap between the losses",
                to=5.0,
                when=lambda case: case.settings.method == "sft" and not case.settings.neftune_noise_alpha,
                condition="in SFT, where it is off",
                weight=0.35,
            ),
            Fix("data", "add rows, or clean and deduplicate them", "a later and lower minimum", weight=0.4),
        ),
        confidence=0.9,
        example="eval 1.31, 1.12, 1.09, 1.21, 1.38 while train falls from 1.3 to 0.4",
        sources=(
            "Prechelt 1998, generalization loss; limits corrected for noise by simulation",
            "Google tuning playbook: choose the best checkpoint in retrospect; problematic overfitting is a "
            "rising validation error",
            "Whitaker, fast.ai 2023: a lower rate delays the damage",
        ),
        not_when=(
            "a task metric or a look at generated answers still improves: a rise of the held-out loss in epochs 2 "
            "and 3 is common in SFT (InstructGPT, LIMA)"
        ),
    ),
    Rule(
        name="loss-steps-down-at-epochs",
        label=Label.OVERFIT,
        check=eval_rise.epoch_staircase,
        limits=STAIRS,
        message=(
            "the training loss steps down by {drop:.0%} at every one of {boundaries:.0f} epoch ends; there is no "
            "held-out loss to judge by"
        ),
        cause="Each new pass meets rows that the model remembers from the one before.",
        fixes=(
            Fix(
                "eval_set",
                "hold 5 % of the rows out and evaluate on them",
                "a held-out loss that shows whether the repeats still help",
            ),
            Fix(
                "num_train_epochs", "train one or two epochs", "less learned by heart", to=1.0, at_least=1.0, weight=0.8
            ),
            Fix("learning_rate", "halve the learning rate", "smaller steps at the epoch ends", times=0.5, weight=0.6),
        ),
        confidence=0.75,
        example="three epochs at 1.1, 0.75 and 0.45, each of them flat",
        sources=("fast.ai 2023-09-04", "Whitaker's llmemo report on W&B", "alpaca-lora#502"),
        not_when="a task metric still improves with more epochs",
        not_methods=("dpo",),
    ),
    Rule(
        name="repeats-memorized",
        label=Label.OVERFIT,
        check=eval_rise.repeats_memorized,
        limits=STAIRS,
        message="the training loss steps down by {drop:.0%} at the epoch ends",
        cause="Each new pass meets rows that the model remembers. That is usual and no fault by itself.",
        fixes=(ONE_OR_TWO_EPOCHS,),
        confidence=0.5,
        example="train steps from 1.0 to 0.8 at the start of epoch 2, eval stays at 1.03",
        sources=("InstructGPT, 2203.02155", "LIMA, 2305.11206"),
        sets_label=False,
        not_methods=("dpo",),
    ),
    Rule(
        name="gap-grows",
        label=Label.OVERFIT,
        check=gap.gap_grows,
        limits={"growth": 0.05, "noises": 3.0, "p": 0.1, "evals": 5, "apart": 0.05, "near": 0.03},
        message="since the first epoch the gap between the losses grew from {before:.2g} to {after:.2g}",
        cause="What the training rows still gain no longer reaches the held-out ones.",
        fixes=(
            replace(ONE_OR_TWO_EPOCHS, weight=0.6),
            Fix(
                "lora_dropout",
                "set lora_dropout to 0.05",
                "a smaller gap between the losses",
                to=0.05,
                when=_no_dropout,
                condition="where it is below 0.05",
                weight=0.45,
            ),
            Fix("data", "add rows, or clean and deduplicate them", "a smaller gap between the losses", weight=0.4),
        ),
        confidence=0.4,
        example="three epochs: eval stays at 1.05 while train goes from 1.0 to 0.7",
        sources=(
            "tinker-cookbook sft_sweep: within one epoch the gap says nothing about the rate",
            "Google tuning playbook: problematic overfitting is a rising validation error, not a gap",
        ),
        not_when="the first epoch, or dropout and NEFTune noise, which only training has",
        sets_label=False,
        not_methods=("dpo",),
    ),
    Rule(
        name="tiny-rate-many-epochs",
        label=Label.OVERFIT,
        check=gap.memorizing,
        limits={"epochs": 3.0, "below": 0.3, "growth": 0.005, "noises": 3.0, "p": 0.1, "evals": 5},
        message=(
            "{epochs:.0f} epochs at {rate_over_center:.0%} of the usual learning rate, and the gap to the "
            "held-out loss grows"
        ),
        cause="Many small steps over the same rows: a machine that memorizes. The evidence for this line is weak.",
        fixes=(
            Fix("learning_rate", "triple the learning rate", "the same dose in fewer passes", times=3.0),
            Fix(
                "num_train_epochs",
                "and halve the number of epochs with it",
                "the dose stays the same",
                times=0.5,
                at_least=1.0,
            ),
        ),
        confidence=0.3,
        example="6 epochs of 500 rows in batches of 2 at 2e-5 with LoRA",
        sources=("Smith, 1803.09820: too small a rate can overfit", "against it: Marek et al., 2507.07101"),
        not_when="a single epoch",
        sets_label=False,
    ),
)
