"""Lightning: ``CSVLogger`` and ``TensorBoardLogger``, as Lightning 2.6 writes them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.dialects.events import write_events
from benchmarks.dialects.measured import Layout, Measured, epochs, windows


def write_csv(run: Measured, layout: Layout, folder: Path) -> Path:
    """``lightning_logs/version_0/metrics.csv``: one row a call of the logger, empty where it was not called for."""
    rows = list(_rows(run, layout))
    names = sorted({name for row in rows for name in row})
    below = folder / "lightning_logs" / "version_0"
    below.mkdir(parents=True, exist_ok=True)
    with (below / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    _hparams(run, layout, below)
    return folder


def write_tensorboard(run: Measured, layout: Layout, folder: Path) -> Path:
    """``lightning_logs/version_0`` with an event file and ``hparams.yaml``."""
    below = folder / "lightning_logs" / "version_0"
    tags: dict[str, list[tuple[int, float]]] = {}
    for row in _rows(run, layout):
        for name, value in row.items():
            if name != "step":
                tags.setdefault(name, []).append((int(row["step"]), float(value)))
    write_events(tags, below)
    _hparams(run, layout, below)
    return folder


def _rows(run: Measured, layout: Layout) -> Iterator[dict[str, Any]]:
    """Rows as Lightning logs them: steps count from 0, an epoch's training loss follows its evaluation."""
    rng = layout.rng()
    name, with_rate, by_step = ("train_loss", "loss")[int(rng.integers(2))], rng.random() < 0.5, rng.random() < 0.7
    by_step = by_step or run.steps < 8 * run.steps_per_epoch  # few epochs are watched by the step
    monitored = "lr-SGD" if run.settings.get("optim") == "sgd" else "lr-AdamW"
    points = {at.step: at for at in windows(run, layout.every, mean=False)} if by_step else {}
    held = {e.step: e for e in run.evals if e.step} if layout.evals else {}
    ends = {at.step: at for _, at, _ in epochs(run)}
    for step in sorted({*points, *held, *ends}):
        common = {"epoch": int((step - 1) / run.steps_per_epoch), "step": step - 1}
        if (at := points.get(step)) is not None:
            if with_rate:
                yield {"step": step - 1, monitored: at.rate}
            yield {**common, f"{name}_step": at.loss}
        if (one := held.get(step)) is not None:
            yield {**common, "val_loss": one.loss, **({"val_acc": one.accuracy} if one.accuracy is not None else {})}
        if (end := ends.get(step)) is not None:
            yield {**common, f"{name}_epoch" if by_step else name: end.loss}


def _hparams(run: Measured, layout: Layout, folder: Path) -> None:
    known = run.settings
    lines = [f"batch_size: {known['batch_size']}", f"lr: {known['learning_rate']}", f"max_epochs: {_epochs(run)}"]
    lines += [f"{name}: {known[name]}" for name in ("weight_decay", "lora_r", "lora_alpha") if name in known]
    (folder / "hparams.yaml").write_text("\n".join(lines) + "\n" if layout.settings else "{}\n", encoding="utf-8")


def _epochs(run: Measured) -> int:
    return round(run.steps / run.steps_per_epoch)
