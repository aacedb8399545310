"""NeMo Automodel: ``MetricsSample`` in its ``metric_logger.py``, keys as in ``recipes/llm/train_ft.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.dialects.measured import Layout, Measured, windows, write_lines


def write(run: Measured, layout: Layout, folder: Path) -> Path:
    """``training.jsonl`` and ``validation.jsonl``, one record a step."""
    folder.mkdir(parents=True, exist_ok=True)
    training = [
        {**_stamped(run, at.step), "loss": at.loss, "grad_norm": at.norm, "lr": at.rate, "mem": 4.2, "tps": 2841.2,
         "tps_per_gpu": 2841.2, "num_tokens_per_step": 520, "num_label_tokens": 240}
        for at in windows(run, 1)
    ]  # fmt: skip
    write_lines(folder / "training.jsonl", training)
    if layout.evals:
        rates = run.rates
        held = [
            {
                **_stamped(run, e.step),
                "val_loss": e.loss,
                "lr": float(rates[e.step - 1]),
                "num_label_tokens": 7680,
                "mem": 4.2,
            }
            for e in run.evals
            if e.step
        ]
        write_lines(folder / "validation.jsonl", held)
    return folder


def _stamped(run: Measured, step: int) -> dict[str, Any]:
    minute, second = divmod(step, 60)
    stamp = f"2026-11-21T10:{minute % 60:02d}:{second:02d}.250Z"
    return {"step": step, "epoch": int((step - 1) / run.steps_per_epoch), "timestamp": stamp}
