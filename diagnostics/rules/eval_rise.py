"""A held-out loss that rises above its minimum: overfitting."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.detectors import eval_rise
from diagnostics.model.records import Label
from diagnostics.rules.conditions import several_epochs
from diagnostics.rules.remedies import CHECKPOINT, MORE_ROWS, SOME_DROPOUT, halve_rate
from diagnostics.rules.rule import Case, Fix, Rule


def _epochs_to_minimum(case: Case) -> float | None:
    """The number of whole epochs that reach the minimum of the held-out loss."""
    epochs, share = case.settings.num_train_epochs, case.measured.get("onset")
    if epochs is None or share is None:
        return None
    return float(max(1, -int(-(epochs * share) // 1)))


EVAL_LOSS_RISES = Rule(
    name="eval-loss-rises",
    label=Label.OVERFIT,
    check=eval_rise.eval_loss_rises,
    limits={  # all but ``min_evals`` are explained in ``EvalRiseLimits``
        "min_evals": 4,
        "rise": 0.02,
        "of_descent": 0.12,
        "clear_rise": 0.08,
        "noise_share": 0.65,
        "floor": 0.01,
        "train_fall": 0.02,
        "far_rise": 0.1,
        "far_sigma": 0.75,
        "far_fall": 0.4,
        "far_p": 0.4,
        "few_rise": 0.05,
        "few_fall": 0.1,
        "few_share": 0.9,
        "level": 0.06,
    },
    borderline={
        "rise": 0.012,
        "of_descent": 0.08,
        "clear_rise": 0.05,
        "noise_share": 0.4,
        "floor": 0.006,
        "far_rise": 0.06,
        "far_sigma": 0.5,
        "far_fall": 0.25,
        "level": 0.0,
    },
    message=(
        "the held-out loss rises {rise:.1%} above its minimum of {lowest:.3g} while the training loss keeps falling"
    ),
    cause="Too many updates on the same rows: the model memorizes them.",
    fixes=(
        CHECKPOINT,
        Fix(
            "num_train_epochs",
            "train only as many epochs as it takes to reach the minimum",
            "the run ends near its best held-out loss",
            to=_epochs_to_minimum,
            when=several_epochs,
            condition="with more than one epoch",
            weight=0.9,
        ),
        halve_rate("the held-out loss turns later", weight=0.75),
        Fix(
            "batch_size",
            "use {factor:times} the batch and keep the learning rate",
            "fewer updates on the same rows",
            times=2.0,
            at_most=128,
            weight=0.5,
        ),
        SOME_DROPOUT,
        Fix(
            "lora_dropout",
            "set lora_dropout to {new}",
            "a smaller gap between the losses",
            to=0.1,
            weight=0.4,
            condition="where it is 0.05 already",
        ),
        Fix(
            "neftune_noise_alpha",
            "add noise to the embeddings (NEFTune, alpha {new})",
            "a smaller gap between the losses",
            to=5.0,
            when=lambda case: case.settings.method == "sft" and not case.settings.neftune_noise_alpha,
            condition="in SFT, where it is off",
            weight=0.35,
        ),
        replace(MORE_ROWS, expect="a later and lower minimum"),
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
)
