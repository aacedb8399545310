"""Underfit by the batch: too few updates, a batch too large, or a rate that was not raised with it."""

from __future__ import annotations

from diagnostics.detectors import tokens, underfit_causes
from diagnostics.model.records import Label
from diagnostics.rules.rule import Case, Fix, Rule
from diagnostics.rules.underfit.remedies import HALF_RATE_WITH_IT, LONGER, SLOW, SMALLER_BATCH, short_warmup_big_batch


def _square_root(case: Case) -> float | None:
    """The factor from the rate to the one wanted for the batch, between 0.5 and 2."""
    rate, wanted = case.measured.get("rate"), case.measured.get("wanted")
    return min(2.0, max(0.5, wanted / rate)) if rate and wanted else None


BATCH = (
    Rule(
        name="too-few-updates",
        label=Label.UNDERFIT,
        check=underfit_causes.too_few_updates,
        limits={**SLOW, "steps": 100, "batch": 8},
        message="only {updates:.0f} updates of {batch:.0f} rows each; the loss lost {fall:.1%}",
        cause="The batch swallows the data in too few steps.",
        fixes=(SMALLER_BATCH, HALF_RATE_WITH_IT, *LONGER),
        confidence=0.75,
        example="40 updates of 256 rows",
        sources=("tinker-cookbook: at least 100 steps, best with 1000 and more",),
        not_when="the rate is far below its center: that comes first",
        not_methods=("dpo",),
    ),
    Rule(
        name="too-few-tokens",
        label=Label.UNDERFIT,
        check=tokens.too_few_tokens,
        limits={**SLOW, "tokens": 100_000, "below": 0.34},
        message="the run saw only {tokens:,.0f} tokens in all; the loss lost {fall:.1%}",
        cause="There is little to learn from: too few rows, rows cut short, or too few passes over them.",
        fixes=(
            *LONGER,
            Fix("data", "add rows, and check that max_length does not cut them off", "a loss that falls further"),
        ),
        confidence=0.6,
        example="num_tokens ends at 20,000: some hundred short rows",
        sources=("tinker LoRA primer: completion tokens against LoRA parameters", "LIMA: 1,000 rows, a million tokens"),
        not_when="the rate is far below its center: that comes first",
        not_methods=("dpo",),
    ),
    Rule(
        name="rate-low-for-batch",
        label=Label.UNDERFIT,
        check=underfit_causes.rate_low_for_batch,
        limits={**SLOW, "batch": 64, "most": 128, "reference": 32, "near": 0.8},
        message="the rate of {rate:.2g} is meant for smaller batches than {batch:.0f} rows; the loss lost {fall:.1%}",
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
    ),
    Rule(
        name="batch-too-large",
        label=Label.UNDERFIT,
        check=underfit_causes.batch_too_large,
        limits={**SLOW, "batch": 64},
        message="{batch:.0f} rows in a batch and the loss lost only {fall:.1%}",
        cause="LoRA pays for large batches with a higher loss, whatever its rank, and they leave few updates.",
        fixes=(SMALLER_BATCH, HALF_RATE_WITH_IT),
        confidence=0.65,
        example="batch 1024: go to 256",
        sources=("tinker documentation, LoRA primer", "TRL, LoRA without regret: effective batch below 32"),
        not_when="full fine-tuning, which likes large batches (Pareja et al., 2412.13337)",
        not_methods=("dpo",),
    ),
)
