"""What a run forgets of general text: far, or for nothing."""

from __future__ import annotations

from diagnostics.detectors import forgetting
from diagnostics.model.records import Label
from diagnostics.rules.remedies import half_as_many_epochs, halve_rate
from diagnostics.rules.rule import Fix, Rule

LESS = "less of the general text is forgotten"
MORE_GENERAL_ROWS = Fix(
    "data", "mix general rows into the training data, about one in twenty", LESS + " at the same rate", weight=0.8
)
PEFT_RUNS = (
    "63 runs of huggingface/peft's method_comparison: a median of 0.05 nats for LoRA-like runs that learned well, 0.1 "
    "to 0.2 where more was learned, above 0.2 where an adapter's rate or start was wrong"
)
FORGETTING_COSTS = (
    "Biderman et al., 2405.09673: LoRA and full fine-tuning lie on one curve of learning and forgetting",
    "2508.01908 and 2403.08763: a few percent of replayed data remove most of the forgetting",
)

FORGETS_FOR_NOTHING = Rule(
    name="forgets-for-nothing",
    label=Label.OVERFIT,
    check=forgetting.forgets_for_nothing,
    limits={
        "rise": 0.1,  # of the loss on general text, in nats a token
        "late_share": 0.5,  # the last part of it, which bought nothing: from 0.05 nats on, what a good run rises in all
        "gain": 0.01,  # of the best until then, by which the target must get better to be worth it
        "min_evals": 5,
    },
    message=(
        "the loss on general text rose by {rise:.2g} to {end:.3g}, and since step {step:.0f} that bought nothing on "
        "the held-out rows"
    ),
    cause="The run went on changing the model after it had learned its rows: what it knew before pays for nothing.",
    fixes=(
        Fix(
            "checkpoint",
            "use the checkpoint that was best on the held-out rows",
            "as good a model, which forgot less",
        ),
        half_as_many_epochs(LESS + ", at no loss"),
        halve_rate(LESS, weight=0.8),
        MORE_GENERAL_ROWS,
    ),
    confidence=0.7,
    example="general text 2.40 to 2.62 while the held-out loss stays at 1.10 from the middle of the run on",
    sources=(PEFT_RUNS, *FORGETTING_COSTS),
    not_when="the general text is of the kind that the run is meant to unlearn",
)

GENERAL_TEXT_FORGOTTEN = Rule(
    name="general-text-forgotten",
    label=Label.OVERFIT,
    check=forgetting.general_text_forgotten,
    limits={
        "rise": 0.2,  # of the loss on general text, in nats a token
        "min_evals": 3,
    },
    message="the loss on general text rose by {rise:.2g} nats a token, from {start:.3g} to {end:.3g}",
    cause="The updates reach far beyond the task: the rate, the rank or the number of passes is higher than it needs.",
    fixes=(
        halve_rate(LESS + ", for more steps to the same loss"),
        half_as_many_epochs(LESS),
        MORE_GENERAL_ROWS,
        Fix(
            "lora_r",
            "use {factor:times} the rank",
            LESS,
            times=0.5,
            at_least=4.0,
            when=lambda case: (case.settings.lora_r or 0) > 4,
            condition="with a rank above 4",
            weight=0.6,
        ),
    ),
    confidence=0.6,
    example="general text 2.40 to 2.75 while the held-out loss falls to 0.3",
    sources=(PEFT_RUNS, *FORGETTING_COSTS),
    not_when="the model serves this task alone",
    sets_label=False,
)
