"""Slot 0: logs and set-ups that cannot be right. No hyperparameter cures them."""

from __future__ import annotations

from diagnostics.detectors import sanity
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule


def _data(words: str, expect: str) -> tuple[Fix, ...]:
    """The one fix of a bug: look there."""
    return (Fix("data", words, expect),)


BROKEN = (
    Rule(
        name="loss-is-zero",
        label=Label.BROKEN,
        immediate=True,
        check=sanity.loss_is_zero,
        limits={"points": 5, "share": 0.5},
        message="the training loss is exactly 0 in {count:.0f} logs ({share:.0%}), from step {first:g} on",
        cause=(
            "A loss of exactly 0 means that no token was scored: all labels are masked (-100), the answers were cut "
            "off by max_length, or the loss became nan and the trainer hid it."
        ),
        fixes=_data(
            "check that the collator leaves answer tokens unmasked and that max_length does not cut the answers off; "
            "set logging_nan_inf_filter=False and try bf16 instead of fp16",
            "a first loss of about 1 to 3 on ordinary text",
        ),
        confidence=0.95,
        example="loss 1.9, 1.4, 0, 0, 0, 0, 0: fp16 overflowed and the log shows 0",
        sources=("LLaVA-NeXT#281, LlamaFactory#2916, unsloth#712", "trainproof TP-ZERO-LOSS"),
        not_methods=("dpo",),
    ),
    Rule(
        name="rate-is-zero",
        label=Label.BROKEN,
        check=sanity.rate_is_zero,
        limits={"share": 0.99, "points": 3},
        message="the learning rate is 0 in {share:.0%} of the logs",
        cause="Nothing is learned at a rate of 0: the scheduler was built for another number of steps.",
        fixes=_data(
            "check the scheduler's number of steps and what the resumed state holds", "a rate that rises and falls"
        ),
        confidence=0.95,
        example="learning_rate 0.0 in every line of the log",
        sources=("trainproof TP-ZERO-LR",),
    ),
    Rule(
        name="start-loss-wrong",
        label=Label.BROKEN,
        immediate=True,
        check=sanity.start_loss_wrong,
        limits={"over": 1.15},
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
        methods=("sft",),
    ),
    Rule(
        name="dpo-start-loss-wrong",
        label=Label.BROKEN,
        immediate=True,
        check=sanity.dpo_start_wrong,
        limits={"high": 1.25, "low": 0.3, "like": 1.5},
        message="the first DPO loss is {first:.3g}; it must be near ln 2 = {expected:.3g}",
        cause=(
            "While the policy equals its reference the DPO loss is -log sigmoid(0) = 0.693. Another start means a "
            "wrong reference model, adapter, or precomputed log-probabilities."
        ),
        fixes=_data(
            "check ref_model, the adapter that serves as reference, and precomputed reference log-probabilities",
            "a first loss of 0.69",
        ),
        confidence=0.8,
        example="first loss 1.4: the reference is the base model while the policy starts from the SFT adapter",
        sources=("Rafailov et al. 2023, equation 7", "TRL documentation, DPO trainer"),
        not_when="another loss_type than sigmoid, or label smoothing, which start elsewhere",
        methods=("dpo",),
    ),
    Rule(
        name="policy-never-moves",
        label=Label.BROKEN,
        check=sanity.policy_never_moves,
        limits={"tolerance": 2e-4, "points": 5},
        message="every DPO loss is 0.6931: the policy never left its reference",
        cause="The policy is its own reference, beta is 0, or no parameter is trained.",
        fixes=_data(
            "check that the adapter is trainable, that beta is above 0 and that ref_model is another copy",
            "a loss that leaves 0.693 within the first steps",
        ),
        confidence=0.9,
        example="loss 0.6931 for 400 steps, rewards all 0",
        sources=("trl#1627", "Yifan-Song793/ETO#14"),
        methods=("dpo",),
    ),
    Rule(
        name="loss-scaled-by-accumulation",
        label=Label.BROKEN,
        check=sanity.loss_scaled,
        limits={"within": 0.25},
        message="the training loss is {ratio:.3g} times the held-out loss, with {accumulation:g} accumulation steps",
        cause="The logged loss (or the gradient) is multiplied by the number of accumulation steps.",
        fixes=_data(
            "update transformers (4.46 to 4.51 scale the loss wrongly) or divide by gradient_accumulation_steps",
            "training and held-out loss of the same size",
        ),
        confidence=0.85,
        example="train 9.6, eval 1.2, gradient_accumulation_steps 8",
        sources=("transformers#34263, transformers#35204", "trl#2604"),
    ),
    Rule(
        name="epoch-end-log-low",
        label=Label.BROKEN,
        check=sanity.epoch_end_low,
        limits={"below": 0.6, "least": 2},
        message="the log at every epoch end is only {ratio:.0%} of its neighbors",
        cause="The last, incomplete accumulation step of each epoch is scaled wrongly; it is no learning.",
        fixes=_data(
            "update transformers or set dataloader_drop_last=True, and do not read the dips as learning",
            "a curve without dips at the epoch ends",
        ),
        confidence=0.8,
        example="loss 1.3, 1.3, 0.4, 1.2, 1.2, 0.4: each 0.4 ends an epoch",
        sources=("transformers#38837, transformers#38872",),
    ),
    Rule(
        name="eval-differs-at-start",
        label=Label.BROKEN,
        check=sanity.eval_differs_at_start,
        limits={"apart": 0.25, "near": 0.03},
        message="at the start the held-out loss already lies {gap:+.0%} from the training loss",
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
    ),
)
