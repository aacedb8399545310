"""What TRL's token accuracy, entropy and token count say: rows known, collapsed, or learned by heart."""

from __future__ import annotations

from diagnostics.detectors import accuracy, entropy, tokens
from diagnostics.model.records import Label
from diagnostics.rules.overfit import CHECKPOINT
from diagnostics.rules.rule import Case, Fix, Rule

CALIBRATION = "a calibrated model's cross-entropy is its own entropy"


def _short_warmup(case: Case) -> bool:
    """Less than a tenth of the run is warm-up."""
    return (case.settings.warmup_ratio or 0.0) < 0.1


def _several_epochs(case: Case) -> bool:
    """More than one pass over the rows, or unknown."""
    return case.settings.num_train_epochs is None or case.settings.num_train_epochs > 1.0


COOLER = (
    Fix("learning_rate", "cut the learning rate to a third", "an entropy that follows the loss", times=0.3),
    Fix(
        "warmup_ratio",
        "warm up over 10 % of the steps",
        "a calmer start",
        to=0.1,
        when=_short_warmup,
        condition="where it is shorter",
        weight=0.6,
    ),
)

TOLD = (
    Rule(
        name="rows-known-from-the-start",
        label=Label.BROKEN,
        check=accuracy.known_from_the_start,
        limits={"accuracy": 0.98, "loss": 0.03, "points": 5},
        message="the first losses are {loss:.2g} already: nearly every token is predicted before anything is learned",
        cause="The rows hold nothing to learn: the answer stands in the prompt, padding is scored, or they are known.",
        fixes=(
            Fix(
                "data",
                "decode one row with its labels: only the answer may be scored, without padding, and it must not "
                "stand in the prompt; check whether the base model was trained on these rows",
                "a first loss of about 1 to 3 on ordinary text",
            ),
        ),
        confidence=0.7,
        example="mean_token_accuracy 0.99 at step 1, loss 0.02",
        sources=("trainspotter: a loss floor in the first tenth of the run", "TRL documentation, SFT trainer"),
        not_when="a run that was resumed, or trained on these rows before",
        sets_label=False,
        methods=("sft",),
    ),
    Rule(
        name="accuracy-contradicts-loss",
        label=Label.BROKEN,
        check=accuracy.accuracy_stands_still,
        limits={"fall": 0.3, "rise": 0.005, "room": 0.1, "points": 20},
        message="the loss fell by {fall:.0%} while the token accuracy moved by {gained:+.2%}",
        cause="Loss and accuracy score different tokens: the mask, a loss term or a patched loss function differs.",
        fixes=(Fix("data", "compare the tokens that are scored by the loss with those of the accuracy", "both move"),),
        confidence=0.45,
        example="loss 2.0 to 1.2, mean_token_accuracy 0.55 from start to end",
        sources=("on the same tokens a loss that falls by a third moves the most likely token in some of them",),
        not_when="the first steps of a model that is trained from nothing",
        sets_label=False,
        methods=("sft",),
    ),
    Rule(
        name="batches-change-size",
        label=Label.BROKEN,
        check=tokens.batches_change,
        limits={"factor": 1.5, "apart": 4.0, "points": 8},
        message="from step {step:g} on a step holds {after:.0f} tokens instead of {before:.0f}",
        cause="Packing, the batch or the mix of rows changed: losses before and after are means of different things.",
        fixes=(
            Fix(
                "data", "keep packing, batch and data the same within a run, or judge the two parts alone", "one level"
            ),
        ),
        confidence=0.7,
        example="num_tokens grows by 2,000 a step until step 400, then by 8,000",
        sources=("packing and group_by_length change what a logged mean is taken over (qlora#84)",),
        sets_label=False,
    ),
)

COLLAPSED_ENTROPY = (
    Rule(
        name="entropy-collapses",
        label=Label.UNSTABLE,
        check=entropy.entropy_collapses,
        limits={"drop": 0.5, "over_loss": 0.5, "points": 12},
        message=(
            "the entropy of the predictions fell by {drop:.0%}, from {start:.2g} to {end:.2g}, and not with the loss"
        ),
        cause="The model is sure of a few tokens whatever the prompt: the learning rate is far too high.",
        fixes=COOLER,
        confidence=0.75,
        example="entropy 1.8 to 0.2 while the loss goes from 1.6 to 1.5",
        sources=("SimPO README: too high a rate gives repetitive output", CALIBRATION),
        not_when="the loss falls with it: then the rows are that predictable",
    ),
    Rule(
        name="token-accuracy-falls",
        label=Label.UNSTABLE,
        check=accuracy.accuracy_falls,
        limits={"drop": 0.1, "noises": 4.0, "points": 20},
        message="the token accuracy fell from {best:.0%} to {end:.0%}",
        cause="The model forgets what it knew: steps are too large for these rows.",
        fixes=COOLER,
        confidence=0.7,
        example="mean_token_accuracy 0.72 at step 100, 0.55 at the end",
        sources=("Google tuning playbook: identify unstable workloads", "TRL documentation: mean_token_accuracy"),
        not_when="the rows become harder by design (a curriculum): the loss rises with it then, on purpose",
        not_methods=("dpo",),
    ),
)

BY_HEART = (
    Rule(
        name="train-tokens-memorized",
        label=Label.OVERFIT,
        check=accuracy.learned_by_heart,
        limits={"accuracy": 0.97, "gap": 0.15, "evals": 4, "points": 20},
        message="{accuracy:.0%} of the training tokens are predicted right, {held_out:.0%} of the held-out ones",
        cause="The training rows are learned by heart; the held-out rows gain nothing from it any more.",
        fixes=(
            CHECKPOINT,
            Fix(
                "num_train_epochs",
                "train half as many epochs",
                "a smaller gap at the same held-out accuracy",
                times=0.5,
                at_least=1.0,
                when=_several_epochs,
                condition="with more than one epoch",
                weight=0.9,
            ),
            Fix("learning_rate", "halve the learning rate", "a slower fit of the rows", times=0.5, weight=0.7),
            Fix("data", "add rows, or deduplicate them", "a higher held-out accuracy", weight=0.5),
        ),
        confidence=0.7,
        example="mean_token_accuracy 0.99 in training and 0.68 on held-out rows, the latter flat since epoch 1",
        sources=("Whitaker, fast.ai 2023: repeats are memorized", "Google tuning playbook: problematic overfitting"),
        not_when="a task metric still improves",
        not_methods=("dpo",),
    ),
    Rule(
        name="overconfident",
        label=Label.OVERFIT,
        check=entropy.overconfident,
        limits={"share": 0.6, "fell": 0.4, "evals": 4},
        message="on held-out rows the entropy is only {ratio:.0%} of the loss (it was {highest:.0%})",
        cause="The model has become surer than it is right: it trusts what it remembers of the training rows.",
        fixes=(
            Fix(
                "num_train_epochs",
                "train half as many epochs",
                "an entropy near the held-out loss",
                times=0.5,
                at_least=1.0,
                when=_several_epochs,
                condition="with more than one epoch",
                weight=0.9,
            ),
            Fix("lora_dropout", "set lora_dropout to 0.05", "a better calibrated model", to=0.05, weight=0.6),
        ),
        confidence=0.5,
        example="eval_entropy 1.3 to 0.5 while eval_loss stays at 1.4",
        sources=(CALIBRATION,),
        not_when="only the most likely token is ever used",
        sets_label=False,
        not_methods=("dpo",),
    ),
)
