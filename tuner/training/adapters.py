"""The adapter of a run: the LoRA of TRL's own keys, or any of PEFT's from the ``peft`` block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

from tuner.config.peft_block import KIND, LORA, LORA_PLUS, config_class, kind_of


def adapter_of(model: Any, block: Mapping[str, Any] | None) -> Any:
    """PEFT's config of the adapter, from TRL's model arguments and the block; None for full fine-tuning."""
    from trl import get_peft_config

    if not block:
        return get_peft_config(model)
    keys = {name: value for name, value in block.items() if name not in (KIND, *LORA_PLUS)}
    if kind_of(block) != LORA:
        return config_class(kind_of(block))(**{"task_type": model.lora_task_type, **keys})
    trls = get_peft_config(model).to_dict()
    kept = {name: trls[name] for name in TAKEN_FROM_TRL if trls.get(name) is not None}
    return config_class(LORA)(**{**kept, **keys})


TAKEN_FROM_TRL = (
    *("task_type", "r", "target_modules", "lora_alpha", "lora_dropout", "bias", "use_rslora", "use_dora"),
    *("modules_to_save", "target_parameters"),
)


def lora_plus_of(block: Mapping[str, Any] | None) -> dict[str, float]:
    """The keys of LoRA+; empty without it."""
    return {name: float(value) for name, value in (block or {}).items() if name in LORA_PLUS}


def lora_plus_optimizer(trainer: Any, keys: Mapping[str, float]) -> Any:
    """PEFT's optimizer of LoRA+, of the class that the file names and with its weight decay."""
    from peft.optimizers import create_loraplus_optimizer

    optimizer, options = type(trainer).get_optimizer_cls_and_kwargs(trainer.args, trainer.model)
    rate = options.pop("lr", trainer.args.learning_rate)
    given = {"loraplus_weight_decay": trainer.args.weight_decay, **keys}
    return create_loraplus_optimizer(trainer.model, optimizer, lr=rate, **given, **options)


class AdaLoraCallback(TrainerCallback):  # type: ignore[misc]
    """Moves AdaLoRA's ranks between the layers, while the gradients of the step are still there."""

    def on_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Called after the optimizer's step and before the gradients are cleared."""
        allocate = getattr(getattr(model, "base_model", None), "update_and_allocate", None)
        if allocate is not None:
            allocate(state.global_step + 1)
