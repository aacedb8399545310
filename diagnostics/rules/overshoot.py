"""Runs whose losses overshoot their start, whether or not they come back."""

from __future__ import annotations

from diagnostics.detectors import overshoot
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import AFTER_BLOW_UP, PLAYBOOK
from diagnostics.rules.rule import Rule

LOSS_OVERSHOOTS = Rule(
    name="loss-overshoots",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    check=overshoot.loss_overshoots,
    limits={  # the first three are explained in ``OvershootLimits``
        "rise": 0.1,
        "sigma": 5.0,
        "max_end_ratio": 1.5,
        "first_eval_by": 0.1,  # the share of the run by which the first evaluation must come
        "min_evals": 3,
        "min_points": 12,  # training losses, without such evaluations...
        "min_rate_ratio": 3.0,  # ... and the rate over its center
    },
    message="the loss climbs from a start of {start:.3g} to {highest:.3g} ({rise:+.0%}), and ends at {end:.3g}",
    cause="The learning rate is far too high: it throws the weights away and decays before they are back.",
    fixes=AFTER_BLOW_UP,
    confidence=0.85,
    example="eval 0.69, 1.57, 1.09, 0.74, 0.72 over a cosine schedule, single training losses up to 4",
    sources=(
        f"{PLAYBOOK}: any workload becomes unstable if the learning rate is too large",
        "684 LoRA runs, benchmarks/search/tables: none at the best rate or below overshoots",
    ),
    not_when="the rows or the loss function change at some step",
)
