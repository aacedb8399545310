"""The options of a run under our names, whichever program wrote them and however deep they lie in its config."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "method": ("method", "stage", "rl", "rlhf_type"),
    "per_device_train_batch_size": ("micro_batch_size", "per_gpu_train_batch_size", "train_micro_batch_size_per_gpu"),
    "learning_rate": ("lr",),
    "num_train_epochs": ("num_epochs", "epochs", "max_epochs"),
    "lr_scheduler_type": ("lr_scheduler", "scheduler"),
    "optim": ("optimizer",),
    "lora_r": ("lora_rank", "r"),
    "neftune_noise_alpha": ("noisy_embedding_alpha",),
    "packing": ("sample_packing",),
    "beta": ("pref_beta", "rl_beta"),
    "loss_type": ("pref_loss",),
    "label_smoothing": ("dpo_label_smoothing", "label_smoothing_factor"),
    "model_name_or_path": (
        *("base_model", "base_model_name_or_path", "model", "model_id", "model_name", "pretrained_model_name_or_path"),
        *("partial_pretrain", "_name_or_path"),
    ),
    "max_grad_norm": ("gradient_clip_val", "clip_grad_norm", "grad_clip", "clip_grad"),
    "gradient_accumulation_steps": ("grad_accumulation_steps", "accumulate_grad_batches"),
    "batch_size": ("global_batch_size", "train_global_batch_size"),
    "warmup_steps": ("num_warmup_steps", "lr_warmup_steps"),
    "warmup_ratio": ("lr_warmup_steps_ratio",),
    "num_generations": (
        "rloo_k",
        "num_generations_per_prompt",
        "n_samples_per_prompt",
        "num_samples_per_prompt_rollout",
    ),
    "max_completion_length": ("max_response_length", "max_new_tokens", "response_length", "generate_max_len"),
    "epsilon_high": ("clip_ratio_high", "ratio_clip_max", "eps_clip_high"),
    "finetuning_type": ("tuner_type", "train_type", "fine_tune_type"),
}
"""Other programs' names for our settings: LLaMA-Factory, axolotl, ms-swift, PEFT's adapter_config, Lightning."""

NESTED = (
    *("learning_rate", "weight_decay", "max_grad_norm", "lora_r", "lora_alpha", "lora_dropout", "num_train_epochs"),
    *("max_steps", "gradient_accumulation_steps", "seed", "beta", "model_name_or_path", "batch_size"),
    *("per_device_train_batch_size", "warmup_ratio", "warmup_steps"),
    *("num_generations", "max_completion_length", "epsilon_high", "temperature"),
)
"""Settings that are also looked for inside other options, as in torchtune's ``optimizer: {lr: 3e-4}``."""

ADAPTER_KEYS = {"r", "lora_alpha", "lora_dropout", "base_model_name_or_path", "peft_type", "task_type"}
"""What PEFT's config says of an adapter."""

MAX_DEPTH, MAX_NESTED = 4, 2000
MAX_STEPS = 1e15
"""Larger numbers are not settings of a training."""


def flat(options: Mapping[str, object]) -> dict[str, Any]:
    """The options without lists of one, with the text model's own part of a multimodal model's config brought up."""
    plain = {key: _single(value) for key, value in options.items()}
    if isinstance(plain.get("loss_type"), list):
        plain["loss_type"] = "+".join(map(str, plain["loss_type"]))  # TRL adds up several losses
    inner = plain.get("text_config")
    for key in ("hidden_size", "vocab_size"):
        if isinstance(inner, Mapping) and plain.get(key) is None:
            plain[key] = _single(inner.get(key))
    adapters = plain.get("peft_config")
    adapter = next(iter(adapters.values()), None) if isinstance(adapters, Mapping) and len(adapters) == 1 else adapters
    if isinstance(adapter, Mapping):  # transformers hands the model's config to W&B and TensorBoard, with the adapter's
        plain = {**{key: adapter[key] for key in ADAPTER_KEYS & adapter.keys()}, **plain}
    return _of_torchtune(plain)


def _of_torchtune(options: dict[str, Any]) -> dict[str, Any]:
    """The options, those of a torchtune recipe with the meanings that they have there."""
    model = options.get("model")
    if not isinstance(model, Mapping) or not str(model.get("_component_", "")).startswith("torchtune."):
        return options
    loss, optimizer = options.get("loss"), options.get("optimizer")
    preference = isinstance(loss, Mapping) and "DPO" in str(loss.get("_component_"))
    known = {  # not its vocabulary: torchtune draws untrained weights too large for an even guess at the start
        "per_device_train_batch_size": options.pop("batch_size", None),
        "method": "dpo" if preference else "sft",
        "use_peft": "lora_rank" in model,
        "model_name_or_path": str(model["_component_"]).rpartition(".")[2],
        "optim": optimizer.get("_component_") if isinstance(optimizer, Mapping) else None,
        "hidden_size": model.get("embed_dim"),
    }
    return {**options, **{key: value for key, value in known.items() if value is not None}}


def _single(value: object) -> Any:
    """The value, the only one of a list of one, None for a whole number that no setting has."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return None if isinstance(value, int) and abs(value) >= MAX_STEPS else value


def spelled(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options under our names; our own name wins over the others', a value over none, what lies outside first."""
    found: dict[str, Any] = dict(options)
    for name, others in SPELLINGS.items():
        for other in others:
            if absent(found.get(name)) and not absent(options.get(other)):
                found[name] = options[other]
    inner = list(_inside(options, 0)) if any(isinstance(value, Mapping) for value in options.values()) else []
    for name in NESTED if 0 < len(inner) <= MAX_NESTED else ():
        if absent(found.get(name)) or isinstance(found.get(name), Mapping):
            value = _only_value(inner, (name, *SPELLINGS.get(name, ())))
            if value is not None or name in found:
                found[name] = value
    return found


def _inside(options: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    """The plain values inside other options, by the last part of their names."""
    for key, value in options.items():
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _inside(value, depth + 1)
        elif depth and isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield str(key), value


def _only_value(inner: list[tuple[str, Any]], names: tuple[str, ...]) -> Any:
    """The value under the first of the names that occurs, None where that name has several values."""
    for name in names:
        values = {str(value): value for key, value in inner if key == name and not absent(value)}
        if values:
            return next(iter(values.values())) if len(values) == 1 else None
    return None


def absent(value: object) -> bool:
    """Whether an option holds nothing."""
    return value is None or value in ("", "None", "null")


def number(value: object) -> float | None:
    """A finite number, also from text such as ``1e-5``; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
