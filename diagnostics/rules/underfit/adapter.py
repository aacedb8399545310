"""Underfit by what holds the adapter back: regularization, or too few parameters."""

from __future__ import annotations

from diagnostics.detectors import underfit_causes
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule
from diagnostics.rules.underfit.remedies import SLOW

ADAPTER = (
    Rule(
        name="regularization-too-strong",
        label=Label.UNDERFIT,
        check=underfit_causes.regularized_too_much,
        limits={**SLOW, "dropout": 0.1, "decay": 0.1},
        message=(
            "the loss lost only {fall:.1%} under dropout {dropout:g}, NEFTune {noise:g}, decay {shrink:.1%} over "
            "the run"
        ),
        cause="Dropout, noise or weight decay hold the adapter back.",
        fixes=(
            Fix(
                "lora_dropout",
                "halve lora_dropout to 0.05, then 0",
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
                "cut weight_decay to a tenth",
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
    ),
    Rule(
        name="adapter-too-small",
        label=Label.UNDERFIT,
        check=underfit_causes.adapter_too_small,
        limits={**SLOW, "rank": 8, "near_cap": 0.5, "tokens": 2.0},
        message="rank {rank:.0f} at a rate of {rate:.2g}, near the cap, and the loss lost only {fall:.1%}",
        cause="The adapter has too few parameters for what the rows hold.",
        fixes=(
            Fix(
                "target_modules",
                "adapt all linear layers (target_modules: all-linear)",
                "a lower training loss late in the run",
            ),
            Fix(
                "lora_r",
                "double the rank, and keep lora_alpha and the learning rate",
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
    ),
)
