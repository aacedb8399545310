"""Logs and set-ups that cannot be right. No hyperparameter cures them."""

from __future__ import annotations

from diagnostics.detectors import sanity
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule, Sign


def _data(description: str, expect: str) -> tuple[Fix, ...]:
    """The one fix of a bug: look there."""
    return (Fix("data", description, expect),)


LOSS_IS_ZERO = Rule(
    name="loss-is-zero",
    label=Label.BROKEN,
    immediate=True,
    sign=Sign.IMPOSSIBLE_LOG,
    check=sanity.loss_is_zero,
    limits={
        "share": 0.5,  # of the logs in the second half are zeros...
        "min_points": 5,  # ... and so many in all
    },
    message="the training loss is exactly 0 in {count:.0f} logs ({share:.0%}), from step {first:g} on",
    cause=(
        "A loss of exactly 0 means that no token was scored: all labels are masked (-100), the answers were cut "
        "off by max_length, or the loss became nan and the trainer hid it."
    ),
    fixes=(
        Fix(
            "data",
            "name a teacher that is not the model itself: a distance of 0 leaves nothing to learn",
            "a distance above 0 that falls",
            when=lambda case: case.settings.method == "gkd",
            condition="where a teacher is learned from",
        ),
        *_data(
            "check that the collator leaves answer tokens unmasked and that max_length does not cut the answers off; "
            "set logging_nan_inf_filter=False and try bf16 instead of fp16",
            "a first loss of about 1 to 3 on ordinary text",
        ),
    ),
    confidence=0.95,
    example="loss 1.9, 1.4, 0, 0, 0, 0, 0: fp16 overflowed and the log shows 0",
    sources=("LLaVA-NeXT#281, LlamaFactory#2916, unsloth#712", "trainproof TP-ZERO-LOSS"),
    not_methods=("dpo",),
)

RATE_IS_ZERO = Rule(
    name="rate-is-zero",
    label=Label.BROKEN,
    sign=Sign.IMPOSSIBLE_LOG,
    check=sanity.rate_is_zero,
    limits={"share": 0.99, "min_points": 3},
    message="the learning rate is 0 in {share:.0%} of the logs",
    cause="Nothing is learned at a rate of 0: the scheduler was built for a different number of steps.",
    fixes=_data(
        "check the scheduler's number of steps and the state it was resumed from", "a rate that rises and falls"
    ),
    confidence=0.95,
    example="learning_rate 0.0 in every line of the log",
    sources=("trainproof TP-ZERO-LR",),
    any_objective=True,
)

START_LOSS_WRONG = Rule(
    name="start-loss-wrong",
    label=Label.BROKEN,
    immediate=True,
    sign=Sign.IMPOSSIBLE_LOG,
    check=sanity.start_loss_wrong,
    limits={
        "over_chance": 1.15,  # the first loss over ln(vocabulary)...
        "sigma": 2.0,  # ... by so many times the noise of the logs
        "came_down": 0.85,  # the end over ln(vocabulary) that shows a loss that was only high at first...
        "min_points": 8,  # ... in so many logs
    },
    message="the first loss is {first:.3g}, above the {chance:.3g} of a model that guesses every token evenly",
    cause="A pretrained model starts far below ln(vocabulary). Above it, the loss or the model is wrong.",
    fixes=_data(
        "check the loss scaling, the chat template, the tokenizer and that the base weights were loaded",
        "a first loss of about 1 to 3 on ordinary text",
    ),
    confidence=0.85,
    example="first loss 43 with a vocabulary of 32,000 (ln = 10.4): the loss was summed over 4 micro-batches",
    sources=(
        "Karpathy, A recipe for training neural networks: verify loss at init",
        "transformers#35204, transformers#37197",
    ),
    not_when="the loss comes down below ln(vocabulary): the model was surely wrong about such text, and learned it",
    methods=("sft",),
)

