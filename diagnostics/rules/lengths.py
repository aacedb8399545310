"""Preference runs whose answers grow long."""

from __future__ import annotations

from diagnostics.detectors import lengths
from diagnostics.model.records import Label
from diagnostics.rules.preference import DPO, HIGHER_BETA
from diagnostics.rules.rule import Case, Fix, Rule


def _plain_loss(case: Case) -> bool:
    """The loss is the plain sigmoid, which sums over tokens."""
    return case.settings.loss_type in (None, "sigmoid") and (case.settings.ld_alpha in (None, 1.0))


ANSWERS_GROW_LONG = Rule(
    name="answers-grow-long",
    label=Label.OVERFIT,
    check=lengths.answers_grow,
    limits={
        "times": 1.5,  # the length at the end over that at the start
        "sigma": 3.0,  # the noises by which it grew
        "min_evals": 4,
        "min_points": 12,
    },
    message="the generated answers grew from {start:.0f} to {end:.0f} tokens ({times:.1f} times)",
    cause="DPO sums log-probabilities over tokens: where chosen answers are long, length itself earns reward.",
    fixes=(
        Fix(
            "ld_alpha",
            "weight the tokens beyond the shorter answer less (ld_alpha {new})",
            "answers of their earlier length",
            to=0.5,
            when=_plain_loss,
            condition="with the plain sigmoid loss",
        ),
        Fix(
            "loss_type",
            "or divide by length (loss_type: sigmoid_norm; it needs a beta of its own, about 5)",
            "answers of their earlier length",
            to="sigmoid_norm",
            when=_plain_loss,
            condition="with the plain sigmoid loss",
            weight=0.7,
        ),
        HIGHER_BETA,
        Fix("data", "balance the lengths of chosen and rejected answers", "no reward for length", weight=0.7),
    ),
    confidence=0.6,
    example="completions/mean_length 180 to 420 within one epoch",
    sources=(
        "TRL documentation, paper index: LD-DPO (ld_alpha), length-normalized DPO (sigmoid_norm, beta 5 in Tulu 3)",
        "eric-mitchell/direct-preference-optimization#35",
    ),
    not_when="the pairs ask for longer answers",
    sets_label=False,
    methods=DPO,
)
