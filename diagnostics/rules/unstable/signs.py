"""Signs beside the loss: growing gradients, clipping on most steps, a held-out loss that jitters."""

from __future__ import annotations

from diagnostics.detectors import signs
from diagnostics.model.records import Label
from diagnostics.rules.rule import Case, Fix, Rule
from diagnostics.rules.unstable.remedies import PLAYBOOK, TIGHTER_CLIP, cut_rate


def _usual_norm(case: Case) -> float | None:
    """The 90th percentile of the gradient norms."""
    return case.measured.get("quantile")


SIGNS = (
    Rule(
        name="loss-zigzags",
        label=Label.UNSTABLE,
        check=signs.loss_zigzags,
        limits={"lag": 0.35, "errors": 4.0, "flips": 0.75, "swing": 0.03, "points": 60},
        message="the loss goes up and down in turn by {swing:.0%}; {flips:.0%} of the logs turn round (noise: 67 %)",
        cause="Every step overshoots and the next one corrects it, or the data alternate between two kinds of rows.",
        fixes=(
            Fix("data", "shuffle the rows, so that no kind of row comes in turn", "a loss without a beat", weight=0.9),
            cut_rate(0.5, "halve the learning rate", weight=0.8),
        ),
        confidence=0.45,
        example="loss 1.4, 1.1, 1.4, 1.1 from start to end",
        sources=("Cohen et al., 2207.14484: mild oscillation at the edge of stability is normal",),
        not_when="mild oscillation, which is how adaptive optimizers run at the edge of stability",
        sets_label=False,
    ),
    Rule(
        name="gradients-grow",
        label=Label.UNSTABLE,
        check=signs.gradients_grow,
        limits={"factor": 3.0, "fall": 0.0, "blur": 0.02},
        message="the gradient norm grew {growth:.1f} times in the second half while the loss did not fall",
        cause="Growing gradients come before a jump of the loss.",
        fixes=(
            cut_rate(0.5, "halve the learning rate"),
            TIGHTER_CLIP,
        ),
        confidence=0.6,
        example="grad_norm 0.5 in mid-run, 4 at the end, loss flat at 1.3",
        sources=("OLMo 2: gradient spikes precede loss spikes", f"{PLAYBOOK}: log the gradient norm"),
    ),
    Rule(
        name="gradients-spike",
        label=Label.UNSTABLE,
        check=signs.gradients_spike,
        limits={"deviations": 6.0, "times": 4.0, "score": 0.002, "events": 3, "points": 40, "quantile": 0.9},
        message=(
            "the gradient norm jumps {events:.0f} times, to {highest:.3g} from its usual {median:.2g}; the loss stays"
        ),
        cause="Single batches pull far harder than the rest: odd rows, or steps that come near the edge of stability.",
        fixes=(
            Fix(
                "max_grad_norm",
                "clip the gradient norm at its 90th percentile",
                "single batches no longer move the weights far",
                to=_usual_norm,
                when=lambda case: (case.settings.max_grad_norm or float("inf")) > case.measured.get("quantile", 0.0),
                condition="where the limit is above it",
                weight=0.9,
            ),
            Fix("data", "look at the rows of the batches at these steps", "a gradient norm without jumps", weight=0.8),
            cut_rate(0.5, "halve the learning rate, if spikes of the loss follow", weight=0.6),
        ),
        confidence=0.4,
        example="grad_norm 0.6 in most logs, 6 to 11 in five of 300, the loss between 1.1 and 1.3 throughout",
        sources=(
            "OLMo 2, 2501.00656: spikes of the gradient norm come before those of the loss",
            f"{PLAYBOOK}: clip at about the 90th percentile of the gradient norm",
            "OLMo-core StabilityMonitor: 6 sigma on the loss or the gradient norm",
        ),
        not_when="a clipping limit below the spikes: then they move the weights no further than other steps",
        sets_label=False,
    ),
    Rule(
        name="eval-jitters-more",
        label=Label.UNSTABLE,
        check=signs.eval_jitters_more,
        limits={"ratio": 1.0, "least": 0.01, "flips": 0.35},
        message=(
            "the held-out loss jitters by {eval_jitter:.1%} from evaluation to evaluation, the training loss by "
            "{train_jitter:.1%}"
        ),
        cause=(
            "The held-out rows are too few or drawn anew each time, or the batch is too small: with fixed rows "
            "every wiggle is a real move of the weights."
        ),
        fixes=(
            Fix(
                "eval_set",
                "evaluate on more rows, and on the same ones each time",
                "a smooth held-out loss",
                weight=0.9,
            ),
            Fix(
                "adam_beta2",
                "raise adam_beta2 to 0.99",
                "the optimizer averages over more of the small batches",
                to=0.99,
                weight=0.7,
                when=lambda case: (case.settings.adam_beta2 or 1.0) <= 0.98 and (case.settings.batch_size or 99) <= 8,
                condition="with batches of up to 8 rows and adam_beta2 of 0.98 or less",
            ),
            Fix(
                "batch_size",
                "double the batch and keep the learning rate",
                "steadier weights",
                times=2.0,
                at_most=128,
                weight=0.6,
            ),
        ),
        confidence=0.55,
        example="eval 1.30, 1.38, 1.29, 1.41 while the training loss moves by 0.01",
        sources=(f"{PLAYBOOK}: batch variance, small validation set, late learning rate", "Marek et al., 2507.07101"),
        not_when="the wiggle is within three standard errors of the paired differences between evaluations",
        sets_label=False,
    ),
    Rule(
        name="clips-most-steps",
        label=Label.UNSTABLE,
        check=signs.clips_most_steps,
        limits={"share": 0.5, "quantile": 0.9, "qlora": 0.3},
        message="{share:.0%} of the steps are clipped at {limit:g}; nine in ten norms are below {quantile:.2g}",
        cause="The clipping limit lies below the usual gradient norm, so it works as a hidden learning rate.",
        fixes=(
            Fix(
                "max_grad_norm",
                "raise max_grad_norm to the 90th percentile of the gradient norm",
                "only outliers are clipped",
                to=_usual_norm,
                weight=0.9,
            ),
        ),
        confidence=0.55,
        example="max_grad_norm 1.0, norms between 2 and 3 all along",
        sources=(f"{PLAYBOOK}: above 50 % clipped is extremely aggressive; about the 90th percentile",),
        not_when="QLoRA's limit of 0.3, which its authors chose below the usual norms",
        sets_label=False,
    ),
)
