"""Config files of other trainers, recognized by their keys, and what of them a study file calls otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trainer:
    """Another trainer: the keys that all of its files have, and its names for keys of a study file."""

    name: str
    marks: frozenset[str]
    keys: Mapping[str, str]


AXOLOTL = Trainer(
    "Axolotl",
    frozenset({"base_model"}),
    {
        "base_model": "model_name_or_path",
        "datasets": "dataset_name",
        "rl": "method",
        "sequence_len": "max_length",
        "micro_batch_size": "per_device_train_batch_size",
        "num_epochs": "num_train_epochs",
        "lr_scheduler": "lr_scheduler_type",
        "adapter": "use_peft",
    },
)
LLAMA_FACTORY = Trainer(
    "LLaMA-Factory",
    frozenset({"stage", "model_name_or_path"}),
    {
        "stage": "method",
        "dataset": "dataset_name",
        "cutoff_len": "max_length",
        "lora_rank": "lora_r",
        "lora_target": "lora_target_modules",
        "finetuning_type": "use_peft",
    },
)
TRAINERS = (AXOLOTL, LLAMA_FACTORY)


def foreign_file(config: Mapping[str, Any]) -> str | None:
    """Whose file it is and how its keys are called here, in a line; None where no other trainer's is recognized."""
    trainer = next((one for one in TRAINERS if one.marks <= config.keys()), None)
    if trainer is None:
        return None
    keys = ", ".join(f"{theirs} -> {ours}" for theirs, ours in trainer.keys.items() if theirs in config)
    return f"is a config file of {trainer.name}; a study file has TRL's names ({keys}): start from `tuner init sft`"
