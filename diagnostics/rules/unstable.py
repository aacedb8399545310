"""Slots 1 to 4: runs that blow up, jump or jitter. They come first, for nothing else can be read from them."""

from __future__ import annotations

from diagnostics.detectors import stability, unsteady
from diagnostics.rules.rule import Case, Fix, Rule
from diagnostics.verdict import Label

PLAYBOOK = "Google tuning playbook"
LOSS_STAYS = "a loss that falls without jumps"


def _from_the_start_above_the_cap(case: Case) -> bool:
    """Within the first 2 % of the run, at a rate above the family's cap."""
    rate, cap = case.settings.learning_rate, case.family.cap
    return case.measured.get("share", 1.0) <= 0.02 and rate is not None and cap is not None and rate > cap


def _severe(case: Case) -> bool:
    """More than one event in 200 points, or a spike without recovery."""
    return case.measured.get("score", 0.0) > 0.005 or case.measured.get("recovered", 1.0) < 0.5


def _wild(case: Case) -> bool:
    """Jitter of a third of the level and more."""
    return max(case.measured.get(k, 0.0) for k in ("train_jitter", "swing")) >= 0.3


def _warmup_spent(case: Case) -> bool:
    """The warm-up already takes a tenth of the run."""
    return (case.settings.warmup_ratio or 0.0) >= 0.1


def _usual_norm(case: Case) -> float | None:
    """The 90th percentile of the gradient norms."""
    return case.measured.get("quantile")


LONGER_WARMUP = Fix(
    "warmup_ratio",
    "warm up over at least 3 % of the steps, at most 10 %",
    "a calm start",
    times=2.0,
    at_least=0.03,
    at_most=0.1,
    sure=0.7,
)
TIGHTER_CLIP = Fix(
    "max_grad_norm",
    "clip the gradient norm at 0.3",
    "single bad batches no longer move the weights far",
    to=0.3,
    sure=0.6,
    when=lambda case: (case.settings.max_grad_norm or 1.0) > 0.3,
    only="where the limit is above 0.3",
)
BIGGER_BATCH = Fix(
    "batch_size",
    "double the batch, by gradient accumulation if memory is short",
    "less noise per step",
    times=2.0,
    at_most=128,
    sure=0.5,
)


def _rate(times: float, words: str, **more: object) -> Fix:
    """A cut of the learning rate."""
    return Fix("learning_rate", words, LOSS_STAYS, times=times, **more)  # type: ignore[arg-type]


BLOW_UP_FIXES: tuple[Fix, ...] = (
    _rate(
        0.1,
        "divide the learning rate by ten",
        when=_from_the_start_above_the_cap,
        only="when it happens in the first 2 % of the steps at a rate above the family's cap",
    ),
    _rate(0.3, "cut the learning rate to a third"),
    LONGER_WARMUP,
    TIGHTER_CLIP,
)

