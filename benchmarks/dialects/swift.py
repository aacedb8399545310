"""ms-swift: transformers' Trainer with a log of its own (``add_train_message`` in ``trainers/patcher.py``, 3602360)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.dialects.events import write_events
from benchmarks.dialects.hf import history
from benchmarks.dialects.measured import Layout, Measured


def write(run: Measured, layout: Layout, folder: Path) -> Path:
    """``vN-DATE/logging.jsonl`` with ``args.json``, and the same run once more as an event file."""
    below = folder / "v0-20261121-101502"
    below.mkdir(parents=True, exist_ok=True)
    rows = history(run, layout)
    lines = [json.dumps(_row(row, run)) for row in rows]
    lines.append(
        json.dumps({"train_dataset": "12.0 tokens", "model_parameter_info": "PeftModel", "global_step": run.steps})
    )
    (below / "logging.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if layout.rng().random() < 0.5:
        write_events(_tags(rows), below / "runs")
    if layout.settings:
        (below / "args.json").write_text(json.dumps(_arguments(run), indent=2), encoding="utf-8")
    return folder


def _row(row: dict[str, Any], run: Measured) -> dict[str, Any]:
    step, named = int(row["step"]), {"eval_samples_per_second", "eval_steps_per_second", "eval_runtime"}
    kept = {
        key: round(v, 8) if isinstance(v, float) else v for key, v in row.items() if key != "step" and key not in named
    }
    return {
        **kept,
        "global_step/max_steps": f"{step}/{run.steps}",
        "elapsed_time": f"{step}s",
        "remaining_time": f"{run.steps - step}s",
        "memory(GiB)": 4.61,
        "train_speed(s/it)": 1.0,
    }


def _arguments(run: Measured) -> dict[str, Any]:
    known = run.settings
    lora = "lora_r" in known
    return {
        "model": "base",
        "train_type": "lora" if lora else "full",
        "task_type": "causal_lm",
        "learning_rate": known["learning_rate"],
        "per_device_train_batch_size": known["batch_size"],
        "gradient_accumulation_steps": 1,
        "num_train_epochs": run.steps / run.steps_per_epoch,
        "lr_scheduler_type": known.get("lr_scheduler_type", "cosine"),
        "warmup_ratio": known.get("warmup_ratio", 0.05),
        "weight_decay": known.get("weight_decay", 0.1),
        "max_grad_norm": known.get("max_grad_norm", 1.0),
        "logging_steps": 5,
        **({"lora_rank": known["lora_r"], "lora_alpha": known["lora_alpha"], "lora_dropout": 0.05} if lora else {}),
        "seed": known.get("seed", 42),
    }


def _tags(rows: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """The history as transformers' TensorBoard callback names it."""
    tags: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        for key, value in row.items():
            if key != "step":
                tag = f"eval/{key.removeprefix('eval_')}" if key.startswith("eval_") else f"train/{key}"
                tags.setdefault(tag, []).append((int(row["step"]), float(value)))
    return tags
