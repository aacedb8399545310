"""Runs that could have learned more, explained by the schedule of their learning rate."""

from __future__ import annotations

from diagnostics.detectors import schedule
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import LONGER, RAISE_RATE
from diagnostics.rules.rule import Fix, Rule, Sign
from diagnostics.rules.slow_learning import RISEN, WHOLE_RUN

RATE_RUNS_OUT = Rule(
    name="rate-runs-out",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=schedule.rate_runs_out,
    limits={
        **WHOLE_RUN,
        **RISEN,
        "late_share": 1.0,  # this and the rest are explained in ``RunOutLimits``
        "pace": 1.2,
        "fall": 0.03,
        "whole_late_share": 0.8,
        "whole_pace": 0.7,
        "whole_fall": 0.12,
    },
    borderline={"late_share": 0.75, "pace": 1.0, "whole_late_share": 0.65, "whole_pace": 0.6},
    message=(
        "per unit of learning rate the loss falls {pace:number:2} times as fast late in the run as early on; "
        "it flattens only because the rate decays"
    ),
    cause="The learning rate is too low, or decays too soon: it ran out before the loss had settled.",
    fixes=(RAISE_RATE, *LONGER),
    confidence=0.75,
    example="cosine decay to 0, loss 7.1, 6.6, 6.0, 5.7, 5.6: flat at the end, but so is the rate",
    sources=(
        "with the wrong horizon the late slope is 0 because the rate is 0, not because the loss has settled",
        "Google tuning playbook: are the trials still improving at the end?",
    ),
    not_when="a schedule that is level and cools down at the end",
    not_methods=("dpo",),
)


LOSS_PLATEAUS = Rule(
    name="loss-plateaus",
    label=Label.UNDERFIT,
    check=schedule.loss_plateaus,
    limits={
        "last_share": 0.3,  # of the run
        "change": 0.003,  # of the level there, up to which it is flat
        "p": 0.2,  # a trend that chance shows less often is not flat
        "min_rate_share": 0.3,  # the last rate over the highest
        "max_hidden": 0.02,  # the largest change that noise may hide
    },
    message="the last 30 % of the run are flat ({change:.2%}) at a learning rate that has not come down",
    cause="The learning rate may hold the loss up: the loss often drops when the rate decays.",
    fixes=(
        Fix(
            "lr_scheduler_type",
            "let the learning rate decay to 0 (linear or cosine)",
            "a last drop of the loss during the decay",
            to="cosine",
        ),
    ),
    confidence=0.5,
    example="constant rate, loss 1.20 from step 600 to 1000",
    sources=("Wen et al., 2410.05192", "Google tuning playbook: linear or cosine decay"),
    not_when="the stable phase of a warmup-stable-decay schedule",
    sets_label=False,
    not_methods=("dpo",),
)
