"""Slot 0 as well: numbers that stand still or stand on their head, which only a bug can do."""

from __future__ import annotations

from diagnostics.detectors import frozen, lengths
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule

FROZEN = (
    Rule(
        name="gradient-is-zero",
        label=Label.BROKEN,
        check=frozen.gradient_is_zero,
        limits={"share": 0.99, "points": 5, "fall": 0.02},
        message="the gradient norm is exactly 0 in {share:.0%} of the logs, and the loss lost only {fall:.1%}",
        cause="No gradient reaches a trained parameter: the adapter is frozen or cut off, or every label is masked.",
        fixes=(
            Fix(
                "data",
                "count the parameters with requires_grad and the labels that are not -100; with gradient "
                "checkpointing call enable_input_require_grads() or set use_reentrant=False",
                "a gradient norm above 0 from the first step",
            ),
        ),
        confidence=0.95,
        example="grad_norm 0.0 in every line, loss 1.84 from start to end",
        sources=("open-unlearning#178", "transformers#26221", "trainproof TP-ZERO-GRAD"),
        not_when="the loss falls: then the framework does not compute the norm that it logs",
    ),
    Rule(
        name="eval-loss-never-moves",
        label=Label.BROKEN,
        check=frozen.eval_never_moves,
        limits={"evals": 4, "fall": 0.05, "resolution": 2e-4},
        message=(
            "the last {count:.0f} held-out losses are all {value:.6g} while the training loss fell by {train_fall:.0%}"
        ),
        cause="The evaluation scores other weights than those that are trained: same rows, new weights, new loss.",
        fixes=(
            Fix(
                "eval_set",
                "check that evaluation runs on the trained adapter, not on the base model or a cached copy",
                "a held-out loss that changes at every evaluation",
            ),
        ),
        confidence=0.9,
        example="eval_loss 1.0473217 at steps 300, 400, 500, 600 while train falls from 1.2 to 0.9",
        sources=("unsloth#1067: constant to the last decimal", "Chinese-LLaMA-Alpaca#856"),
        not_when="the log is rounded to three decimals or fewer: then it cannot be asked",
    ),
    Rule(
        name="held-out-pairs-swapped",
        label=Label.BROKEN,
        check=lengths.pairs_exchanged,
        limits={"train": 0.65, "held": 0.35, "evals": 3},
        message="{train:.0%} of the training pairs are told apart but only {held_out:.0%} of the held-out ones",
        cause="What is called chosen in one split is called rejected in the other: far below chance is no chance.",
        fixes=(
            Fix(
                "eval_set",
                "look at five pairs of either split and check which answer stands in the column chosen",
                "a held-out accuracy above 50 %",
            ),
        ),
        confidence=0.75,
        example="rewards/accuracies 0.82 in training, 0.21 on the held-out pairs",
        sources=("algebra: an accuracy below 1/2 means that the negated preference is learned",),
        not_when="only a handful of pairs is held out",
        methods=("dpo",),
    ),
)
