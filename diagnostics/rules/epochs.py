"""A training loss that steps down where each pass over the rows ends."""

from __future__ import annotations

from diagnostics.detectors import epochs
from diagnostics.model.records import Label
from diagnostics.rules.remedies import ONE_OR_TWO_EPOCHS, halve_rate
from diagnostics.rules.rule import Fix, Rule

STAIRS = {"z": 4.0, "sigma": 3.0, "drop": 0.1, "min_points": 20}
"""All but the last are explained in ``StaircaseLimits``."""

LOSS_STEPS_DOWN_AT_EPOCHS = Rule(
    name="loss-steps-down-at-epochs",
    label=Label.OVERFIT,
    check=epochs.epoch_staircase,
    limits=STAIRS,
    message=(
        "the training loss steps down by {drop:.0%} at every one of {boundaries:.0f} epoch ends; there is no "
        "held-out loss to judge by"
    ),
    cause="Each new pass meets rows that the model remembers from the one before.",
    fixes=(
        Fix(
            "eval_set",
            "hold out 5 % of the rows and evaluate on them",
            "a held-out loss that shows whether the repeats still help",
        ),
        Fix(
            "num_train_epochs",
            "train {new:plural:epoch|epochs}",
            "fewer rows memorized",
            to=1.0,
            at_least=1.0,
            weight=0.8,
        ),
        halve_rate("smaller steps at the epoch ends", weight=0.6),
    ),
    confidence=0.75,
    example="three epochs at 1.1, 0.75 and 0.45, each of them flat",
    sources=("fast.ai 2023-09-04", "Whitaker's llmemo report on W&B", "alpaca-lora#502"),
    not_when="a task metric still improves with more epochs",
    not_methods=("dpo",),
)

REPEATS_MEMORIZED = Rule(
    name="repeats-memorized",
    label=Label.OVERFIT,
    check=epochs.repeats_memorized,
    limits=STAIRS,
    message="the training loss steps down by {drop:.0%} at the epoch ends",
    cause="Each new pass meets rows that the model remembers. That is common and not a fault by itself.",
    fixes=(ONE_OR_TWO_EPOCHS,),
    confidence=0.5,
    example="train steps from 1.0 to 0.8 at the start of epoch 2, eval stays at 1.03",
    sources=("InstructGPT, 2203.02155", "LIMA, 2305.11206"),
    sets_label=False,
    not_methods=("dpo",),
)