DPO_START_LOSS_WRONG = Rule(
    name="dpo-start-loss-wrong",
    label=Label.BROKEN,
    immediate=True,
    sign=Sign.IMPOSSIBLE_LOG,
    check=sanity.dpo_start_wrong,
    limits={
        "min_ratio": 0.3,  # the first loss over ln 2, at least...
        "max_ratio": 1.25,  # ... and at most
        "sigma": 2.0,  # ... by so many times the noise of the logs
        "margin_factor": 1.5,  # between the loss and what its margin gives it, where the loss type is unknown
    },
    message="the first DPO loss is {first:.3g}; it must be near ln 2 = {expected:.3g}",
    cause=(
        "While the policy equals its reference the DPO loss is -log sigmoid(0) = 0.693. Any other start means a "
        "wrong reference model, adapter, or precomputed log-probabilities."
    ),
    fixes=_data(
        "check ref_model, the adapter that serves as reference, and precomputed reference log-probabilities",
        "a first loss of 0.69",
    ),
    confidence=0.8,
    example="first loss 1.4: the reference is the base model while the policy starts from the SFT adapter",
    sources=("Rafailov et al. 2023, equation 7", "TRL documentation, DPO trainer"),
    not_when="the loss_type is not sigmoid, or label smoothing is on: such losses start elsewhere",
    methods=("dpo",),
)

POLICY_NEVER_MOVES = Rule(
    name="policy-never-moves",
    label=Label.BROKEN,
    sign=Sign.IMPOSSIBLE_LOG,
    check=sanity.policy_never_moves,
    limits={"tolerance": 2e-4, "min_points": 5},  # tolerance: the largest distance from ln 2
    message="every DPO loss is 0.6931: the policy never left its reference",
    cause="The policy is its own reference, beta is 0, or no parameter is trained.",
    fixes=_data(
        "check that the adapter is trainable, that beta is above 0 and that ref_model is a separate copy",
        "a loss that leaves 0.693 within the first steps",
    ),
    confidence=0.8,
    example="loss 0.6931 for 400 steps, rewards all 0",
    sources=("trl#1627", "Yifan-Song793/ETO#14"),
    methods=("dpo",),
)

LOSS_SCALED_BY_ACCUMULATION = Rule(
    name="loss-scaled-by-accumulation",
    label=Label.BROKEN,
    sign=Sign.IMPOSSIBLE_LOG,
    check=sanity.loss_scaled,
    limits={"tolerance": 0.25},  # of the ratio of the losses around the accumulation steps, relative
    message="the training loss is {ratio:.3g} times the held-out loss, with {accumulation:g} accumulation steps",
    cause="The logged loss (or the gradient) is multiplied by the number of accumulation steps.",
    fixes=_data(
        "update transformers (4.46 to 4.51 scale the loss wrongly) or divide by gradient_accumulation_steps",
        "training and held-out loss of the same size",
    ),
    confidence=0.85,
    example="train 9.6, eval 1.2, gradient_accumulation_steps 8",
    sources=("transformers#34263, transformers#35204", "trl#2604"),
)

EPOCH_END_LOG_LOW = Rule(
    name="epoch-end-log-low",
    label=Label.BROKEN,
    sign=Sign.IMPOSSIBLE_LOG,
    check=sanity.epoch_end_low,
    limits={"max_ratio": 0.6, "min_epochs": 2},  # max_ratio: the log at an epoch end over its neighbors
    message="the loss logged at every epoch end is only {ratio:.0%} of its neighbors",
    cause="The last, incomplete accumulation step of each epoch is scaled wrongly; the dips are not learning.",
    fixes=_data(
        "update transformers or set dataloader_drop_last=True, and do not read the dips as learning",
        "a curve without dips at the epoch ends",
    ),
    confidence=0.8,
    example="loss 1.3, 1.3, 0.4, 1.2, 1.2, 0.4: each 0.4 ends an epoch",
    sources=("transformers#38837, transformers#38872",),
)

EVAL_DIFFERS_AT_START = Rule(
    name="eval-differs-at-start",
    label=Label.BROKEN,
    check=sanity.eval_differs_at_start,
    limits={
        "gap": 0.25,  # between the losses, over the training loss
        "early_share": 0.03,  # of the run, within which the first evaluation must lie
    },
    message="at the start the held-out loss already differs from the training loss by {gap:+.0%}",
    cause=(
        "Training and held-out rows are not of one kind, or are scored differently: template, masking, packing, "
        "or dropout and NEFTune noise, which only training has."
    ),
    fixes=(
        Fix(
            "eval_set",
            "score both with the same template and mask, and draw the held-out rows from the same source",
            "two losses that start together",
            weight=0.8,
        ),
    ),
    confidence=0.6,
    example="step 1: train 1.2, eval 2.0",
    sources=("TRL documentation, SFT trainer", "keras and lightning threads on dropout in training"),
    sets_label=False,
)