UNSTABLE = (
    Rule(
        name="loss-not-finite",
        label=Label.UNSTABLE,
        check=stability.not_finite,
        limits={"fp16_share": 0.02},
        says="nan or inf in {count:.0f} logs, first at step {first:g}",
        cause="The learning rate is too high, the warm-up is missing, fp16 overflowed, or one row is bad.",
        fixes=BLOW_UP_FIXES,
        confidence=0.95,
        example="loss 1.8, 1.7, nan, nan",
        sources=(
            "OPT, 2205.01068: restarts at a lower rate, clipping 1.0 to 0.3",
            "tinker-cookbook sft_sweep: 72 of 80 diverged runs at 3e-3",
            "PaLM, 2204.02311, section 5.1",
        ),
        unless="the same settings are fine with another seed: skip the batches at the jump instead",
    ),
    Rule(
        name="loss-diverges",
        label=Label.UNSTABLE,
        check=stability.loss_diverges,
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
        says=(
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
        unless="the same settings are fine with another seed",
    ),
    Rule(
        name="loss-jumps",
        label=Label.UNSTABLE,
        check=stability.loss_jumps,
        limits={"rise": 0.15, "noises": 6.0, "share": 0.25, "points": 30},
        says="the loss jumps from {before:.3g} to {after:.3g} and stays there",
        cause="One step went so far that the run did not find its way back: the rate is too high, or a batch is bad.",
        fixes=BLOW_UP_FIXES[1:],
        confidence=0.8,
        example="loss 1.1 until step 400, 1.5 from step 410 to the end",
        sources=("LLaVA#918: 0.6 to 6.7 at a quarter of the run", "PaLM, 2204.02311, section 5.1: skip the batches"),
        unless="the run was resumed there with other data, or the data change there",
    ),
    Rule(
        name="loss-spikes",
        label=Label.UNSTABLE,
        check=stability.loss_spikes,
        limits={"deviations": 6.0, "height": 0.15, "score": 0.002, "events": 2},
        says=(
            "{events:.0f} spikes ({score:.1%} of the logs), the highest {height:.0f} times the usual noise; "
            "{recovered:.0%} recovered"
        ),
        cause="The learning rate is too high for the batch: every so often a step goes too far.",
        fixes=(
            _rate(
                0.3,
                "cut the learning rate to a third",
                when=_severe,
                only="above 0.5 % of the logs, or where the loss does not come back",
            ),
            _rate(0.5, "halve the learning rate"),
            BIGGER_BATCH,
            LONGER_WARMUP,
        ),
        confidence=0.85,
        example="four jumps from 1.2 to 2 in 300 logs, each gone after a few steps",
        sources=(
            "OLMo-core StabilityMonitor: 6 sigma over 128 steps",
            f"{PLAYBOOK}: clipping helps; above 50 % clipped lower the rate",
            "PaLM saw some 20 spikes in a whole run",
        ),
        unless=(
            "a single spike that recovers: it is benign. At less than 0.3x the centre look at the data order first"
        ),
    ),
    Rule(
        name="train-and-eval-jitter",
        label=Label.UNSTABLE,
        check=unsteady.joint_jitter,
        limits={"train_jitter": 0.05, "eval_jitter": 0.03, "elastic": 0.3, "undone": 0.2},
        says="training ({train_jitter:.0%}) and held-out loss ({eval_jitter:.0%}) jitter together, all along",
        cause="The learning rate is too high: the weights themselves swing, for the held-out rows never change.",
        fixes=(
            _rate(0.3, "cut the learning rate to a third", when=_wild, only="where the jitter is 30 % and more"),
            _rate(0.5, "halve the learning rate"),
            BIGGER_BATCH,
            Fix(
                "warmup_ratio",
                "warm up four times as long, at most 10 % of the steps",
                "a calmer start",
                times=4.0,
                at_least=0.03,
                at_most=0.1,
                sure=0.5,
            ),
        ),
        confidence=0.75,
        example="train and eval both move up and down by 10 % between logs, from start to end",
        sources=("Wen et al., 2410.05192: decay minimises the oscillations", PLAYBOOK, "Cohen et al., 2207.14484"),
        unless="both losses are logged on few examples",
    ),
    Rule(
        name="loss-swings",
        label=Label.UNSTABLE,
        check=unsteady.loss_swings,
        limits={"swing": 0.2, "undone": 0.5, "low_rate": 0.3, "calm": 0.25},
        says="the training loss swings by {swing:.0%} of itself throughout, more than half of all it has learned",
        cause="Steps are so large, or batches so small, that the loss goes up as often as down.",
        fixes=(
            _rate(0.3, "cut the learning rate to a third", when=_wild, only="where it swings by 30 % and more"),
            _rate(0.5, "halve the learning rate"),
            BIGGER_BATCH,
            LONGER_WARMUP,
        ),
        confidence=0.75,
        example="loss between 3 and 29 from start to end",
        sources=(PLAYBOOK, "own simulation: compare jitter with the descent, never its level alone"),
        unless="the rate is below 0.3 of its family's centre, or the held-out loss is calm: then single batches differ",
        not_methods=("dpo", "grpo"),
    ),
    Rule(
        name="jitter-grows",
        label=Label.UNSTABLE,
        check=unsteady.jitter_grows,
        limits={"factor": 2.6, "over_chance": 1.2, "least": 0.1, "points": 40, "fall": 0.05},
        says="the loss jitters {ratio:.1f} times as much as at the start and has not fallen",
        cause="The weights drift without learning: the learning rate is too high for this signal.",
        fixes=(
            _rate(0.3, "cut the learning rate to a third"),
            Fix(
                "warmup_ratio",
                "warm up over 10 % of the steps",
                "a calmer start",
                to=0.1,
                sure=0.6,
                when=lambda case: (case.settings.warmup_ratio or 0.0) < 0.1,
                only="where it is shorter",
            ),
            Fix(
                "batch_size",
                "use 32 to 128 pairs or rows in a batch",
                "less noise per step",
                times=2.0,
                at_least=32,
                at_most=128,
                sure=0.6,
            ),
        ),
        confidence=0.75,
        example="a DPO loss of 0.69 +- 0.02 that becomes 0.7 +- 0.3",
        sources=("SimPO README: the learning rate is the most critical knob", "own simulation: limits by sample size"),
    ),
    Rule(
        name="warmup-too-short",
        label=Label.UNSTABLE,
        check=unsteady.early_jitter,
        limits={"share": 0.2, "ratio": 2.0, "rise": 0.15, "points": 40},
        says=(
            "the loss jitters {ratio:.1f} times as much in the first fifth as later, and climbs back by "
            "{climb:.0%} there"
        ),
        cause="The full learning rate arrives before the optimiser knows the scale of the gradients.",
        fixes=(
            Fix(
                "warmup_ratio",
                "warm up four times as long, at most 10 % of the steps",
                "a start as calm as the rest",
                times=4.0,
                at_least=0.03,
                at_most=0.1,
                when=lambda case: not _warmup_spent(case),
                only="while the warm-up is below 10 % of the steps",
            ),
            _rate(0.5, "halve the learning rate", when=_warmup_spent, only="when the warm-up is 10 % already"),
            TIGHTER_CLIP,
        ),
        confidence=0.7,
        example="loss 2.0, 3.1, 1.8, 2.9, 1.6 ... then smooth from step 60 of 300 on",
        sources=(
            f"{PLAYBOOK}: warm-up for early instability, at most 10 % of the steps",
            "Kalra and Barkeshli, 2406.09405",
            "against it: Pareja et al., 2412.13337, found warm-up needless in SFT",
        ),
        unless="a steep early fall: LoRA starts from B = 0, and falling fast is no jitter",
    ),
    Rule(
        name="gradients-grow",
        label=Label.UNSTABLE,
        check=unsteady.gradients_grow,
        limits={"factor": 3.0, "fall": 0.0},
        says="the gradient norm grew {growth:.1f} times in the second half while the loss did not fall",
        cause="Growing gradients come before a jump of the loss.",
        fixes=(
            _rate(0.5, "halve the learning rate"),
            TIGHTER_CLIP,
        ),
        confidence=0.6,
        example="grad_norm 0.5 in mid-run, 4 at the end, loss flat at 1.3",
        sources=("OLMo 2: gradient spikes precede loss spikes", f"{PLAYBOOK}: log the gradient norm"),
    ),
    Rule(
        name="eval-jitters-more",
        label=Label.UNSTABLE,
        check=unsteady.eval_jitters_more,
        limits={"ratio": 1.0, "least": 0.01, "flips": 0.35},
        says=(
            "the held-out loss jitters by {eval_jitter:.1%} from evaluation to evaluation, the training loss by "
            "{train_jitter:.1%}"
        ),
        cause=(
            "The held-out rows are too few or drawn anew each time, or the batch is too small: with fixed rows "
            "every wiggle is a real move of the weights."
        ),
        fixes=(
            Fix(
                "eval_set", "evaluate on more rows, and on the same ones each time", "a smooth held-out loss", sure=0.9
            ),
            Fix(
                "adam_beta2",
                "raise adam_beta2 to 0.99",
                "the optimiser averages over more of the small batches",
                to=0.99,
                sure=0.7,
                when=lambda case: (case.settings.adam_beta2 or 1.0) <= 0.98 and (case.settings.batch_size or 99) <= 8,
                only="with batches of up to 8 rows and adam_beta2 of 0.98 or less",
            ),
            Fix(
                "batch_size",
                "double the batch and keep the learning rate",
                "steadier weights",
                times=2.0,
                at_most=128,
                sure=0.6,
            ),
        ),
        confidence=0.55,
        example="eval 1.30, 1.38, 1.29, 1.41 while the training loss moves by 0.01",
        sources=(f"{PLAYBOOK}: batch variance, small validation set, late learning rate", "Marek et al., 2507.07101"),
        unless="the wiggle is within three standard errors of the paired differences between evaluations",
        names_run=False,
    ),
    Rule(
        name="clips-most-steps",
        label=Label.UNSTABLE,
        check=unsteady.clips_most_steps,
        limits={"share": 0.5, "quantile": 0.9},
        says="{share:.0%} of the steps are clipped at {limit:g}; nine in ten norms are below {quantile:.2g}",
        cause="The clipping limit lies below the usual gradient norm, so it works as a hidden learning rate.",
        fixes=(
            Fix(
                "max_grad_norm",
                "raise max_grad_norm to the 90th percentile of the gradient norm",
                "only outliers are clipped",
                to=_usual_norm,
                sure=0.9,
            ),
        ),
        confidence=0.55,
        example="max_grad_norm 1.0, norms between 2 and 3 all along",
        sources=(f"{PLAYBOOK}: above 50 % clipped is extremely aggressive; about the 90th percentile",),
        unless="QLoRA's limit of 0.3, which its authors chose below the usual norms",
        names_run=False,
    ),
)
