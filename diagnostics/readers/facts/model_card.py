"""A model card, ``README.md``: its front matter, and the list of settings that transformers writes into it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from diagnostics.model.methods import METHODS

NAME = "README.md"
MAX_FRONT_MATTER = 20_000
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
LISTED = re.compile(r"^- ([a-z_]{1,40}): (\S+)", re.MULTILINE)
TRAINED_WITH = re.compile(r"^This model was trained with ([A-Za-z]{2,10})\b", re.MULTILINE)
GENERATED = "generated_from_trainer"
SPELLED: Mapping[str, str] = {
    "learning_rate": "learning_rate",
    "train_batch_size": "per_device_train_batch_size",
    "total_train_batch_size": "batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "num_devices": "num_devices",
    "lr_scheduler_type": "lr_scheduler_type",
    "lr_scheduler_warmup_ratio": "warmup_ratio",
    "lr_scheduler_warmup_steps": "warmup_steps",
    "num_epochs": "num_train_epochs",
    "training_steps": "max_steps",
    "seed": "seed",
}
"""The names in transformers' list, and ours."""

OF_TAGS: Mapping[str, str] = {
    **{name: method.name for method in METHODS.values() for name in (method.name, *method.aliases)},
    "reward-trainer": "rm",
}


def front_matter(card: str) -> str:
    """The YAML text at the top of a card, empty when it has none."""
    found = FRONT_MATTER.match(card[:MAX_FRONT_MATTER])
    return found.group(1) if found else ""


def options_in(data: Mapping[str, object], card: str) -> dict[str, object]:
    """What a card says: the base model, whether an adapter was trained, the method, and the settings listed in it."""
    raw = data.get("tags")
    tags = {str(tag).lower() for tag in raw} if isinstance(raw, list) else set()
    base = data.get("base_model")
    found: dict[str, object] = {
        "model_name_or_path": base[0] if isinstance(base, list) and len(base) == 1 else base,
        "use_peft": True if data.get("library_name") == "peft" or "lora" in tags else False if "full" in tags else None,
        "method": next((method for tag, method in OF_TAGS.items() if tag in tags), None),
    }
    if found["method"] is None and (trained := TRAINED_WITH.search(card)):
        found["method"] = OF_TAGS.get(trained.group(1).lower())
    if GENERATED in tags:
        found |= _listed(card)
    return {key: value for key, value in found.items() if value is not None and not isinstance(value, (list, dict))}


def _listed(card: str) -> dict[str, object]:
    """The settings in transformers' list, which leaves out one device and one step of accumulation."""
    found: dict[str, object] = {SPELLED[name]: value for name, value in LISTED.findall(card) if name in SPELLED}
    return (
        {"gradient_accumulation_steps": 1, "num_devices": 1, **found}
        if "per_device_train_batch_size" in found
        else found
    )
