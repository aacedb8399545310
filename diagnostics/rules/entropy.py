"""What the entropy of the predictions shows: a model that is surer than it is right."""

from __future__ import annotations

from diagnostics.detectors import entropy
from diagnostics.model.records import Label
from diagnostics.rules.remedies import AFTER_COLLAPSE, half_as_many_epochs
from diagnostics.rules.rule import Fix, Rule

CALIBRATION = "a calibrated model's cross-entropy is its own entropy"

ENTROPY_COLLAPSES = Rule(
    name="entropy-collapses",
    label=Label.UNSTABLE,
    check=entropy.entropy_collapses,
    limits={
        "drop": 0.5,  # of the entropy at the start
        "over_loss": 0.5,  # the entropy at the end over the loss there, and over the ratio at the start
        "min_points": 12,
    },
    message="the entropy of the predictions fell by {drop:.0%}, from {start:.2g} to {end:.2g}, and not with the loss",
    cause="The model is sure of a few tokens regardless of the prompt: the learning rate is far too high.",
    fixes=AFTER_COLLAPSE,
    confidence=0.75,
    example="entropy 1.8 to 0.2 while the loss goes from 1.6 to 1.5",
    sources=("SimPO README: too high a rate gives repetitive output", CALIBRATION),
    not_when="the loss falls with it: then the rows are that predictable",
)

OVERCONFIDENT = Rule(
    name="overconfident",
    label=Label.OVERFIT,
    check=entropy.overconfident,
    limits={
        "ratio": 0.6,  # of the entropy to the loss at the end
        "ratio_fall": 0.4,  # of that ratio since its highest
        "min_evals": 4,
    },
    message="on held-out rows the entropy is only {ratio:.0%} of the loss (it was {highest:.0%})",
    cause="The model is surer than it is right: it relies on what it remembers of the training rows.",
    fixes=(
        half_as_many_epochs("an entropy near the held-out loss"),
        Fix("lora_dropout", "set lora_dropout to {new}", "a better calibrated model", to=0.05, weight=0.6),
    ),
    confidence=0.5,
    example="eval_entropy 1.3 to 0.5 while eval_loss stays at 1.4",
    sources=(CALIBRATION,),
    not_when="only the most likely token is ever used",
    sets_label=False,
    not_methods=("dpo",),
)
