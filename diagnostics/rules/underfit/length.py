"""Underfit by the length of the run, and losses that stand still for no reason in the settings."""

from __future__ import annotations

from diagnostics.detectors import slow_learning, underfit_causes
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule
from diagnostics.rules.underfit.remedies import LONGER, NEARLY, SLOW, SMALLER_BATCH

LENGTH = (
    Rule(
        name="still-improving",
        label=Label.UNDERFIT,
        check=underfit_causes.still_improving,
        limits={key: SLOW[key] for key in ("straight", "alone", "pace", "few", "errors", "done")},
        borderline=NEARLY,
        message=(
            "the loss still falls at the end, at {late_share:.0%} of the pace of a straight line ({fall:.0%} lost "
            "in all)"
        ),
        cause="The run is too short: it ends before the curve does.",
        fixes=(*LONGER, SMALLER_BATCH),
        confidence=0.7,
        example="eval 2.1, 1.9, 1.7, 1.5 and over",
        sources=("Google tuning playbook: best step in the last quarter means train longer", "Muennighoff, 2305.16264"),
        not_when="three epochs are done: repeats help little beyond four",
        not_methods=("dpo",),
    ),
    Rule(
        name="loss-barely-falls",
        label=Label.UNDERFIT,
        check=underfit_causes.loss_barely_falls,
        limits={key: SLOW[key] for key in ("barely", "seen_by", "errors", "done")},
        message="the loss lost only {fall:.1%}, at a rate that should do",
        cause="Nothing in the settings explains it: the loss may be at the data's floor, or nothing is trained.",
        fixes=(
            Fix(
                "data", "check that parameters require gradients and that the answers are not masked", "a falling loss"
            ),
            Fix("learning_rate", "try three times the learning rate", "a falling loss", times=3.0, weight=0.6),
        ),
        confidence=0.55,
        example="loss 0.84 in every epoch at the usual rate",
        sources=("Karpathy, A recipe for training neural networks", "LLaVA#1172, Baichuan-13B#47"),
        not_methods=("dpo",),
    ),
    Rule(
        name="loss-plateaus",
        label=Label.UNDERFIT,
        check=slow_learning.loss_plateaus,
        limits={"share": 0.3, "change": 0.003, "p": 0.2, "decayed": 0.3, "blur": 0.02},
        message="the last 30 % of the run are flat ({change:.2%}) at a learning rate that has not come down",
        cause="The loss may be held up by the learning rate, and often drops when the rate decays.",
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
        not_when="the stable phase of a warm-up, stable, decay schedule",
        sets_label=False,
        not_methods=("dpo",),
    ),
)
