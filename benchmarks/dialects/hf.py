"""transformers' Trainer: ``trainer_state.json``, and its history, which LLaMA-Factory and ms-swift also log."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.dialects.measured import Layout, Measured, windows


def history(run: Measured, layout: Layout) -> list[dict[str, Any]]:
    """``log_history``: log points and evaluations in the order of their steps, and the summary at the end."""
    rows = [*_logged(run, layout), *(_evaluated(run) if layout.evals else ())]
    rows.sort(key=lambda row: (row["step"], "eval_loss" in row))
    seconds = 0.07 * run.steps
    return [*rows, _summary(run, seconds)]


def state(run: Measured, layout: Layout) -> dict[str, Any]:
    """The whole ``trainer_state.json``."""
    return {
        "best_global_step": None,
        "best_metric": None,
        "best_model_checkpoint": None,
        "epoch": run.steps / run.steps_per_epoch,
        "eval_steps": next((e.step for e in run.evals if e.step), 500),
        "global_step": run.steps,
        "is_hyper_param_search": False,
        "is_local_process_zero": True,
        "is_world_process_zero": True,
        "log_history": history(run, layout),
        "logging_steps": layout.every,
        "max_steps": run.steps,
        "num_input_tokens_seen": 0,
        "num_train_epochs": math.ceil(run.steps / run.steps_per_epoch),
        "save_steps": 500,
        "stateful_callbacks": {},
        "total_flos": 0.0,
        "train_batch_size": run.settings.get("per_device_train_batch_size", run.settings.get("batch_size", 8)),
        "trial_name": None,
        "trial_params": None,
    }


def write_state(run: Measured, layout: Layout, folder: Path) -> Path:
    """An output folder with its state, and the adapter's config where an adapter was trained."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainer_state.json").write_text(json.dumps(state(run, layout), indent=2) + "\n", encoding="utf-8")
    if layout.settings and "lora_r" in run.settings:
        write_adapter_config(run, folder)
    return folder


def write_adapter_config(run: Measured, folder: Path) -> None:
    """What PEFT leaves beside an adapter."""
    known = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": run.settings.get("model_name_or_path", "base"),
        "r": run.settings["lora_r"],
        "lora_alpha": run.settings["lora_alpha"],
        "lora_dropout": run.settings.get("lora_dropout", 0.0),
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(known, indent=2), encoding="utf-8")


def _logged(run: Measured, layout: Layout) -> Iterator[dict[str, Any]]:
    for at in windows(run, layout.every, filtered=True):
        yield {
            "epoch": at.epoch,
            "grad_norm": at.norm,
            "learning_rate": at.rate,
            "loss": round(at.loss, 4),
            "step": at.step,
        }


def _evaluated(run: Measured) -> Iterator[dict[str, Any]]:
    for at in run.evals:
        if at.step:
            yield {
                "epoch": at.step / run.steps_per_epoch,
                "eval_loss": at.loss,
                "eval_runtime": 0.31,
                "eval_samples_per_second": 103.2,
                "eval_steps_per_second": 12.9,
                "step": at.step,
                **({"eval_accuracy": at.accuracy} if at.accuracy is not None else {}),
            }


def _summary(run: Measured, seconds: float) -> dict[str, Any]:
    rows = run.steps * float(run.settings.get("batch_size", 8))
    return {
        "epoch": run.steps / run.steps_per_epoch,
        "step": run.steps,
        "total_flos": 1e12,
        "train_loss": float(run.losses.mean()),
        "train_runtime": seconds,
        "train_samples_per_second": rows / seconds,
        "train_steps_per_second": run.steps / seconds,
    }
