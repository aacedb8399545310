"""A training loss that goes up as often as down."""

from __future__ import annotations

from diagnostics.detectors import swings
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import BIGGER_BATCH, LONGER_WARMUP, PLAYBOOK, cut_rate
from diagnostics.rules.rule import Fix, Rule, Sign, Wording

LOSS_SWINGS = Rule(
    name="loss-swings",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    sign=Sign.JITTER,
    check=swings.loss_swings,
    limits={  # all but the last are explained in ``SwingLimits``
        "swing": 0.2,
        "of_descent": 0.5,
        "max_eval_scatter": 0.25,
        "elasticity": 0.3,
        "row_scatter": 0.6,
        "min_rows": 8,
        "min_rate_ratio": 0.3,  # of the rate to its center: below it nothing is found
    },
    borderline={"swing": 0.14, "of_descent": 0.35},
    message="the training loss swings by {swing:.0%} of itself throughout, {of_descent:.0%} of all it has learned",
    wordings=(
        Wording(
            "the training loss swings by {swing:.0%} of itself throughout and does not come down",
            "where it does not fall",
            lambda measured: measured["fall"] <= 0.0,
        ),
        Wording(
            "the training loss swings by {swing:.0%} of itself throughout, more than all it has learned",
            "where that is so",
            lambda measured: measured["swing"] > measured["fall"],
        ),
    ),
    cause="Steps are so large, or batches so small, that the loss goes up as often as down.",
    fixes=(
        cut_rate(
            0.3,
            "use {factor:times} the learning rate",
            when=lambda case: case.measured.get("swing", 0.0) >= 0.3,
            condition="where it swings by 30 % or more",
        ),
        cut_rate(0.5, "use {factor:times} the learning rate"),
        BIGGER_BATCH,
        LONGER_WARMUP,
    ),
    confidence=0.75,
    example="loss between 3 and 29 from start to end",
    sources=(PLAYBOOK, "own simulation: compare jitter with the descent, never its level alone"),
    not_when=(
        "the rate is below 0.3 of its center, or the held-out loss is calm, or the scatter stays while the rate "
        "decays, or a log holds a few rows at a constant rate: then single batches differ"
    ),
    not_methods=("dpo", "grpo"),
    of_batches=True,
)

LOSS_ZIGZAGS = Rule(
    name="loss-zigzags",
    label=Label.UNSTABLE,
    check=swings.loss_zigzags,
    limits={
        "lag": 0.35,  # the size of the negative lag-1 autocorrelation of the residual...
        "standard_errors": 4.0,  # ... and its standard errors
        "flips": 0.75,  # the share of the logs that change direction: 2/3 for pure noise
        "swing": 0.03,  # the scatter over the level
        "min_points": 60,
    },
    message="the loss alternates up and down by {swing:.0%}; {flips:.0%} of the logs change direction (noise: 67 %)",
    cause="Every step overshoots and the next one corrects it, or the data alternate between two kinds of rows.",
    fixes=(
        Fix(
            "data",
            "shuffle the rows, so that the kinds of rows do not alternate",
            "a loss that does not alternate",
            weight=0.9,
        ),
        cut_rate(0.5, "use {factor:times} the learning rate", weight=0.8),
    ),
    confidence=0.45,
    example="loss 1.4, 1.1, 1.4, 1.1 from start to end",
    sources=("Cohen et al., 2207.14484: mild oscillation at the edge of stability is normal",),
    not_when="mild oscillation, which is how adaptive optimizers run at the edge of stability",
    sets_label=False,
    of_batches=True,
)
