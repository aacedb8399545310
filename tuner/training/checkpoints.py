"""The checkpoints of a run that was cut off, and which of them is complete, so that training can continue from it."""

from __future__ import annotations

import math
import shutil
import zipfile
from dataclasses import fields
from pathlib import Path
from pickle import UnpicklingError

from tuner.config.trust import CONFIG_FILE

WEIGHTS = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoint folders of a run, in the order of their steps."""
    found = [path for path in folder.glob("checkpoint-*") if path.name.removeprefix("checkpoint-").isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("checkpoint-")))


def last_whole(folder: Path) -> Path | None:
    """The latest checkpoint that was written completely; None when there is none."""
    return next((path for path in reversed(checkpoints(folder)) if is_whole(path)), None)


def is_whole(checkpoint: Path) -> bool:
    """Whether weights, optimizer, scheduler, random state and trainer state are all there and none is cut off."""
    return (
        _is_state(checkpoint / "trainer_state.json")
        and all(_is_archive(path) for path in checkpoint.glob("rng_state*.pth"))
        and all(_is_archive(checkpoint / name) for name in ("optimizer.pt", "scheduler.pt"))
        and any((checkpoint / name).exists() for name in WEIGHTS)
        and all(_is_safetensors(path) for path in checkpoint.glob("*.safetensors"))
    )


def _is_state(path: Path) -> bool:
    """Whether it holds a state that the trainer can continue from: its own fields, of their own types."""
    from transformers import TrainerState

    try:
        state = vars(TrainerState.load_from_json(str(path)))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return False
    counts = [field.name for field in fields(TrainerState) if type(field.default) in (int, float)]
    log, callbacks, best = state["log_history"], state["stateful_callbacks"], state["best_model_checkpoint"]
    return (
        all(_is_number(state[name]) for name in counts)
        and isinstance(log, list)
        and all(isinstance(row, dict) and _is_number(row.get("step")) for row in log)
        and isinstance(callbacks, dict)
        and all(isinstance(one, (dict, list)) for one in callbacks.values())
        and isinstance(best, str | None)
        and (state["best_metric"] is None or isinstance(state["best_metric"], (int, float)))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_archive(path: Path) -> bool:
    # torch writes a zip, whose table of contents comes last: a cut file has none.
    return path.exists() and zipfile.is_zipfile(path) and _is_loadable(path)


def _is_loadable(path: Path) -> bool:
    """Whether torch loads it as plain data; it refuses objects that a pickle would have to make, which can run code."""
    import torch
    from transformers.trainer_pt_utils import safe_globals

    try:
        with safe_globals():
            torch.load(path, map_location="meta", weights_only=True)  # "meta": the tensors themselves are not read
    except (OSError, ValueError, TypeError, KeyError, EOFError, RuntimeError, UnpicklingError):
        return False
    return True


def _is_safetensors(path: Path) -> bool:
    """Whether the file is as long as its header says."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            return True
    except (OSError, SafetensorError):
        return False


def clear(folder: Path) -> None:
    """Delete the checkpoints of a run."""
    for path in checkpoints(folder):
        shutil.rmtree(path, ignore_errors=True)


def clear_run(folder: Path) -> None:
    """Delete everything that an earlier run with other settings wrote into the folder; other files stay."""
    clear(folder)
    for name in ("adapter", "model"):
        shutil.rmtree(folder / name, ignore_errors=True)
    left = (
        "trainer_state.json",
        "diagnosis.json",
        "report.md",
        "report.html",
        "samples.jsonl",
        CONFIG_FILE,
        "error.txt",
        "output.log",
    )
    for path in [folder / name for name in left] + list(folder.glob("events.out.tfevents.*")):
        path.unlink(missing_ok=True)
