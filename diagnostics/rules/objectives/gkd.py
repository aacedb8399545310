"""Distillation: a teacher that is not approached, a distance above its bound."""

from __future__ import annotations

from diagnostics.detectors.objectives import gkd
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import RAISE_RATE
from diagnostics.rules.rule import Fix, Rule, Sign

TEACHER_NOT_APPROACHED = Rule(
    name="teacher-not-approached",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    blames=RateSide.TOO_LOW,
    check=gkd.teacher_not_approached,
    limits={
        "fall": 0.05,  # of the distance to the teacher
        "min_points": 12,
        "min_share_done": 0.9,  # of the planned steps
    },
    message="the distance to the teacher goes from {start:.3g} to {end:.3g} only",
    cause="The learning rate is too low, the teacher too far, or the chat template is not the teacher's.",
    fixes=(
        RAISE_RATE,
        Fix("data", "compare the chat templates; train on answers of the teacher first", "a distance that falls"),
    ),
    confidence=0.75,
    example="loss 0.45 to 0.44 after 100 steps at 1e-6 with LoRA",
    sources=("tinker cookbook: 1e-4 with LoRA, 5e-5 without", "NeMo-RL#1527"),
    methods=("gkd",),
)

DISTANCE_ABOVE_BOUND = Rule(
    name="distance-above-bound",
    label=Label.BROKEN,
    sign=Sign.IMPOSSIBLE_LOG,
    check=gkd.distance_above_bound,
    limits={
        "bound": 1.01,  # times the largest divergence that there is
        "min_points": 3,
    },
    message="the divergence from the teacher is {loss:.3g}, above its bound of {bound:.3g}",
    cause="It is summed and not averaged over the tokens, or the vocabularies of student and teacher differ.",
    fixes=(
        Fix("data", "compare the vocabularies of both models and how the loss is reduced", "a loss below the bound"),
    ),
    confidence=0.8,
    example="loss 5.2 at beta 0.5, where it is ln 2 at most",
    sources=("Lin 1991: the Jensen-Shannon divergence is bounded by the entropy of its weights",),
    not_when="an SFT term is added (seq_kd)",
    methods=("gkd",),
)
