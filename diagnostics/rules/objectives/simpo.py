"""SimPO and CPO, which have no reference: no learning, chosen answers that lose their likelihood."""

from __future__ import annotations

from diagnostics.detectors.objectives import simpo
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import RAISE_RATE, cut_rate
from diagnostics.rules.rule import Fix, Rule, Sign

SIMPO_HARDLY_LEARNS = Rule(
    name="simpo-hardly-learns",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    blames=RateSide.TOO_LOW,
    check=simpo.simpo_hardly_learns,
    limits={
        "of_start": 0.95,  # of the loss at the start, which is near softplus(gamma), not ln 2
        "accuracy": 0.05,  # the least gain of pairs ranked right
        "min_points": 8,
        "min_share_done": 0.9,  # of the planned steps
    },
    message="the loss is {end:.3g} ({start:.3g} at the start), and {accuracy:.0%} of the pairs are ranked right",
    cause="The learning rate is too low for a model of this size, or for LoRA, which takes ten times more.",
    fixes=(
        RAISE_RATE,
        Fix("beta", "use {factor:times} the beta", "margins that count", times=2.0, at_most=10.0, weight=0.4),
    ),
    confidence=0.8,
    example="loss 1.66 of 1.70 after an epoch at 5e-7",
    sources=("SimPO README: the rate is the setting that matters", "Ejafa's three public runs: 1.62 to 1.66 of 1.70"),
    methods=("simpo",),
)

SIMPO_DEGENERATES = Rule(
    name="simpo-degenerates",
    label=Label.UNSTABLE,
    check=simpo.simpo_degenerates,
    limits={
        "fall": 0.5,  # nats a token of the chosen answers
        "min_points": 8,
    },
    message="the chosen answers lose {fall:.2g} nats a token while the margin grows",
    cause="Without a reference nothing holds their likelihood up: at this rate the model ends in repeated text.",
    fixes=(
        cut_rate(0.3, "use {factor:times} the learning rate", expect="chosen answers that stay likely"),
        Fix(
            "cpo_alpha",
            "add a likelihood term: cpo_alpha {new}",
            "chosen answers that stay likely",
            to=0.05,
            weight=0.6,
        ),
    ),
    confidence=0.85,
    example="logps/chosen -0.9 to -2.1 a token, margin 1 to 9",
    sources=("SimPO README: 1e-5 gives incoherent, repeating models",),
    not_when="a slow fall of a few hundredths: that is how SimPO works",
    methods=("simpo",),
)
