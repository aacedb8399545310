"""Keras: ``CSVLogger``'s ``training.log`` and ``History.history`` as JSON, as Keras 3 writes them."""

from __future__ import annotations

import csv
import json
from itertools import zip_longest
from pathlib import Path

from benchmarks.dialects.measured import Layout, Measured, epochs


def write_log(run: Measured, layout: Layout, folder: Path) -> Path:
    """``training.log``: comma-separated, epochs from 0, columns in the order of the alphabet.

    An epoch without an evaluation leaves its column empty, as that of a run that ended before it does.
    """
    table = dict(sorted(_history(run, layout).items()))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "training.log").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *table])
        writer.writerows([i, *row] for i, row in enumerate(zip_longest(*table.values(), fillvalue="")))
    return folder


def write_history(run: Measured, layout: Layout, folder: Path) -> Path:
    """``history.json``: a list for each quantity, one value an epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "history.json").write_text(json.dumps(_history(run, layout)), encoding="utf-8")
    return folder


def _history(run: Measured, layout: Layout) -> dict[str, list[float]]:
    metric = "accuracy" if run.accuracies is not None else None
    with_rate = layout.settings and layout.rng().random() < 0.6
    found: dict[str, list[float]] = {metric: [], "loss": []} if metric else {"loss": []}
    for _, at, held in epochs(run):
        found["loss"].append(at.loss)
        if metric and at.accuracy is not None:
            found[metric].append(at.accuracy)
        if held and layout.evals:
            if metric and held.accuracy is not None:
                found.setdefault(f"val_{metric}", []).append(held.accuracy)
            found.setdefault("val_loss", []).append(held.loss)
        if with_rate:
            found.setdefault("learning_rate", []).append(at.rate)
    return found
