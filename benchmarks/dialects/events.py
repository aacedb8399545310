"""TensorBoard event files, written by TensorBoard's own writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def write_events(tags: Mapping[str, Iterable[tuple[int, float]]], folder: Path) -> Path:
    """An event file with these scalars, in the order of their steps."""
    from torch.utils.tensorboard import SummaryWriter

    points = sorted((step, tag, value) for tag, pairs in tags.items() for step, value in pairs)
    with SummaryWriter(str(folder)) as writer:
        for step, tag, value in points:
            writer.add_scalar(tag, value, step)
    return folder
