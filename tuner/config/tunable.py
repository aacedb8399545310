"""Which keys may be tuned."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.config.trl_schema import Key

BATCH_SIZE = Key("batch_size", int | None, None)
WARMUP_RATIO = Key("warmup_ratio", float | None, None)
PSEUDO_KEYS: Mapping[str, Key] = {key.name: key for key in (BATCH_SIZE, WARMUP_RATIO)}
"""Keys of ours beside TRL's: the effective batch size, and warm-up as a share of all steps."""

NOT_TUNED: Mapping[str, str] = {
    "per_device_train_batch_size": "tune batch_size, the effective one",
    "gradient_accumulation_steps": "tune batch_size, the effective one",
    "warmup_steps": "tune warmup_ratio",
    "seed": "seeds are repeated at the end, not tuned",
    "data_seed": "seeds are repeated at the end, not tuned",
    **dict.fromkeys(("env", "method", "study", "output_dir", "run_name"), "it is not a setting of the training"),
}
NOT_TUNED_PREFIXES = (
    *("dataset", "model_name", "model_revision", "eval_", "save_", "logging_", "log_", "hub_", "push_to"),
    *("report_to", "per_device_eval", "load_best", "metric_for", "greater_is", "resume_", "do_", "trackio"),
    *("ddp_", "fsdp", "deepspeed", "dataloader", "use_cpu", "local_rank", "disable_tqdm", "streaming", "project"),
    *("test_split", "trust_remote", "use_peft", "load_in", "model_init", "debug"),
)


def why_not_tuned(name: str) -> str | None:
    """Why a key cannot be in the space, or None when it can."""
    if name in NOT_TUNED:
        return NOT_TUNED[name]
    fixed = name.startswith(NOT_TUNED_PREFIXES)
    return "it makes trials incomparable, or does not change the training" if fixed else None
