"""What the gradient norm shows beside the loss: it grows, it spikes, or it is clipped on most steps."""

from __future__ import annotations

from diagnostics.detectors import gradients
from diagnostics.model.records import Label
from diagnostics.rules.remedies import AFTER_BLOW_UP, PLAYBOOK, TIGHTER_CLIP, cut_rate, to_quantile_of_norms
from diagnostics.rules.rule import Fix, Rule, Sign

GRADIENTS_GROW = Rule(
    name="gradients-grow",
    label=Label.UNSTABLE,
    check=gradients.gradients_grow,
    limits={
        "growth": 3.0,  # of the norm over the second half of the run
        "fall": 0.0,  # of the loss there, up to which it is flat...
        "max_noise": 0.02,  # ... or one standard error of its noise, up to this
    },
    message="the gradient norm grew {growth:.1f} times in the second half while the loss did not fall",
    cause="Growing gradients come before a jump of the loss.",
    fixes=(cut_rate(0.5, "use {factor:times} the learning rate", by_estimate=True), TIGHTER_CLIP),
    confidence=0.6,
    example="grad_norm 0.5 in mid-run, 4 at the end, loss flat at 1.3",
    sources=("OLMo 2: gradient spikes precede loss spikes", f"{PLAYBOOK}: log the gradient norm"),
)

GRADIENT_DIES = Rule(
    name="gradient-dies",
    label=Label.UNSTABLE,
    sign=Sign.BLOW_UP,
    check=gradients.gradient_dies,
    limits={
        "died": 0.01,  # the norm of the last quarter over the highest of the first half...
        "beside_loss": 0.05,  # ... and over what is left of the loss
        "climb": 0.2,  # of the loss above its lowest so far, over its start: a jump...
        "fall": 0.1,  # ... or a loss that lost less than this
        "pairs_left": 0.5,  # of a loss that compares answers: with less left at the end, most pairs are told apart
        "min_points": 8,
    },
    message="the gradient norm falls from {early:.2g} to {late:.2g}, and the loss ends at {end:.3g} after {start:.3g}",
    cause="A step went so far that units died or saturated: no gradient comes through them, and the run stands still.",
    fixes=AFTER_BLOW_UP,
    confidence=0.85,
    example="grad_norm 4, 90, 0.003, 0.003 and loss 2.3, 40, 2.31, 2.31",
    sources=("Karpathy, A recipe for training neural networks", "He et al. 2015: dead rectified units at high rates"),
    not_when="the loss goes to 0 with the gradient, or the pairs are told apart: then the run has learned its rows",
)

GRADIENTS_SPIKE = Rule(
    name="gradients-spike",
    label=Label.UNSTABLE,
    check=gradients.gradients_spike,
    limits={
        "deviations": 6.0,  # of a spike, in local scales of the log norm
        "times": 4.0,  # the norm over its local level
        "score": 0.002,  # the share of the logs that begin a spike...
        "events": 3,  # ... and their number
        "quantile": 0.9,  # of the norms, to clip at
        "min_points": 40,
    },
    message=(
        "the gradient norm jumps {events:.0f} times, to {highest:.3g} from its usual {median:.2g}; the loss does not"
    ),
    cause="Single batches pull far harder than the rest: odd rows, or steps that come near the edge of stability.",
    fixes=(
        Fix(
            "max_grad_norm",
            "clip the gradient norm at its 90th percentile",
            "single batches no longer move the weights far",
            to=to_quantile_of_norms,
            when=lambda case: (case.settings.max_grad_norm or float("inf")) > case.measured.get("quantile", 0.0),
            condition="where the limit is above it",
            weight=0.9,
        ),
        Fix("data", "look at the rows of the batches at these steps", "a gradient norm without jumps", weight=0.8),
        cut_rate(0.5, "use {factor:times} the learning rate, if spikes of the loss follow", weight=0.6),
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
)

CLIPS_MOST_STEPS = Rule(
    name="clips-most-steps",
    label=Label.UNSTABLE,
    check=gradients.clips_most_steps,
    limits={
        "share": 0.5,  # of the logged norms that lie above the clipping limit
        "quantile": 0.9,  # of the norms, to clip at
        "qlora_limit": 0.3,  # up to which clipping in 4 bit is on purpose
    },
    message="{share:.0%} of the steps are clipped at {limit:g}; nine in ten norms are below {quantile:.2g}",
    cause="The clipping limit lies below the usual gradient norm, so it works as a hidden learning rate.",
    fixes=(
        Fix(
            "max_grad_norm",
            "raise max_grad_norm to the 90th percentile of the gradient norm",
            "only outliers are clipped",
            to=to_quantile_of_norms,
            weight=0.9,
        ),
    ),
    confidence=0.55,
    example="max_grad_norm 1.0, norms between 2 and 3 throughout",
    sources=(f"{PLAYBOOK}: above 50 % clipped is extremely aggressive; about the 90th percentile",),
    not_when="QLoRA's limit of 0.3, which its authors chose below the usual norms",
    sets_label=False,
)
