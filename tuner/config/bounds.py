"""The numbers that each key takes: what TRL, torch and PEFT accept, and above that what no run needs.

Known here because importing those libraries takes seconds, and some of them fail only after the model is loaded.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuner.config.search_space import shown
from tuner.config.trl_schema import Unfit, as_type

MAX_WORKERS = max(32, 4 * (os.cpu_count() or 1))
"""Processes that may train, or load or prepare data: more than four for each core only wait for each other."""
MAX_STEPS = 10**9
MAX_DEVICE_ROWS = 2**16
MAX_BATCH = 2**20
MAX_SEED = 2**32 - 10_000
"""NumPy's highest seed, with room for the seeds of the repeats."""


@dataclass(frozen=True)
class Bound:
    """The numbers from ``low`` to ``high``; ``above`` and ``below`` leave out the end itself.

    ``whole`` numbers are integers; ``counts`` are shares below 1 or whole numbers from 1 on; ``also`` are numbers that
    mean something else (-1 for no limit).
    """

    low: float
    high: float
    whole: bool = False
    above: bool = False
    below: bool = False
    counts: bool = False
    also: tuple[float, ...] = ()

    @property
    def highest(self) -> float:
        """The highest number that is allowed, to a thousandth."""
        return 0.999 * self.high if self.below else self.high

    def broken(self, value: float) -> str | None:
        """What a number must be, when ``value`` is not that; else None."""
        if value in self.also:
            return None
        or_else = "".join(f", or {shown(one)}" for one in self.also)
        if value < self.low or (self.above and value == self.low):
            return f"above {shown(self.low)}{or_else}" if self.above else f"{shown(self.low)} or more{or_else}"
        if value > self.high or not math.isfinite(value) or (self.below and value == self.high):
            return f"{'below' if self.below else 'at most'} {shown(self.high)}"
        if self.counts and value > 1 and value != int(value):
            return "a share below 1 or a whole number"
        return None


def _whole(low: float, high: float, *also: float) -> Bound:
    return Bound(low, high, whole=True, also=also)


