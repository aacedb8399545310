"""Numbers that stand still although they cannot, which only a bug makes them do."""

from __future__ import annotations

from diagnostics.detectors import frozen
from diagnostics.model.records import Label
from diagnostics.rules.rule import Fix, Rule, Sign, Wording
from diagnostics.rules.slow_learning import LEAST_FALL

GRADIENT_IS_ZERO = Rule(
    name="gradient-is-zero",
    label=Label.BROKEN,
    sign=Sign.FROZEN,
    check=frozen.gradient_is_zero,
    limits={
        "share": 0.99,  # of the logged norms
        "fall": 0.02,  # of the loss: one that lost more was trained
        "min_points": 5,
    },
    message="the gradient norm is exactly 0 in {share:.0%} of the logs, and the loss fell by only {fall:.1%}",
    wordings=(
        Wording(
            "the gradient norm is exactly 0 in {share:.0%} of the logs, and the loss did not fall",
            "where it fell by less than 0.05 %",
            lambda measured: measured.get("fall", 1.0) < LEAST_FALL,
        ),
    ),
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
)

EVAL_LOSS_NEVER_MOVES = Rule(
    name="eval-loss-never-moves",
    label=Label.BROKEN,
    sign=Sign.FROZEN,
    check=frozen.eval_never_moves,
    limits={
        "min_evals": 4,  # the last ones, all the same
        "fall": 0.05,  # of the training loss meanwhile
        "max_grain": 2e-4,  # the step to which the log is rounded, over the loss
    },
    message=(
        "the last {count:.0f} held-out losses are all {value:.6g} while the training loss fell by {train_fall:.0%}"
    ),
    wordings=(
        Wording(
            "the last {count:.0f} held-out losses are all {value:.6g}",
            "where the training loss fell by less than 5 %",
            lambda measured: measured.get("train_fall", 0.0) < 0.05,
        ),
    ),
    cause=(
        "The same rows give new losses to new weights: the evaluation does not score the weights that are trained, or "
        "none of them moves."
    ),
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
    not_when="the log is rounded to three decimals or fewer: then it cannot be evaluated",
)

LOSS_NEVER_MOVES = Rule(
    name="loss-never-moves",
    label=Label.BROKEN,
    sign=Sign.FROZEN,
    check=frozen.loss_never_moves,
    limits={
        "min_points": 5,
        "share": 0.5,  # of the logs, up to the end
        "max_grain": 1e-3,  # the step to which the log is rounded, over the loss
        "fall": 0.1,  # of the loss: one that came down may have converged
    },
    message="the last {count:.0f} training losses are all {value:.6g}",
    cause="Batches differ and their losses do not: the outputs no longer depend on the inputs, or nothing is trained.",
    fixes=(
        Fix(
            "data",
            "check that parameters require gradients and that units are not dead: unlike rows must differ in output",
            "a loss that changes from log to log",
        ),
        Fix(
            "learning_rate",
            "use {factor:times} the learning rate if it was ever lower",
            "units that stay alive",
            times=0.1,
            weight=0.6,
        ),
    ),
    confidence=0.9,
    example="loss 2.4, 2.3026, 2.3026, 2.3026 from the second epoch on",
    sources=(
        "Karpathy, A recipe for training neural networks",
        "keras threads on dead rectified units: ln(classes) forever",
    ),
    not_when="the log is rounded to two digits, or each log is the mean over all rows of a converged run",
    not_methods=("dpo",),
)
