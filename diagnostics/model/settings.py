"""The settings a run was trained with, by TRL's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Settings:
    """The knobs a run was made with, by TRL's names; ``None`` where the log does not say.

    ``batch_size`` is the effective one: per device x devices x accumulation. ``warmup_ratio`` is a share of all steps.
    ``num_labels`` are the classes that a classifier tells apart.
    ``adapter_kind`` is None for plain LoRA; see ``diagnostics.model.adapters``. ``written_by`` is no setting but the
    trainer whose form the log has; see ``diagnostics.model.optimizers``.
    """

    method: str | None = None
    use_peft: bool | None = None
    adapter_kind: str | None = None
    load_in_4bit: bool | None = None
    learning_rate: float | None = None
    batch_size: int | None = None
    per_device_train_batch_size: int | None = None
    gradient_accumulation_steps: int | None = None
    warmup_ratio: float | None = None
    lr_scheduler_type: str | None = None
    num_train_epochs: float | None = None
    max_steps: int | None = None
    logging_steps: float | None = None
    eval_steps: float | None = None
    weight_decay: float | None = None
    max_grad_norm: float | None = None
    optim: str | None = None
    adam_beta2: float | None = None
    lora_r: int | None = None
    lora_alpha: float | None = None
    lora_dropout: float | None = None
    neftune_noise_alpha: float | None = None
    packing: bool | None = None
    beta: float | None = None
    loss_type: str | None = None
    label_smoothing: float | None = None
    ld_alpha: float | None = None
    num_generations: int | None = None
    temperature: float | None = None
    max_completion_length: int | None = None
    scale_rewards: str | None = None
    epsilon_high: float | None = None
    num_iterations: int | None = None
    importance_sampling_level: str | None = None
    simpo_gamma: float | None = None
    cpo_alpha: float | None = None
    center_rewards_coefficient: float | None = None
    lmbda: float | None = None
    fp16: bool | None = None
    bf16: bool | None = None
    seed: int | None = None
    model_name_or_path: str | None = None
    model_type: str | None = None
    hidden_size: int | None = None
    trainable_parameters: int | None = None
    vocab_size: int | None = None
    num_labels: int | None = None
    logging_nan_inf_filter: bool | None = None
    transformers_version: str | None = None
    written_by: str | None = None

    @property
    def has_adapter(self) -> bool:
        """Whether the log says that an adapter was trained."""
        return self.use_peft if self.use_peft is not None else self.lora_r is not None

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any]) -> Settings:
        """Settings of a mapping that uses these names; unknown keys and values that do not fit are left out."""
        known = {f.name: str(f.type) for f in fields(cls)}
        return cls(**{key: _coerced(value, known[key]) for key, value in raw.items() if key in known})

    def known(self) -> dict[str, Any]:
        """The settings that the log gave, as a plain mapping."""
        return {key: value for key, value in asdict(self).items() if value is not None and key != "written_by"}

    def merged(self, other: Settings) -> Settings:
        """These settings with the gaps filled from ``other``."""
        return replace(self, **{k: v for k, v in other.known().items() if getattr(self, k) is None})


def _coerced(value: Any, kind: str) -> Any:
    """The value as the field's type, or None when it does not fit (logs hold ``"1e-5"`` and ``"None"``)."""
    if value is None or isinstance(value, (list, dict, tuple)):
        value = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else None
    if value is None:
        return None
    if kind.startswith("str"):
        return str(value)
    if kind.startswith("bool"):
        return {"true": True, "false": False, "1": True, "0": False}.get(str(value).lower())
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not np.isfinite(number):
        return None
    return int(number) if kind.startswith("int") else number
