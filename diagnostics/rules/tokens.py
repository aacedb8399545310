"""What the count of tokens shows: batches that change their size, and runs that saw hardly any tokens."""

from __future__ import annotations

from diagnostics.detectors import tokens
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import LONGER
from diagnostics.rules.rule import Fix, Rule
from diagnostics.rules.slow_learning import FELL_LITTLE, SLOW, by_fall

BATCHES_CHANGE_SIZE = Rule(
    name="batches-change-size",
    label=Label.BROKEN,
    check=tokens.batches_change,
    limits={
        "factor": 1.5,  # between the tokens of a step before and after
        "sigma": 4.0,  # the scatters of those levels between them
        "min_points": 8,  # logs on either side
    },
    message="from step {step:g} on a step holds {after:.0f} tokens instead of {before:.0f}",
    cause="Packing, the batch or the mix of rows changed: losses before and after are means of different things.",
    fixes=(
        Fix(
            "data",
            "keep packing, batch and data the same within a run, or judge the two parts separately",
            "steps of one size",
        ),
    ),
    confidence=0.7,
    example="num_tokens grows by 2,000 a step until step 400, then by 8,000",
    sources=("packing and group_by_length change what a logged mean is taken over (qlora#84)",),
    sets_label=False,
)

TOO_FEW_TOKENS = Rule(
    name="too-few-tokens",
    label=Label.UNDERFIT,
    blames=RateSide.TOO_LOW,
    check=tokens.too_few_tokens,
    limits={
        **SLOW,
        "tokens": 100_000,  # seen in the whole run
        "max_rate_ratio": 0.34,  # of the rate to its center, up to which the rate explains more
    },
    message="the run saw only {tokens:,.0f} tokens in all, and " + FELL_LITTLE,
    wordings=by_fall("the run saw only {tokens:,.0f} tokens in all, and "),
    cause="There is little to learn from: too few rows, rows cut short, or too few passes over them.",
    fixes=(
        *LONGER,
        Fix("data", "add rows, and check that max_length does not cut them off", "a loss that falls further"),
    ),
    confidence=0.6,
    example="num_tokens ends at 20,000: about a hundred short rows",
    sources=("tinker LoRA primer: completion tokens against LoRA parameters", "LIMA: 1,000 rows, a million tokens"),
    not_when="the rate is far below its center: raise it first",
    not_methods=("dpo",),
)
