"""Underfit by the learning rate: too low, run out, or a training loss that falls alone."""

from __future__ import annotations

from diagnostics.detectors import eval_rise, underfit_causes
from diagnostics.model.records import Label
from diagnostics.rules.rates import JUMP, TRIPLE
from diagnostics.rules.rule import Fix, Rule
from diagnostics.rules.underfit.remedies import LONGER, NEARLY, SLOW, SMALLER_BATCH, short_warmup_big_batch

SWEEP = "tinker-cookbook sft_sweep: a rate ten times too low costs 2 to 4 % of the loss, with no gap to show it"

RATE = (
    Rule(
        name="train-falls-alone",
        label=Label.UNDERFIT,
        check=eval_rise.train_falls_alone,
        limits={"train_fall": 0.05, "noises": 2.0, "evals": 5, "blur": 0.5, "p": 0.05, "floor": 0.002},
        message=(
            "within one epoch the training loss falls by {train_fall:.0%} while the held-out loss moves by "
            "{eval_change:.1%}"
        ),
        cause=(
            "Most often the held-out rows differ: another template, mask or source. Less often the adapter cannot "
            "express what the rows have in common. This is the weakest line of the table."
        ),
        fixes=(
            Fix("data", "compare template, masking and source of both splits, and remove duplicates", "both fall"),
            Fix(
                "learning_rate",
                "try three times the learning rate as a probe",
                "both losses fall",
                times=3.0,
                weight=0.9,
            ),
            Fix("lora_r", "double the rank and keep lora_alpha", "both losses fall", times=2.0, at_most=64, weight=0.7),
        ),
        confidence=0.3,
        example="one epoch: train 1.4 to 0.9, eval 1.52, 1.51, 1.52",
        sources=("Smith, 1803.09820, in part: large rates regularize", "no source supports lack of expressiveness"),
        not_when="any repeat of rows, any rise of the held-out loss, a rate near the cap",
        not_methods=("dpo",),
    ),
    Rule(
        name="rate-too-low",
        label=Label.UNDERFIT,
        check=underfit_causes.rate_too_low,
        limits={**SLOW, "below": 0.34, "late": 0.08, "calm": 0.02, "noises": 3.0, "evals": 6},
        borderline={**NEARLY, "late": 0.05},
        message="the loss barely falls, or is still on its way at the end: down by {fall:.1%} in all",
        cause="The learning rate is too low: the steps are too small to get anywhere in this many updates.",
        fixes=(
            JUMP,
            TRIPLE,
            Fix(
                "warmup_ratio",
                "and warm up over 3 % of the steps",
                "the higher rate starts calmly",
                to=0.03,
                when=short_warmup_big_batch,
                condition="with batches of 64 and more and less warm-up than that",
                weight=0.6,
            ),
            SMALLER_BATCH,
        ),
        confidence=0.8,
        example="LoRA at 1e-5: loss 1.62, 1.61, 1.60, 1.59 in 500 steps, eval beside it",
        sources=(SWEEP, "TRL: LoRA rates are ten times those of full fine-tuning", "Biderman et al., 2405.09673"),
        not_when=(
            "more than half of the steps are clipped; the rate is at the center already; the loss is the data's floor"
        ),
    ),
    Rule(
        name="rate-runs-out",
        label=Label.UNDERFIT,
        check=underfit_causes.rate_runs_out,
        limits={
            "late": 1.0,
            "pace": 1.2,
            "whole_late": 0.8,
            "whole_pace": 0.7,
            "whole_fall": 0.12,
            "fall": 0.03,
            "done": 0.9,
            "calm": 0.02,
            "noises": 3.0,
        },
        borderline={"late": 0.75, "pace": 1.0, "whole_late": 0.65, "whole_pace": 0.6},
        message=(
            "for the learning rate spent the loss falls {pace:.1f} times as fast late in the run as early; "
            "it flattens only because the rate decays"
        ),
        cause="The learning rate is too low, or decays too soon: it ran out before the loss had settled.",
        fixes=(TRIPLE, *LONGER),
        confidence=0.75,
        example="cosine decay to 0, loss 7.1, 6.6, 6.0, 5.7, 5.6: flat at the end, but so is the rate",
        sources=(
            "with the wrong horizon the late slope is 0 because the rate is 0, not because the loss has settled",
            "Google tuning playbook: are the trials still improving at the end?",
        ),
        not_when="a schedule that is level and cools down at the end",
        not_methods=("dpo",),
    ),
)
