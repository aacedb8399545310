"""Optimizers, as far as a learning rate means the same with all of them: with Adam it is what a weight moves by a step.

Adam divides each step by the size of the gradients, so that no weight moves by much more than the rate (Kingma and Ba,
1412.6980, section 2.1), whatever the loss and the model. Weights of a network are of the order of 0.01 to 1. With SGD,
a rate has the unit of the loss and says nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.model.settings import Settings

ADAM_BY_DEFAULT: Mapping[str, str] = {
    "transformers": "TrainingArguments.optim is adamw_torch_fused, before version 5 adamw_torch; its scripts "
    "without Trainer, and open-instruct's after them, use torch.optim.AdamW",
    "LLaMA-Factory": "Seq2SeqTrainingArguments are those of transformers",
    "ms-swift": "its arguments are those of transformers",
    "torchtune": "its recipes name torch.optim.AdamW or bitsandbytes' PagedAdamW",
    "mlx-lm": "CONFIG_DEFAULTS of mlx_lm/lora.py: optimizer adam",
    "verl": "sft_trainer: AdamW of torch",
    "Automodel": "its recipes name torch.optim.Adam or AdamW",
}
"""Trainers that use Adam where nobody asks for another optimizer, and where that stands."""
RATE_FREE = ("dadapt", "d_adapt", "prodigy")
"""Relatives of Adam that find their own step: their rate is a factor, usually 1."""


def is_adam(settings: Settings) -> bool:
    """Whether the run took Adam's steps: by the optimizer that the log names, else by its trainer's usual one.

    False where neither is known.
    """
    if settings.optim is None:
        return settings.written_by in ADAM_BY_DEFAULT
    name = settings.optim.lower().replace("-", "_")
    return "adam" in name and not any(other in name for other in RATE_FREE)
