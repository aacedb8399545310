"""Runs whose learning rate is too low, too low for the batch, or too high."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.detectors import learning_rate
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.conditions import short_warmup_big_batch
from diagnostics.rules.remedies import PLAYBOOK, RAISE_RATE, SMALLER_BATCH, TENTH_WARMUP, cut_rate
from diagnostics.rules.rule import Case, Fix, Rule, Sign, Wording
from diagnostics.rules.slow_learning import FELL_LITTLE, NEARLY, RISEN, SLOW, by_fall

SURE: Mapping[str, float] = {
    "sure": 0.95,  # of the estimate of the rate that it lies on this side...
    "sure_known": 0.8,  # ... where it is known which rates such runs take...
    "evident": 0.6,  # ... and of the curves alone
    "alike": 0.6,  # or the share of runs that look so and missed much at such a rate
}
ALIKE = Wording(
    "the loss came down by {fall:.1%} and looks as in runs of which {alike:.0%} missed much at such a rate",
    "where only the look of the whole run says so",
    lambda measured: "alike" in measured,
)


def _square_root(case: Case) -> float | None:
    """The factor from the rate to the one wanted for the batch, between 0.5 and 2."""
    rate, wanted = case.measured.get("rate"), case.measured.get("wanted")
    return min(2.0, max(0.5, wanted / rate)) if rate and wanted else None


RATE_TOO_LOW = Rule(
    name="rate-too-low",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=learning_rate.rate_too_low,
    limits={
        **SLOW,
        **RISEN,
        "max_rate_ratio": 0.34,  # of the rate to its center, up to which less of a sign is enough:
        "late_share": 0.08,  # the fall in the last quarter over that of a straight line...
        "min_evals": 6,  # ... or so many flat evaluations beside training losses too noisy to tell
        **SURE,
        "alike_at_usual": 0.95,  # the same at a rate that is usual already, or where none is known to be
    },
    borderline={**NEARLY, "late_share": 0.05, "sure": 0.85, "sure_known": 0.65},
    message=FELL_LITTLE,
    wordings=(
        *by_fall(),
        ALIKE,
        Wording(
            "the loss came down by {fall:.1%}, in the way of a learning rate that is too low",
            "where the estimate of the rate is sure",
            lambda measured: "least" in measured,
        ),
    ),
    cause="The learning rate is too low: the steps are too small to get anywhere in this many updates.",
    fixes=(
        RAISE_RATE,
        Fix(
            "warmup_ratio",
            "and warm up over {new:percent} of the steps",
            "the higher rate starts calmly",
            to=0.03,
            when=short_warmup_big_batch,
            condition="with batches of 64 or more and a shorter warm-up",
            weight=0.6,
        ),
        SMALLER_BATCH,
    ),
    confidence=0.8,
    example="LoRA at 1e-5: loss 1.62, 1.61, 1.60, 1.59 in 500 steps, eval close to it",
    sources=(
        "tinker-cookbook sft_sweep: a rate ten times too low costs 2 to 4 % of the loss, with no gap to show it",
        "TRL: LoRA rates are ten times those of full fine-tuning",
        "Biderman et al., 2405.09673",
    ),
    not_when=(
        "more than half of the steps are clipped; the rate is at the center already; the loss is at the data's floor"
    ),
)


RATE_TOO_HIGH = Rule(
    name="rate-too-high",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    check=learning_rate.rate_too_high,
    limits={**SURE, "sure_known": 0.85, "evident": 0.75, "alike": 0.55},  # to call a run unstable takes more
    message="the losses move in the way of a learning rate that is too high",
    wordings=(ALIKE,),
    cause="The learning rate is beyond the edge of stability: it throws the weights about until it decays.",
    fixes=(
        cut_rate(0.3, "use {factor:times} the learning rate", expect="a lower loss, with less noise", by_estimate=True),
        TENTH_WARMUP,
    ),
    confidence=0.8,
    unless_found=("eval-loss-rises", "preferences-saturate", "loss-steps-down-at-epochs"),
    example="eval 4.2, 4.9, 4.6, 4.1, 3.9 at a rate of 3e-2, where 1e-2 ends at 3.2",
    sources=(
        "python -m benchmarks.rate: the estimate, and how far it can be trusted",
        f"{PLAYBOOK}: any workload becomes unstable if the learning rate is too large",
    ),
    not_when="the held-out loss alone rises: that is overfitting",
)

RATE_LOW_FOR_BATCH = Rule(
    name="rate-low-for-batch",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=learning_rate.rate_low_for_batch,
    limits={
        **SLOW,
        "min_batch": 64,
        "max_batch": 128,
        "reference_batch": 32,  # for which the center is meant
        "share_of_wanted": 0.8,  # the rate over the one wanted for the batch
    },
    message="the rate of {rate:number:2} is meant for smaller batches than {batch:.0f} rows, and " + FELL_LITTLE,
    wordings=by_fall("the rate of {rate:number:2} is meant for smaller batches than {batch:.0f} rows, and "),
    cause="A larger batch takes a larger rate: by the square root of the batch for Adam, up to the cap.",
    fixes=(
        Fix(
            "learning_rate",
            "raise the learning rate by the square root of the growth of the batch, at most twofold",
            "a loss that falls faster",
            times=_square_root,
        ),
        Fix(
            "warmup_ratio",
            "and warm up over at least 3 % of the steps",
            "the higher rate starts calmly",
            to=0.03,
            when=short_warmup_big_batch,
            condition="where it is shorter",
            weight=0.6,
        ),
    ),
    confidence=0.6,
    example="batch raised from 32 to 128 while the rate stayed at 2.5e-4",
    sources=("Malladi et al., 2205.10287: square root for Adam", "Li et al., 2405.14578: beyond a point it falls"),
    not_when="batches above 128 rows with LoRA: make the batch smaller instead",
    not_methods=("dpo",),
)
