"""Runs that blow up: a loss that is not finite, or diverges."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.detectors import divergence
from diagnostics.model.records import Label
from diagnostics.rules.remedies import AFTER_BLOW_UP, PLAYBOOK
from diagnostics.rules.rule import Fix, Rule, Sign, Wording


def _never_fell(measured: Mapping[str, float]) -> bool:
    """The loss has no level below its start."""
    return measured["best"] >= measured["start"]


def _ends_highest(measured: Mapping[str, float]) -> bool:
    """The loss ends at the highest level of its climb."""
    return measured["end"] >= measured["highest"]


def _passed(measured: Mapping[str, float]) -> bool:
    """The losses that were not finite are again."""
    return "passed" in measured


LOSS_NOT_FINITE = Rule(
    name="loss-not-finite",
    label=Label.UNSTABLE,
    immediate=True,
    sign=Sign.BLOW_UP,
    check=divergence.not_finite,
    limits={
        "fp16_share": 0.02,  # infinite gradient norms that fp16's loss scaler explains
        "skipped_share": 0.02,  # losses that are not finite where the run goes on
        "logs_after": 3,  # finite losses that show it
        "min_logs": 8,  # of fewer logs one that is not finite is much of the run
    },
    message="nan or inf in {count:.0f} logs, first at step {first:g}",
    wordings=(
        Wording(
            "nan or inf in {count:plural:log|logs}, first at step {first:g}, and finite since",
            "where the run goes on",
            _passed,
        ),
    ),
    cause="The learning rate is too high, the warm-up is missing, fp16 overflowed, or one row is bad.",
    fixes=(
        Fix(
            "data",
            "look at the rows of that step: one whose tokens are all masked has no loss",
            "no nan when it is trained alone",
            when=lambda case: _passed(case.measured),
            condition="where the run goes on",
        ),
        *AFTER_BLOW_UP,
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
    any_objective=True,
)

LOSS_DIVERGES = Rule(
    name="loss-diverges",
    label=Label.UNSTABLE,
    immediate=True,
    sign=Sign.BLOW_UP,
    check=divergence.loss_diverges,
    limits={  # each is explained in ``DivergenceLimits``
        "rise": 0.1,
        "sigma": 5.0,
        "min_share_above": 0.05,
        "early_share": 0.15,
        "over_best": 1.5,
        "lost": 0.25,
        "always_fault_ratio": 3.0,
        "max_eval_rise": 0.02,
    },
    message=("the loss climbs to {highest:.3g} from a start of {start:.3g}; its best is {best:.3g}, its end {end:.3g}"),
    wordings=(
        Wording(
            "the loss climbs from {start:.3g} to {end:.3g} and ends there",
            "where it never fell and ends at its highest",
            lambda measured: _never_fell(measured) and _ends_highest(measured),
        ),
        Wording(
            "the loss climbs from {start:.3g} to {highest:.3g}; it ends at {end:.3g}",
            "where it never fell",
            _never_fell,
        ),
        Wording(
            "the loss falls from {start:.3g} to {best:.3g}, then climbs to {end:.3g} and ends there",
            "where it ends at its highest",
            _ends_highest,
        ),
    ),
    cause="The learning rate is higher than this model and batch can take, or it rises too early.",
    fixes=AFTER_BLOW_UP,
    confidence=0.9,
    example="loss 1.0, 4.3, 8.8, 13.5 at a rate of 5e-3",
    sources=(
        f"{PLAYBOOK}: any workload becomes unstable if the learning rate is too large",
        "LLaVA#918, LLaVA#1375: 2e-4 to 2e-5 cured it",
    ),
    not_when="the same settings are fine with another seed",
)
