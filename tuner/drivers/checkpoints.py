"""The checkpoints of another trainer: which is the newest that is complete."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tuner.config.bounded_read import read_json
from tuner.drivers.live_files import paths_below

STATE = "trainer_state.json"
INCOMPLETE = "checkpoint-is-incomplete.txt"
"""What transformers leaves in a checkpoint while it writes it after SIGTERM."""


def checkpoints(output: Path, pattern: str) -> list[Path]:
    """The checkpoint folders below a trainer's output, in the order of their numbers."""
    found = [path for path in paths_below(output, pattern) if path.is_dir()] if pattern else []
    return sorted(found, key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)])


def newest_whole(output: Path, pattern: str, state: str = "") -> Path | None:
    """The latest checkpoint that was written completely; None when there is none.

    ``state`` is what must lie below the output as well, where a trainer keeps the state of its optimizer there.
    """
    if state and not (output / state).is_file():
        return None
    return next((path for path in reversed(checkpoints(output, pattern)) if is_whole(path)), None)


def is_whole(checkpoint: Path) -> bool:
    """Whether nothing is missing: transformers writes its state last; of others an empty folder is known as cut."""
    if (checkpoint / INCOMPLETE).exists():
        return False
    try:
        if not checkpoint.name.startswith("checkpoint-"):
            return any(checkpoint.iterdir())
        return isinstance(read_json(checkpoint / STATE), dict)
    except (OSError, ValueError):
        return False


def drop_cut(output: Path, pattern: str) -> None:
    """Delete checkpoints that were cut while they were written: a trainer that looks for itself would take them."""
    for path in checkpoints(output, pattern):
        if not is_whole(path):
            shutil.rmtree(path, ignore_errors=True)


WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".distcp")


def drop_output(folder: Path) -> None:
    """Delete the weights that a driven run wrote, optimizers included; its logs and other small files stay."""
    for path in (folder / "output").rglob("*"):
        if path.suffix in WEIGHTS and path.is_file():
            path.unlink(missing_ok=True)
