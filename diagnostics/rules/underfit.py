"""Slots 6 to 8: runs that could have learned more. The causes stand in the order of their odds."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.detectors import causes, fit, slowness
from diagnostics.rules.rates import JUMP, TRIPLE
from diagnostics.rules.rule import Case, Fix, Rule
from diagnostics.verdict import Label

SLOW: Mapping[str, float] = {"barely": 0.02, "straight": 0.22, "alone": 0.4, "pace": 0.35, "done": 0.9}
"""Barely: less than 2 % lost. Straight: the last quarter falls at least 0.22 times as fast as a straight line (train
alone: 0.4), more than a logarithm does, and 0.35 times as fast as the second quarter. Asked from 0.9 of the run on."""
SWEEP = "tinker-cookbook sft_sweep: a rate ten times too low costs 2 to 4 % of the loss, with no gap to show it"


def _short_warmup_big_batch(case: Case) -> bool:
    """A batch of 64 and more with less than 3 % warm-up."""
    warmup = case.settings.warmup_ratio
    return (case.settings.batch_size or 0) >= 64 and warmup is not None and warmup < 0.03


def _square_root(case: Case) -> float | None:
    """The factor from the rate to the one wanted for the batch, between 0.5 and 2."""
    rate, wanted = case.measured.get("rate"), case.measured.get("wanted")
    return min(2.0, max(0.5, wanted / rate)) if rate and wanted else None


def _at_centre(case: Case) -> bool:
    """The rate is known to be at the centre of its family or above."""
    return (case.family.ratio(case.settings.learning_rate) or 0.0) >= 1.0


def _twice(knob: str, words: str, at_most: float | None = None, sure: float = 1.0) -> Fix:
    """Twice as long."""
    return Fix(knob, words, "the loss goes on falling along the same line", times=2.0, at_most=at_most, sure=sure)


LONGER = (
    Fix(
        "num_train_epochs",
        "train twice as long, up to three epochs",
        "the loss goes on falling along the same line",
        times=2.0,
        at_most=3.0,
        when=lambda case: case.settings.num_train_epochs is not None or case.settings.max_steps is None,
        only="where epochs are set",
        sure=0.9,
    ),
    Fix(
        "max_steps",
        "train twice as many steps",
        "the loss goes on falling along the same line",
        times=2.0,
        when=lambda case: case.settings.num_train_epochs is None and case.settings.max_steps is not None,
        only="where only max_steps is set",
        sure=0.9,
    ),
)
SMALLER_BATCH = Fix(
    "batch_size",
    "use a quarter of the batch for the same number of rows",
    "four times as many updates from the same rows",
    times=0.25,
    at_least=4,
    sure=0.8,
)
HALF_RATE_WITH_IT = Fix(
    "learning_rate",
    "and halve the learning rate with it",
    "steps that suit the smaller batch",
    times=0.5,
    when=_at_centre,
    only="together with the smaller batch, where the rate is at the centre or above",
    sure=0.6,
)

UNDERFIT = (
    Rule(
        name="train-falls-alone",
        label=Label.UNDERFIT,
        check=fit.train_falls_alone,
        limits={"train_fall": 0.05, "noises": 2.0, "evals": 5},
        says=(
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
                "learning_rate", "try three times the learning rate as a probe", "both losses fall", times=3.0, sure=0.9
            ),
            Fix("lora_r", "double the rank and keep lora_alpha", "both losses fall", times=2.0, at_most=64, sure=0.7),
        ),
        confidence=0.3,
        example="one epoch: train 1.4 to 0.9, eval 1.52, 1.51, 1.52",
        sources=("Smith, 1803.09820, in part: large rates regularise", "no source supports lack of expressiveness"),
        unless="any repeat of rows, any rise of the held-out loss, a rate near the cap",
        not_methods=("dpo",),
    ),
    Rule(
        name="rate-too-low",
        label=Label.UNDERFIT,
        check=causes.rate_too_low,
        limits={**SLOW, "below": 0.34, "late": 0.08},
        says="the loss barely falls, or is still on its way at the end: {fall:.1%} lost in all",
        cause="The learning rate is too low: the steps are too small to get anywhere in this many updates.",
        fixes=(
            JUMP,
            TRIPLE,
            Fix(
                "warmup_ratio",
                "and warm up over 3 % of the steps",
                "the higher rate starts calmly",
                to=0.03,
                when=_short_warmup_big_batch,
                only="with batches of 64 and more and less warm-up than that",
                sure=0.6,
            ),
            SMALLER_BATCH,
        ),
        confidence=0.8,
        example="LoRA at 1e-5: loss 1.62, 1.61, 1.60, 1.59 in 500 steps, eval beside it",
        sources=(SWEEP, "TRL: LoRA rates are ten times those of full fine-tuning", "Biderman et al., 2405.09673"),
        unless=(
            "more than half of the steps are clipped; the rate is at the centre already; the loss is the data's floor"
        ),
    ),
    Rule(
        name="rate-runs-out",
        label=Label.UNDERFIT,
        check=causes.rate_runs_out,
        limits={"late": 1.0, "pace": 1.2, "fall": 0.03, "done": 0.9},
        says=(
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
        unless="a schedule that is level and cools down at the end",
        not_methods=("dpo",),
    ),
    Rule(
        name="too-few-updates",
        label=Label.UNDERFIT,
        check=causes.too_few_updates,
        limits={**SLOW, "steps": 100, "batch": 8},
        says="only {updates:.0f} updates of {batch:.0f} rows each; the loss lost {fall:.1%}",
        cause="The batch swallows the data in too few steps.",
        fixes=(SMALLER_BATCH, HALF_RATE_WITH_IT, *LONGER),
        confidence=0.75,
        example="40 updates of 256 rows",
        sources=("tinker-cookbook: at least 100 steps, best with 1000 and more",),
        unless="the rate is far below its centre: that comes first",
        not_methods=("dpo",),
    ),
    Rule(
        name="rate-low-for-batch",
        label=Label.UNDERFIT,
        check=causes.rate_low_for_batch,
        limits={**SLOW, "batch": 64, "most": 128, "reference": 32},
        says="the rate of {rate:.2g} is meant for smaller batches than {batch:.0f} rows; the loss lost {fall:.1%}",
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
                when=_short_warmup_big_batch,
                only="where it is shorter",
                sure=0.6,
            ),
        ),
        confidence=0.6,
        example="batch raised from 32 to 128 while the rate stayed at 2.5e-4",
        sources=("Malladi et al., 2205.10287: square root for Adam", "Li et al., 2405.14578: beyond a point it falls"),
        unless="batches above 128 rows with LoRA: make the batch smaller instead",
        not_methods=("dpo",),
    ),
    Rule(
        name="batch-too-large",
        label=Label.UNDERFIT,
        check=causes.batch_too_large,
        limits={**SLOW, "batch": 64},
        says="{batch:.0f} rows in a batch and the loss lost only {fall:.1%}",
        cause="LoRA pays for large batches with a higher loss, whatever its rank, and they leave few updates.",
        fixes=(SMALLER_BATCH, HALF_RATE_WITH_IT),
        confidence=0.65,
        example="batch 1024: go to 256",
        sources=("tinker documentation, LoRA primer", "TRL, LoRA without regret: effective batch below 32"),
        unless="full fine-tuning, which likes large batches (Pareja et al., 2412.13337)",
        not_methods=("dpo",),
    ),
    Rule(
        name="regularised-too-much",
        label=Label.UNDERFIT,
        check=causes.regularised_too_much,
        limits={**SLOW, "dropout": 0.1, "decay": 0.1},
        says=(
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
                only="from 0.1 on",
            ),
            Fix(
                "neftune_noise_alpha",
                "turn NEFTune off",
                "a lower training loss",
                to=0.0,
                when=lambda case: case.measured.get("noise", 0.0) > 0.0,
                only="where it is on",
            ),
            Fix(
                "weight_decay",
                "cut weight_decay to a tenth",
                "a lower training loss",
                times=0.1,
                when=lambda case: case.measured.get("shrink", 0.0) > 0.1,
                only="where rate x decay x steps is above 0.1",
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
        check=causes.adapter_too_small,
        limits={**SLOW, "rank": 8, "near_cap": 0.5},
        says="rank {rank:.0f} at a rate of {rate:.2g}, near the cap, and the loss lost only {fall:.1%}",
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
                sure=0.8,
            ),
        ),
        confidence=0.5,
        example="rank 2 on the attention alone, 50,000 rows",
        sources=("tinker LoRA primer: all layers; parameters >= completion tokens", "rsLoRA, 2312.03732"),
        unless="a low rate: rank is worth 0.07 % there",
        not_methods=("dpo",),
    ),
    Rule(
        name="still-improving",
        label=Label.UNDERFIT,
        check=causes.still_improving,
        limits={key: SLOW[key] for key in ("straight", "alone", "pace", "done")},
        says=(
            "the loss still falls at the end, at {late_share:.0%} of the pace of a straight line ({fall:.0%} lost "
            "in all)"
        ),
        cause="The run is too short: it ends before the curve does.",
        fixes=(*LONGER, SMALLER_BATCH),
        confidence=0.7,
        example="eval 2.1, 1.9, 1.7, 1.5 and over",
        sources=("Google tuning playbook: best step in the last quarter means train longer", "Muennighoff, 2305.16264"),
        unless="three epochs are done: repeats help little beyond four",
        not_methods=("dpo",),
    ),
    Rule(
        name="loss-barely-falls",
        label=Label.UNDERFIT,
        check=causes.loss_barely_falls,
        limits={"barely": SLOW["barely"], "done": SLOW["done"]},
        says="the loss lost only {fall:.1%}, at a rate that should do",
        cause="Nothing in the settings explains it: the loss may be at the data's floor, or nothing is trained.",
        fixes=(
            Fix(
                "data", "check that parameters require gradients and that the answers are not masked", "a falling loss"
            ),
            Fix("learning_rate", "try three times the learning rate", "a falling loss", times=3.0, sure=0.6),
        ),
        confidence=0.55,
        example="loss 0.84 in every epoch at the usual rate",
        sources=("Karpathy, A recipe for training neural networks", "LLaVA#1172, Baichuan-13B#47"),
        not_methods=("dpo",),
    ),
    Rule(
        name="loss-plateaus",
        label=Label.UNDERFIT,
        check=slowness.loss_plateaus,
        limits={"share": 0.3, "change": 0.003, "p": 0.2, "decayed": 0.3},
        says="the last 30 % of the run are flat ({change:.2%}) at a learning rate that has not come down",
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
        unless="the stable phase of a warm-up, stable, decay schedule",
        names_run=False,
        not_methods=("dpo",),
    ),
)
