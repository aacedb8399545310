"""LLaMA-Factory: transformers' Trainer with a log of its own (``LogCallback`` in ``train/callbacks.py``, ff6d4d1)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.dialects.hf import history, state, write_adapter_config
from benchmarks.dialects.measured import Layout, Measured


def write(run: Measured, layout: Layout, folder: Path) -> Path:
    """``trainer_log.jsonl``, ``trainer_state.json`` and the model card with the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(_row(row, run)) for row in history(run, layout)]
    (folder / "trainer_log.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if layout.settings:
        (folder / "trainer_state.json").write_text(json.dumps(state(run, layout), indent=2), encoding="utf-8")
        (folder / "README.md").write_text(_card(run), encoding="utf-8")
        if "lora_r" in run.settings:
            write_adapter_config(run, folder)
    return folder


def _row(row: dict[str, Any], run: Measured) -> dict[str, Any]:
    step = int(row["step"])
    full = {
        "current_steps": step,
        "total_steps": run.steps,
        "loss": row.get("loss"),
        "eval_loss": row.get("eval_loss"),
        "lr": row.get("learning_rate"),
        "epoch": row["epoch"],
        "percentage": round(100 * step / run.steps, 2),
        "elapsed_time": str(timedelta(seconds=int(0.6 * step))),
        "remaining_time": str(timedelta(seconds=int(0.6 * (run.steps - step)))),
    }
    return {key: value for key, value in full.items() if value is not None}


def _card(run: Measured) -> str:
    """The model card that Trainer writes: the base in its front matter, the settings as a list."""
    known = run.settings
    listed = {
        "learning_rate": known["learning_rate"],
        "train_batch_size": known["batch_size"],
        "eval_batch_size": 8,
        "seed": known.get("seed", 42),
        "lr_scheduler_type": known.get("lr_scheduler_type", "linear"),
        "lr_scheduler_warmup_ratio": known.get("warmup_ratio", 0.0),
        "num_epochs": round(run.steps / run.steps_per_epoch, 2),
    }
    lines = "\n".join(f"- {key}: {value}" for key, value in listed.items())
    front = "library_name: peft\nbase_model: base\ntags:\n- llama-factory\n- lora\n- generated_from_trainer\n"
    return f"---\n{front}---\n\n# {known.get('name', 'run')}\n\n### Training hyperparameters\n\n{lines}\n"
