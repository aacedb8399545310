"""Runs that jitter: throughout, ever more, or only at the start."""

from __future__ import annotations

from diagnostics.detectors import oscillation
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule
from diagnostics.rules.unstable.remedies import (
    BIGGER_BATCH,
    LONGER_WARMUP,
    LOOK_AT_DATA,
    PLAYBOOK,
    TIGHTER_CLIP,
    cut_rate,
    is_wild,
    warmup_spent,
)

JITTER = (
    Rule(
        name="train-and-eval-jitter",
        label=Label.UNSTABLE,
        check=oscillation.joint_jitter,
        limits={"train_jitter": 0.05, "eval_jitter": 0.03, "elastic": 0.3, "undone": 0.2, "driven_undone": 0.03},
        borderline={"train_jitter": 0.035, "eval_jitter": 0.02, "undone": 0.14, "driven_undone": 0.02},
        message="training ({train_jitter:.0%}) and held-out loss ({eval_jitter:.0%}) jitter together, all along",
        cause="The learning rate is too high: the weights themselves swing, for the held-out rows never change.",
        fixes=(
            cut_rate(
                0.3, "cut the learning rate to a third", when=is_wild, condition="where the jitter is 30 % and more"
            ),
            cut_rate(0.5, "halve the learning rate"),
            BIGGER_BATCH,
            Fix(
                "warmup_ratio",
                "warm up four times as long, at most 10 % of the steps",
                "a calmer start",
                times=4.0,
                at_least=0.03,
                at_most=0.1,
                weight=0.5,
            ),
            LOOK_AT_DATA,
        ),
        confidence=0.75,
        example="train and eval both move up and down by 10 % between logs, from start to end",
        sources=("Wen et al., 2410.05192: decay minimizes the oscillations", PLAYBOOK, "Cohen et al., 2207.14484"),
        not_when="both losses are logged on few examples",
    ),
    Rule(
        name="loss-swings",
        label=Label.UNSTABLE,
        check=oscillation.loss_swings,
        limits={"swing": 0.2, "undone": 0.5, "low_rate": 0.3, "calm": 0.25, "elastic": 0.3, "per_row": 0.6, "rows": 8},
        borderline={"swing": 0.14, "undone": 0.35},
        message="the training loss swings by {swing:.0%} of itself throughout, more than half of all it has learned",
        cause="Steps are so large, or batches so small, that the loss goes up as often as down.",
        fixes=(
            cut_rate(
                0.3, "cut the learning rate to a third", when=is_wild, condition="where it swings by 30 % and more"
            ),
            cut_rate(0.5, "halve the learning rate"),
            BIGGER_BATCH,
            LONGER_WARMUP,
        ),
        confidence=0.75,
        example="loss between 3 and 29 from start to end",
        sources=(PLAYBOOK, "own simulation: compare jitter with the descent, never its level alone"),
        not_when=(
            "the rate is below 0.3 of its family's center, or the held-out loss is calm, or the scatter stays while "
            "the rate decays, or a log holds a few rows at a constant rate: then single batches differ"
        ),
        not_methods=("dpo", "grpo"),
    ),
    Rule(
        name="jitter-grows",
        label=Label.UNSTABLE,
        check=oscillation.jitter_grows,
        limits={"factor": 2.6, "over_chance": 1.2, "least": 0.1, "points": 40, "fall": 0.05},
        message="the loss jitters {ratio:.1f} times as much as at the start and has not fallen",
        cause="The weights drift without learning: the learning rate is too high for this signal.",
        fixes=(
            cut_rate(0.3, "cut the learning rate to a third"),
            Fix(
                "warmup_ratio",
                "warm up over 10 % of the steps",
                "a calmer start",
                to=0.1,
                weight=0.6,
                when=lambda case: (case.settings.warmup_ratio or 0.0) < 0.1,
                condition="where it is shorter",
            ),
            Fix(
                "batch_size",
                "use 32 to 128 pairs or rows in a batch",
                "less noise per step",
                times=2.0,
                at_least=32,
                at_most=128,
                weight=0.6,
            ),
        ),
        confidence=0.75,
        example="a DPO loss of 0.69 +- 0.02 that becomes 0.7 +- 0.3",
        sources=("SimPO README: the learning rate is the most critical knob", "own simulation: limits by sample size"),
    ),
    Rule(
        name="warmup-too-short",
        label=Label.UNSTABLE,
        check=oscillation.early_jitter,
        limits={"share": 0.2, "ratio": 2.0, "rise": 0.15, "points": 40},
        message=(
            "the loss jitters {ratio:.1f} times as much in the first fifth as later, and climbs back by "
            "{climb:.0%} there"
        ),
        cause="The full learning rate arrives before the optimizer knows the scale of the gradients.",
        fixes=(
            Fix(
                "warmup_ratio",
                "warm up four times as long, at most 10 % of the steps",
                "a start as calm as the rest",
                times=4.0,
                at_least=0.03,
                at_most=0.1,
                when=lambda case: not warmup_spent(case),
                condition="while the warm-up is below 10 % of the steps",
            ),
            cut_rate(0.5, "halve the learning rate", when=warmup_spent, condition="when the warm-up is 10 % already"),
            TIGHTER_CLIP,
        ),
        confidence=0.7,
        example="loss 2.0, 3.1, 1.8, 2.9, 1.6 ... then smooth from step 60 of 300 on",
        sources=(
            f"{PLAYBOOK}: warm-up for early instability, at most 10 % of the steps",
            "Kalra and Barkeshli, 2406.09405",
            "against it: Pareja et al., 2412.13337, found warm-up needless in SFT",
        ),
        not_when="a steep early fall: LoRA starts from B = 0, and falling fast is no jitter",
    ),
)
