"""Runs that blow up: not finite, diverged, jumped, or spiking."""

from __future__ import annotations

from diagnostics.detectors import divergence, overshoot
from diagnostics.model.records import Label
from diagnostics.rules.rule import Case, Fix, Rule
from diagnostics.rules.unstable.remedies import (
    BIGGER_BATCH,
    LONGER_WARMUP,
    LOOK_AT_DATA,
    PLAYBOOK,
    TIGHTER_CLIP,
    cut_rate,
)

FAR = 10.0
"""A rate so many times the family's center is not below it after a division by ten."""


def _far_too_high(case: Case) -> bool:
    """Within the first 2 % of the run at a rate above the family's cap, or at ten times its center."""
    rate, cap = case.settings.learning_rate, case.rate_prior.cap
    at_once = case.measured.get("share", 1.0) <= 0.02 and rate is not None and cap is not None and rate > cap
    return at_once or (case.rate_prior.relative(rate) or 0.0) >= FAR


def _severe(case: Case) -> bool:
    """More than one event in 200 points, or a spike without recovery."""
    return case.measured.get("score", 0.0) > 0.005 or case.measured.get("recovered", 1.0) < 0.5


BLOW_UP_FIXES: tuple[Fix, ...] = (
    cut_rate(
        0.1,
        "divide the learning rate by ten",
        when=_far_too_high,
        condition="when it happens in the first 2 % of the steps above the family's cap, or at ten times its center",
    ),
    cut_rate(0.3, "cut the learning rate to a third"),
    LONGER_WARMUP,
    TIGHTER_CLIP,
)

DIVERGED = (
    Rule(
        name="loss-not-finite",
        label=Label.UNSTABLE,
        immediate=True,
        check=divergence.not_finite,
        limits={"fp16_share": 0.02},
        message="nan or inf in {count:.0f} logs, first at step {first:g}",
        cause="The learning rate is too high, the warm-up is missing, fp16 overflowed, or one row is bad.",
        fixes=(
            *BLOW_UP_FIXES,
            Fix(
                "data",
                "train in bf16 instead of fp16, which overflows above 65504",
                "no inf in the gradient norm",
                when=lambda case: bool(case.settings.fp16),
                condition="with fp16",
                weight=0.6,
            ),
        ),
        confidence=0.95,
        example="loss 1.8, 1.7, nan, nan",
        sources=(
            "OPT, 2205.01068: restarts at a lower rate, clipping 1.0 to 0.3",
            "tinker-cookbook sft_sweep: 72 of 80 diverged runs at 3e-3",
            "PaLM, 2204.02311, section 5.1",
        ),
        not_when="the same settings are fine with another seed: skip the batches at the jump instead",
    ),
    Rule(
        name="loss-diverges",
        label=Label.UNSTABLE,
        immediate=True,
        check=divergence.loss_diverges,
        limits={
            "rise": 0.1,
            "noises": 5.0,
            "share": 0.05,
            "early": 0.15,
            "over_best": 1.5,
            "lost": 0.25,
            "wild": 3.0,
            "calm": 0.02,
        },
        message=(
            "the loss climbs to {highest:.3g} from a start of {start:.3g} and a best of {best:.3g}; it ends at "
            "{end:.3g}"
        ),
        cause="The learning rate is higher than this model and batch can take, or it rises too early.",
        fixes=BLOW_UP_FIXES,
        confidence=0.9,
        example="loss 1.0, 4.3, 8.8, 13.5 at a rate of 5e-3",
        sources=(
            f"{PLAYBOOK}: any workload becomes unstable if the learning rate is too large",
            "LLaVA#918, LLaVA#1375: 2e-4 to 2e-5 cured it",
        ),
        not_when="the same settings are fine with another seed",
    ),
    Rule(
        name="loss-overshoots",
        label=Label.UNSTABLE,
        check=overshoot.loss_overshoots,
        limits={"rise": 0.1, "noises": 5.0, "seen_by": 0.1, "evals": 3, "points": 12, "over_center": 3.0, "alike": 1.5},
        message="the loss was thrown from {start:.3g} up to {highest:.3g} ({rise:+.0%}), and ends at {end:.3g}",
        cause="The learning rate is far too high: the weights are thrown away, and it decays before they are back.",
        fixes=BLOW_UP_FIXES,
        confidence=0.85,
        example="eval 0.69, 1.57, 1.09, 0.74, 0.72 over a cosine schedule, single training losses up to 4",
        sources=(
            f"{PLAYBOOK}: any workload becomes unstable if the learning rate is too large",
            "684 LoRA runs, benchmarks/search/tables: none at the best rate or below is thrown up",
        ),
        not_when="other rows or another loss from some step on",
    ),
)

SUDDEN = (
    Rule(
        name="loss-jumps",
        label=Label.UNSTABLE,
        check=divergence.loss_jumps,
        limits={
            "rise": 0.15,
            "noises": 6.0,
            "share": 0.25,
            "points": 30,
            "packing": 1.5,
            "apart": 4.0,
            "beside": 8,
        },
        message="the loss jumps from {before:.3g} to {after:.3g} and stays there",
        cause="One step went so far that the run did not find its way back: the rate is too high, or a batch is bad.",
        fixes=BLOW_UP_FIXES[1:],
        confidence=0.8,
        example="loss 1.1 until step 400, 1.5 from step 410 to the end",
        sources=("LLaVA#918: 0.6 to 6.7 at a quarter of the run", "PaLM, 2204.02311, section 5.1: skip the batches"),
        not_when="the run was resumed there with other data, or batches and packing change there",
    ),
    Rule(
        name="loss-spikes",
        label=Label.UNSTABLE,
        check=divergence.loss_spikes,
        limits={"deviations": 6.0, "height": 0.15, "score": 0.002, "events": 2},
        message=(
            "{events:.0f} spikes ({score:.1%} of the logs), the highest {height:.0f} times the usual noise; "
            "{recovered:.0%} recovered"
        ),
        cause="The learning rate is too high for the batch: every so often a step goes too far.",
        fixes=(
            cut_rate(
                0.3,
                "cut the learning rate to a third",
                when=_severe,
                condition="above 0.5 % of the logs, or where the loss does not come back",
            ),
            cut_rate(0.5, "halve the learning rate"),
            BIGGER_BATCH,
            LONGER_WARMUP,
            LOOK_AT_DATA,
        ),
        confidence=0.85,
        example="four jumps from 1.2 to 2 in 300 logs, each gone after a few steps",
        sources=(
            "OLMo-core StabilityMonitor: 6 sigma over 128 steps",
            f"{PLAYBOOK}: clipping helps; above 50 % clipped lower the rate",
            "PaLM saw some 20 spikes in a whole run",
        ),
        not_when=(
            "a single spike that recovers: it is benign. At less than 0.3x the center look at the data order first"
        ),
    ),
)
