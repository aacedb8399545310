"""What TRL's token accuracy shows: rows that are known, a loss that scores other tokens, collapse, memorization."""

from __future__ import annotations

from diagnostics.detectors import accuracy
from diagnostics.model.records import Label
from diagnostics.rules.remedies import AFTER_COLLAPSE, CHECKPOINT, half_as_many_epochs, halve_rate
from diagnostics.rules.rule import Fix, Rule

ROWS_KNOWN_FROM_THE_START = Rule(
    name="rows-known-from-the-start",
    label=Label.BROKEN,
    check=accuracy.known_from_the_start,
    limits={
        "accuracy": 0.98,  # of the first logs
        "loss": 0.03,  # of the first logs, where the accuracy is not logged
        "min_points": 5,
    },
    message="the first losses are already {loss:.2g}: nearly every token is predicted before anything is learned",
    cause=(
        "The rows hold nothing to learn: the answer appears in the prompt, padding is scored, or the model already "
        "knows them."
    ),
    fixes=(
        Fix(
            "data",
            "decode one row with its labels: only the answer may be scored, without padding, and it must not "
            "appear in the prompt; check whether the base model was trained on these rows",
            "a first loss of about 1 to 3 on ordinary text",
        ),
    ),
    confidence=0.7,
    example="mean_token_accuracy 0.99 at step 1, loss 0.02",
    sources=("trainspotter: a loss floor in the first tenth of the run", "TRL documentation, SFT trainer"),
    not_when="the run was resumed, or the model was trained on these rows before",
    sets_label=False,
    methods=("sft",),
)

ACCURACY_CONTRADICTS_LOSS = Rule(
    name="accuracy-contradicts-loss",
    label=Label.BROKEN,
    check=accuracy.accuracy_stands_still,
    limits={
        "fall": 0.3,  # of the loss
        "rise": 0.005,  # of the accuracy: less than this is none
        "room": 0.1,  # left for the accuracy to gain at its start
        "min_points": 20,
    },
    message="the loss fell by {fall:.0%} while the token accuracy moved by {gained:+.2%}",
    cause="Loss and accuracy score different tokens: the mask, a loss term or a patched loss function differs.",
    fixes=(Fix("data", "compare the tokens scored by the loss with those scored by the accuracy", "both move"),),
    confidence=0.45,
    example="loss 2.0 to 1.2, mean_token_accuracy 0.55 from start to end",
    sources=("on the same tokens a loss that falls by a third moves the most likely token in some of them",),
    not_when="the first steps of a model trained from scratch",
    sets_label=False,
    methods=("sft",),
)

TOKEN_ACCURACY_FALLS = Rule(
    name="token-accuracy-falls",
    label=Label.UNSTABLE,
    check=accuracy.accuracy_falls,
    limits={
        "drop": 0.1,  # of 1, from the best part of the run to its end
        "sigma": 4.0,  # the standard errors of that drop
        "min_points": 20,
    },
    message="the token accuracy fell from {best:.0%} to {end:.0%}",
    cause="The model forgets what it knew: the steps are too large for these rows.",
    fixes=AFTER_COLLAPSE,
    confidence=0.7,
    example="mean_token_accuracy 0.72 at step 100, 0.55 at the end",
    sources=("Google tuning playbook: identify unstable workloads", "TRL documentation: mean_token_accuracy"),
    not_when="the rows become harder by design (a curriculum): then the loss rises with it on purpose",
    not_methods=("dpo",),
)

TRAIN_TOKENS_MEMORIZED = Rule(
    name="train-tokens-memorized",
    label=Label.OVERFIT,
    check=accuracy.train_tokens_memorized,
    limits={
        "accuracy": 0.97,  # in training
        "gap": 0.15,  # to the held-out accuracy
        "min_evals": 4,
        "min_points": 20,
    },
    message="{accuracy:.0%} of the training tokens are predicted right, {held_out:.0%} of the held-out ones",
    cause="The model has memorized the training rows; the held-out rows no longer gain anything from it.",
    fixes=(
        CHECKPOINT,
        half_as_many_epochs("a smaller gap at the same held-out accuracy"),
        halve_rate("a slower fit of the rows", weight=0.7),
        Fix("data", "add rows, or deduplicate them", "a higher held-out accuracy", weight=0.5),
    ),
    confidence=0.7,
    example="mean_token_accuracy 0.99 in training and 0.68 on held-out rows, the latter flat since epoch 1",
    sources=("Whitaker, fast.ai 2023: repeats are memorized", "Google tuning playbook: problematic overfitting"),
    not_when="a task metric still improves",
    not_methods=("dpo",),
)
