"""The trainers that are built on transformers' ``Trainer``: their rows of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.config.trainers.profile import HeldOut, Profile, WarmUp

LOG_SHARE, EVAL_SHARE = 0.0125, 0.07
"""Below 1 these are shares of the run: 80 log points, and an evaluation with a checkpoint at each fourteenth."""
CURVES: Mapping[str, Any] = {
    "logging_steps": LOG_SHARE,
    "logging_first_step": True,
    "eval_strategy": "steps",
    "eval_steps": EVAL_SHARE,
    "save_strategy": "steps",
    "save_steps": EVAL_SHARE,
    "save_total_limit": 2,
    "load_best_model_at_end": True,
    "metric_for_best_model": "eval_loss",
    "greater_is_better": False,
}
STARTS: Mapping[str, Any] = {
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "learning_rate": 5e-5,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "warmup_ratio": 0.0,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "seed": 42,
}
SHORT: Mapping[str, Any] = {
    "max_steps": 200,
    "logging_steps": 1,
    "eval_strategy": "steps",
    "eval_steps": 2,
    "save_strategy": "steps",
    "save_steps": 2,
}
"""A run for a check: an evaluation and a checkpoint after two steps; it is stopped long before its end."""
PREFERENCES = {name: name for name in ("dpo", "kto", "orpo", "cpo", "simpo", "grpo")}
QUIET = {"WANDB_MODE": "offline", "TOKENIZERS_PARALLELISM": "false"}

LLAMAFACTORY = Profile(
    name="llamafactory",
    command="llamafactory-cli train {config}",
    marks=(frozenset({"stage", "model_name_or_path"}), frozenset({"finetuning_type", "model_name_or_path"})),
    keys={
        "lora_r": "lora_rank",
        "lora_target_modules": "lora_target",
        "beta": "pref_beta",
        "loss_type": "pref_loss",
        "max_length": "cutoff_len",
    },
    starts={**STARTS, "lora_r": 8, "lora_dropout": 0.0, "beta": 0.1, "max_length": 2048},
    alpha_follows=2.0,
    # A folder of its own for every run; it continues by itself from the newest checkpoint there.
    forced={"output_dir": "{output}", "report_to": "none", "do_train": True, "plot_loss": False},
    unless_given={**CURVES, "do_eval": True},
    environment={**QUIET, "DISABLE_VERSION_CHECK": "1"},
    methods={"stage": {"sft": "sft", "dpo": "dpo", "kto": "kto", "rm": "reward"}, "pref_loss": PREFERENCES},
    held_out=HeldOut.LLAMAFACTORY,
    short=SHORT,
)
SWIFT = Profile(
    name="swift",
    command="swift sft {config}",
    preference_command="swift rlhf {config}",
    marks=tuple(frozenset({"model", "dataset", one}) for one in ("tuner_type", "train_type", "split_dataset_ratio")),
    keys={"lora_r": "lora_rank", "lora_target_modules": "target_modules", "model_name_or_path": "model"},
    starts={
        **STARTS,
        "per_device_train_batch_size": 1,
        "per_device_eval_batch_size": 1,
        "learning_rate": 1e-4,
        "weight_decay": 0.1,
        "lora_r": 8,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "data_seed": 42,
        "beta": 0.1,
    },
    forced={
        "output_dir": "{output}",
        "add_version": False,
        "report_to": ["tensorboard"],
        "create_checkpoint_symlink": False,
    },
    unless_given={**CURVES, "logging_steps": 1, "split_dataset_ratio": 0.1},  # no share of the run there
    environment=QUIET,
    resume={"resume_from_checkpoint": "{checkpoint}"},
    methods={"rlhf_type": PREFERENCES},
    held_out=HeldOut.SEEDED,
    short=SHORT,
)
TRL = Profile(
    name="trl",
    command="trl {method} --config {config}",
    starts={**STARTS, "learning_rate": 2e-5, "lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "beta": 0.1},
    warm_up=WarmUp.SHARE,
    forced={"output_dir": "{output}", "report_to": "tensorboard"},
    unless_given={**CURVES, "eval_on_start": True},
    environment={**QUIET, "TENSORBOARD_LOGGING_DIR": "{output}/runs"},
    resume={"resume_from_checkpoint": "{checkpoint}"},
    held_out=HeldOut.TRL,
    short=SHORT,
)
AXOLOTL = Profile(
    name="axolotl",
    command="axolotl train {config}",
    marks=(frozenset({"base_model", "datasets"}),),
    keys={
        "model_name_or_path": "base_model",
        "per_device_train_batch_size": "micro_batch_size",
        "per_device_eval_batch_size": "eval_batch_size",
        "num_train_epochs": "num_epochs",
        "lr_scheduler_type": "lr_scheduler",
        "optim": "optimizer",
        "beta": "rl_beta",
        "max_length": "sequence_len",
        "packing": "sample_packing",
    },
    starts={
        **STARTS,
        "per_device_train_batch_size": 1,
        "num_train_epochs": 1.0,
        "lora_dropout": 0.0,
        "beta": 0.1,
        "warmup_ratio": 0.03,
    },
    forced={"output_dir": "{output}", "use_tensorboard": True},
    unless_given={
        "logging_steps": 1,
        "evals_per_epoch": 4,
        "saves_per_epoch": 4,
        "save_total_limit": 2,
        "dataset_prepared_path": "{study}/prepared",
    },
    instead={"evals_per_epoch": ("eval_steps", "eval_strategy"), "saves_per_epoch": ("save_steps", "save_strategy")},
    environment={**QUIET, "AXOLOTL_DO_NOT_TRACK": "1", "TENSORBOARD_LOGGING_DIR": "{output}/runs"},
    stop="SIGINT",  # its handler saves and leaves; it knows no other signal
    resume={"resume_from_checkpoint": "{checkpoint}"},
    methods={"rl": PREFERENCES},
    held_out=HeldOut.AXOLOTL,
    short={**SHORT, "evals_per_epoch": None, "saves_per_epoch": None},
)
UNSLOTH = Profile(
    name="unsloth",
    command="unsloth train -c {config}",
    keys={
        "model_name_or_path": "model",
        **{
            ours: f"training.{theirs}"
            for ours, theirs in {
                "learning_rate": "learning_rate",
                "per_device_train_batch_size": "batch_size",
                "gradient_accumulation_steps": "gradient_accumulation_steps",
                "num_train_epochs": "num_epochs",
                "max_steps": "max_steps",
                "warmup_steps": "warmup_steps",
                "weight_decay": "weight_decay",
                "max_length": "max_seq_length",
                "seed": "random_seed",
                "output_dir": "output_dir",
                "save_steps": "save_steps",
            }.items()
        },
        **{name: f"lora.{name}" for name in ("lora_r", "lora_alpha", "lora_dropout", "use_dora", "use_rslora")},
        "lora_target_modules": "lora.target_modules",
    },
    starts={
        **STARTS,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "learning_rate": 2e-4,
        "warmup_steps": 5,
        "weight_decay": 0.01,
        "lora_r": 64,
        "lora_alpha": 16,
        "lora_dropout": 0.0,
        "seed": 3407,
    },
    forced={
        "training.output_dir": "{output}",
        "logging.enable_tensorboard": True,
        "logging.tensorboard_dir": "{output}/runs",
    },
    environment=QUIET,
    warm_up=WarmUp.COUNT,
    held_out=HeldOut.NONE,
    short={"training.max_steps": 200, "training.save_steps": 2},
)
