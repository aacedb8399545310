"""Runs that learn slowly, explained by a setting other than the learning rate, or by none of them."""

from __future__ import annotations

from diagnostics.detectors import underfit_causes
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import HALF_RATE_WITH_SMALLER_BATCH, LONGER, SMALLER_BATCH
from diagnostics.rules.rule import Fix, Rule, Sign
from diagnostics.rules.slow_learning import FELL_LITTLE, FLAT, NEARLY, SLOW, STRAIGHT, WHOLE_RUN, by_fall

TOO_FEW_UPDATES = Rule(
    name="too-few-updates",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=underfit_causes.too_few_updates,
    limits={
        **SLOW,
        "min_updates": 100,  # fewer are too few
        "batch": 8,  # rows at least
    },
    message="there were only {updates:.0f} updates of {batch:.0f} rows each, and " + FELL_LITTLE,
    wordings=by_fall("there were only {updates:.0f} updates of {batch:.0f} rows each, and "),
    cause="The batch consumes the data in too few steps.",
    fixes=(SMALLER_BATCH, HALF_RATE_WITH_SMALLER_BATCH, *LONGER),
    confidence=0.75,
    example="40 updates of 256 rows",
    sources=("tinker-cookbook: at least 100 steps, best with 1000 and more",),
    not_when="the rate is far below its center: raise it first",
    not_methods=("dpo",),
)

BATCH_TOO_LARGE = Rule(
    name="batch-too-large",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=underfit_causes.batch_too_large,
    limits={**SLOW, "batch": 64},  # more rows are too many
    message="a batch holds {batch:.0f} rows, and " + FELL_LITTLE,
    wordings=by_fall("a batch holds {batch:.0f} rows, and "),
    cause="LoRA pays for large batches with a higher loss, whatever its rank, and they leave few updates.",
    fixes=(SMALLER_BATCH, HALF_RATE_WITH_SMALLER_BATCH),
    confidence=0.65,
    example="batch 1024: go to 256",
    sources=("tinker documentation, LoRA primer", "TRL, LoRA without regret: effective batch below 32"),
    not_when="full fine-tuning, which does well with large batches (Pareja et al., 2412.13337)",
    not_methods=("dpo",),
)

REGULARIZATION_TOO_STRONG = Rule(
    name="regularization-too-strong",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=underfit_causes.regularization_too_strong,
    limits={
        **SLOW,
        "dropout": 0.1,
        "shrink": 0.1,  # learning rate x weight decay x steps: the share of the weights that decay takes
    },
    message="under dropout {dropout:g}, NEFTune {noise:g} and a decay of {shrink:.1%} over the run, " + FELL_LITTLE,
    wordings=by_fall("under dropout {dropout:g}, NEFTune {noise:g} and a decay of {shrink:.1%} over the run, "),
    cause="Dropout, noise or weight decay hold the adapter back.",
    fixes=(
        Fix(
            "lora_dropout",
            "use {factor:times} the dropout",
            "a lower training loss",
            times=0.5,
            when=lambda case: case.measured.get("dropout", 0.0) >= 0.1,
            condition="from 0.1 on",
        ),
        Fix(
            "neftune_noise_alpha",
            "turn NEFTune off",
            "a lower training loss",
            to=0.0,
            when=lambda case: case.measured.get("noise", 0.0) > 0.0,
            condition="where it is on",
        ),
        Fix(
            "weight_decay",
            "use {factor:times} the weight decay",
            "a lower training loss",
            times=0.1,
            when=lambda case: case.measured.get("shrink", 0.0) > 0.1,
            condition="where rate x decay x steps is above 0.1",
        ),
    ),
    confidence=0.55,
    example="lora_dropout 0.3 with a small adapter",
    sources=("QLoRA: dropout 0.1 (7B), 0.05 (13B and more), decay 0", "Wang and Aitchison, 2405.13698"),
    not_methods=("dpo",),
)

ADAPTER_TOO_SMALL = Rule(
    name="adapter-too-small",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=underfit_causes.adapter_too_small,
    limits={
        **SLOW,
        "rank": 8,  # up to which an adapter is small...
        "tokens_per_parameter": 2.0,  # ... or from so many tokens of one epoch a trained parameter on, where known
        "share_of_cap": 0.5,  # the rate over its cap
    },
    message="the rank is {rank:.0f} at a rate of {rate:number:2}, near the cap, and " + FELL_LITTLE,
    wordings=by_fall("the rank is {rank:.0f} at a rate of {rate:number:2}, near the cap, and "),
    cause="The adapter has too few parameters for what the rows hold.",
    fixes=(
        Fix(
            "target_modules",
            "adapt all linear layers (target_modules: all-linear)",
            "a lower training loss late in the run",
        ),
        Fix(
            "lora_r",
            "use {factor:times} the rank, and keep lora_alpha and the learning rate",
            "a lower training loss late in the run",
            times=2.0,
            at_most=64,
            weight=0.8,
        ),
    ),
    confidence=0.5,
    example="rank 2 on the attention alone, 50,000 rows",
    sources=("tinker LoRA primer: all layers; parameters >= completion tokens", "rsLoRA, 2312.03732"),
    not_when="a low rate: rank is worth 0.07 % there",
    not_methods=("dpo",),
)

STILL_IMPROVING = Rule(
    name="still-improving",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=underfit_causes.still_improving,
    limits={**WHOLE_RUN, **STRAIGHT},
    borderline=NEARLY,
    message=(
        "the loss still falls at the end, at {late_share:.0%} of the pace of a straight line (down by {fall:.1%})"
    ),
    cause="The run is too short: it ends before the curve does.",
    fixes=(*LONGER, SMALLER_BATCH),
    confidence=0.7,
    example="eval 2.1, 1.9, 1.7, 1.5 at the end",
    sources=("Google tuning playbook: best step in the last quarter means train longer", "Muennighoff, 2305.16264"),
    not_when="three epochs are done: repeats help little beyond four",
    not_methods=("dpo",),
)

LOSS_BARELY_FALLS = Rule(
    name="loss-barely-falls",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    sign=Sign.SLOW,
    check=underfit_causes.loss_barely_falls,
    limits={**WHOLE_RUN, **FLAT},
    message=FELL_LITTLE + ", and no setting that is known explains it",
    wordings=by_fall("", ", and no setting that is known explains it"),
    cause="Nothing in the settings explains it: the loss may be at the data's floor, or nothing is trained.",
    fixes=(
        Fix("data", "check that parameters require gradients and that the answers are not masked", "a falling loss"),
        Fix(
            "learning_rate",
            "try {factor:times} the learning rate",
            "a falling loss",
            times=3.0,
            weight=0.6,
            by_estimate=True,
        ),
    ),
    confidence=0.55,
    unless_found=(
        "rate-too-low",
        "rate-runs-out",
        "too-few-updates",
        "too-few-tokens",
        "rate-low-for-batch",
        "batch-too-large",
        "regularization-too-strong",
        "adapter-too-small",
    ),
    example="loss 0.84 in every epoch at the usual rate",
    sources=("Karpathy, A recipe for training neural networks", "LLaVA#1172, Baichuan-13B#47"),
    not_methods=("dpo",),
)