BOUNDS: Mapping[str, Bound] = {
    "learning_rate": Bound(0.0, 1e3, above=True),
    "batch_size": _whole(1, MAX_BATCH),
    "per_device_train_batch_size": _whole(1, MAX_DEVICE_ROWS),
    "per_device_eval_batch_size": _whole(1, MAX_DEVICE_ROWS),
    "precompute_ref_batch_size": _whole(1, MAX_DEVICE_ROWS),
    "gradient_accumulation_steps": _whole(1, MAX_DEVICE_ROWS),
    "eval_accumulation_steps": _whole(1, MAX_STEPS),
    "num_train_epochs": Bound(0.0, 1e5, above=True),
    "max_steps": _whole(1, MAX_STEPS, -1),
    "warmup_ratio": Bound(0.0, 1.0),
    "warmup_steps": Bound(0.0, MAX_STEPS, counts=True),
    "logging_steps": Bound(0.0, MAX_STEPS, above=True, counts=True),
    "eval_steps": Bound(0.0, MAX_STEPS, above=True, counts=True),
    "save_steps": Bound(0.0, MAX_STEPS, above=True, counts=True),
    "eval_delay": Bound(0.0, MAX_STEPS),
    "save_total_limit": _whole(1, 10**6),
    "weight_decay": Bound(0.0, 1e3),
    "max_grad_norm": Bound(0.0, 1e12),
    "adam_beta1": Bound(0.0, 1.0, below=True),
    "adam_beta2": Bound(0.0, 1.0, below=True),
    "adam_epsilon": Bound(0.0, 1.0),
    "neftune_noise_alpha": Bound(0.0, 1e4),
    "label_smoothing": Bound(0.0, 1.0),
    "label_smoothing_factor": Bound(0.0, 1.0),
    "lora_r": _whole(1, 4096),
    "lora_alpha": _whole(1, 10**6),
    "lora_dropout": Bound(0.0, 1.0, below=True),
    "max_length": _whole(1, 10**7),
    "pad_to_multiple_of": _whole(1, 2**16),
    "beta": Bound(0.0, 1e3),
    "ld_alpha": Bound(0.0, 1.0),
    "discopop_tau": Bound(0.0, 1e3, above=True),
    "f_alpha_divergence_coef": Bound(-1e3, 1e3),
    "ref_model_mixup_alpha": Bound(0.0, 1.0),
    "ref_model_sync_steps": _whole(1, MAX_STEPS),
    "router_aux_loss_coef": Bound(0.0, 1e3),
    "test_split_size": Bound(0.0, MAX_STEPS, above=True, counts=True),
    "seed": _whole(0, MAX_SEED),
    "data_seed": _whole(0, MAX_SEED),
    "dataloader_num_workers": _whole(0, MAX_WORKERS),
    "dataset_num_proc": _whole(1, MAX_WORKERS),
    "dataloader_prefetch_factor": _whole(1, 10**4),
    "ddp_timeout": _whole(1, MAX_STEPS),
    "ddp_bucket_cap_mb": _whole(1, 10**6),
    "local_rank": _whole(0, 10**5, -1),
    "torch_empty_cache_steps": _whole(1, MAX_STEPS),
    **dict.fromkeys(("desirable_weight", "undesirable_weight"), Bound(0.0, 1e4)),
    **dict.fromkeys(("cpo_alpha", "simpo_gamma", "center_rewards_coefficient"), Bound(0.0, 1e3)),
    "alpha": Bound(-1e3, 1e3),
    "padding_value": _whole(-1_000, 10**7),
    "lmbda": Bound(0.0, 1.0),
    **dict.fromkeys(("max_completion_length", "max_new_tokens", "vllm_max_model_length"), _whole(1, 10**7)),
    "num_generations": _whole(2, 10**4),
    "num_generations_eval": _whole(1, 10**4),
    **dict.fromkeys(("generation_batch_size", "steps_per_generation"), _whole(1, MAX_BATCH)),
    "num_iterations": _whole(1, 1000),
    "temperature": Bound(0.0, 100.0, above=True),
    "top_p": Bound(0.0, 1.0, above=True),
    "top_k": _whole(0, 10**7),
    "min_p": Bound(0.0, 1.0),
    "repetition_penalty": Bound(0.0, 100.0, above=True),
    **dict.fromkeys(("epsilon", "epsilon_high", "delta"), Bound(0.0, 1e3)),
    **dict.fromkeys(("sapo_temperature_neg", "sapo_temperature_pos"), Bound(0.0, 1e3, above=True)),
    **dict.fromkeys(("vespo_k_pos", "vespo_lambda_pos", "vespo_k_neg", "vespo_lambda_neg"), Bound(0.0, 1e3)),
    "top_entropy_quantile": Bound(0.0, 1.0),
    **dict.fromkeys(("entropy_coef", "entropy_coef_min", "entropy_coef_max", "entropy_coef_delta"), Bound(-1e3, 1e3)),
    "entropy_target": Bound(0.0, 100.0),
    "max_tool_calling_iterations": _whole(1, 10**6),
    "num_completions_to_print": _whole(0, 10**6),
    "off_policy_mask_threshold": Bound(0.0, 1e6),
    **dict.fromkeys(("vllm_importance_sampling_clip_max", "vllm_importance_sampling_clip_min"), Bound(0.0, 1e6)),
    "vllm_importance_sampling_cap": Bound(0.0, 1e6),
    **dict.fromkeys(("vllm_server_port", "vllm_group_port"), _whole(1, 65_535)),
    "vllm_server_timeout": Bound(0.0, 1e6),
    "vllm_gpu_memory_utilization": Bound(0.0, 1.0, above=True),
    "vllm_tensor_parallel_size": _whole(1, 10**4),
}
"""Every key of TRL that takes one number, and the keys beside them."""

STUDY_BOUNDS: Mapping[str, Bound] = {
    "trials": _whole(1, 10**5),
    "seeds": _whole(0, 1000),
    "exact_match_rows": _whole(0, 10**5),
    "minutes": Bound(0.01, 1e6),
    "steps": _whole(1, 10**12),
    "workers": _whole(1, MAX_WORKERS),
    "gpus_per_trial": _whole(1, 1024),
    "slots_per_gpu": _whole(1, MAX_WORKERS),
    "prior": Bound(0.0, 10.0, above=True),
    "forgetting_limit": Bound(0.0, 100.0, above=True),
}
"""The numbers of the study block."""


def limit_broken(name: str, value: Any, bounds: Mapping[str, Bound] = BOUNDS) -> str | None:
    """What a number of this key must be, when ``value`` is not that; None as well for what is not a number."""
    if name not in bounds or not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return bounds[name].broken(value)


def early_fault(name: str, value: Any) -> str | None:
    """What is wrong with the raw value of a numeric key, without TRL's own table of keys; None where nothing is."""
    bound = BOUNDS.get(name)
    if bound is None or value is None or (name == "pad_to_multiple_of" and value == "auto"):
        return None
    try:
        number = as_type(value, int if bound.whole else float)
    except Unfit as error:
        return str(error)
    broken = bound.broken(number)
    return None if broken is None else f"must be {broken}, not {shown(number)}"
