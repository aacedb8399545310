"""A loss that only follows the rate spent: it has not come near its floor."""

from __future__ import annotations

from diagnostics.detectors import fall_shape
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import CHECK_WHAT_IS_TRAINED, LONGER, RAISE_RATE
from diagnostics.rules.rule import Fix, Rule, Sign
from diagnostics.rules.slow_learning import WHOLE_RUN

PLAINER_FAULTS = ("rate-too-low", "rate-runs-out", "still-improving", "loss-barely-falls")

FALL_FOLLOWS_RATE = Rule(
    name="fall-follows-rate",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=fall_shape.fall_follows_rate,
    limits={  # all but the last are explained in ``FollowLimits``
        **WHOLE_RUN,
        "quarter": 0.5,
        "half": 0.83,
        "constant_quarter": 0.33,
        "constant_half": 0.62,
        "max_fall": 0.4,
        "pairs_fall": 0.15,
        "resolution": 6.0,
        "min_evals": 5,
        "evidence": 4.0,
        "eval_evidence": 0.2,
        "start_by": 0.11,
        "little": 0.01,
        "climb": 0.1,
        "climb_sigma": 5.0,
        "min_points": 10,
    },
    borderline={
        "eval_evidence": -1.0,
        "evidence": 1.0,
        "quarter": 0.56,
        "half": 0.86,
        "constant_quarter": 0.4,
        "constant_half": 0.7,
    },
    message=(
        "the loss made {quarter:.0%} of its fall in the first quarter of the run and {half:.0%} in the first half: no "
        "more than the rate spent, so its end is the schedule's and not a floor"
    ),
    cause="The learning rate is too low for so many steps: every bit of it still brings as much as the first.",
    fixes=(RAISE_RATE, *LONGER),
    confidence=0.8,
    example="eval 2.93, 2.87, 2.83, 2.80, 2.797 under a cosine: flat at the end because the rate is",
    sources=(
        "a step far below the optimum moves the loss in proportion to its rate (first-order expansion)",
        "684 LoRA runs, benchmarks/search/tables: 0.2 to 0.5 and 0.45 to 0.82 at a thirtieth of the best rate and "
        "below, 0.55 to 0.95 and 0.8 to 1 at the best",
    ),
    not_when="the loss jumps or climbs on its way",
    unless_found=PLAINER_FAULTS,
)

FALL_NOT_SHOWN = Rule(
    name="fall-not-shown",
    label=Label.UNDERFIT,
    sign=Sign.SLOW,
    check=fall_shape.fall_not_shown,
    limits={
        **WHOLE_RUN,
        "shown": 2.0,  # the nats by which a fall of any shape must explain the losses better than a level line
        "eval_fall": 0.02,  # of few held-out losses: a larger one was learned
        "min_points": 8,
        "low": 0.3,  # the rate over its center from which on...
        "high": 10.0,  # ... and up to which a fall may have come before the first log
    },
    borderline={"shown": 4.0},
    message="no fall of the loss stands out of its noise: it begins at {start:.3g} and ends at {end:.3g}",
    cause="The rate is so low, or so little is trained, that the batches differ by more than was learned.",
    fixes=(
        Fix(
            "learning_rate",
            "try {factor:times} the learning rate",
            "a loss that falls",
            times=10.0,
            weight=0.7,
            by_estimate=True,
        ),
        CHECK_WHAT_IS_TRAINED,
        Fix("eval_set", "evaluate on held-out rows before and during training", "a loss without the noise of batches"),
    ),
    confidence=0.62,
    unless_found=(*PLAINER_FAULTS, "fall-follows-rate", "no-better-than-untrained"),
    example="loss 2.32, 2.28, 2.41, 2.34, 2.26, 2.28, 2.26, 2.24",
    sources=("Wilks 1938: likelihood ratios of nested models", "Karpathy, A recipe for training neural networks"),
    not_when="the loss came down before the first log, as fine-tuning at a usual rate does",
    not_methods=("dpo",),
)
