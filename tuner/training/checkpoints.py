"""The checkpoints of a run that was cut off, and which of them is complete, so that training can continue from it."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

from tuner.training.run_config import CONFIG_FILE

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
        _is_json(checkpoint / "trainer_state.json")
        and all(_is_archive(path) for path in checkpoint.glob("rng_state*.pth"))
        and all(_is_archive(checkpoint / name) for name in ("optimizer.pt", "scheduler.pt"))
        and any((checkpoint / name).exists() for name in WEIGHTS)
        and all(_is_safetensors(path) for path in checkpoint.glob("*.safetensors"))
    )


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _is_archive(path: Path) -> bool:
    # torch writes a zip, whose table of contents comes last: a cut file has none.
    return path.exists() and zipfile.is_zipfile(path)


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
    )
    for path in [folder / name for name in left] + list(folder.glob("events.out.tfevents.*")):
        path.unlink(missing_ok=True)
