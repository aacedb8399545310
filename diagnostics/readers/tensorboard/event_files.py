"""TensorBoard event files: one or several of a run, joined."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from diagnostics.model.message import Message, message
from diagnostics.readers.assemble.negative_steps import without_negatives
from diagnostics.readers.assemble.restarts import continued, started_again
from diagnostics.readers.files import content, content_without_zero_tail
from diagnostics.readers.raw_log import Log, Series
from diagnostics.readers.tensorboard.hparams import hparams
from diagnostics.readers.tensorboard.scalars import Block, scalars
from diagnostics.readers.tensorboard.tfrecord import HEAD, frames

TEXT = "/text_summary"
MODEL_KEYS = {"model_type", "hidden_size", "vocab_size", "text_config", "quantization_config", "_name_or_path"}
"""Keys taken from the model's config; its other keys share names with settings of the training."""


def reads(path: Path) -> bool:
    """Whether the file is an event file, by its name or by a first record whose length checks out."""
    if not os.path.isfile(path):
        return False
    if ".tfevents." in path.name:
        return True
    head = content(path, HEAD)
    return len(head) == HEAD and frames(head).lost == 0


def read_log(path: Path) -> Log:
    """The log of one event file. Raises ``UnreadableLog`` when it may not be opened."""
    return join([path])


def join(paths: Sequence[Path], prefixes: Mapping[Path, str] | None = None) -> Log:
    """The log of a run's event files in the order given, tags of a file prefixed where ``prefixes`` says so.

    Raises ``UnreadableLog`` when one of them may not be opened.
    """
    notes: list[Message] = [message("event-files-joined", files=len(paths))] if len(paths) > 1 else []
    options: dict[str, object] = {}
    groups: dict[str, dict[str, Series]] = {}
    discontinuities: list[float] = []
    for path in paths:
        prefix = (prefixes or {}).get(path, "")
        series, texts = _one(path, prefix, notes)
        again = started_again(groups.get(prefix, {}), series)
        discontinuities += [again] if again is not None else []
        groups[prefix] = continued(groups.get(prefix, {}), series, path.name, notes)
        options.update(_options(texts))
    found = {tag: points for group in groups.values() for tag, points in group.items()}
    return Log(found, options, tuple(notes), discontinuities=tuple(discontinuities))


def _one(path: Path, prefix: str, notes: list[Message]) -> tuple[dict[str, Series], Mapping[str, bytes]]:
    """The series and texts of one file, with notes on what is missing from it."""
    found = scalars(content_without_zero_tail(path))
    if found.damaged:
        notes.append(message("records-damaged", file=path.name, places=found.damaged))
    if found.cut:
        notes.append(message("last-record-cut", file=path.name))
    series = {prefix + tag: _series(blocks) for tag, blocks in found.blocks.items()}
    counted = {tag: _counted_up(points) for tag, points in series.items()}
    if changed := sum(counted[tag] is not points for tag, points in series.items()):
        notes.append(message("tags-negative", tags=changed))
    return {tag: points for tag, points in counted.items() if points.steps.size}, found.texts


def _counted_up(points: Series) -> Series:
    """The points without steps below 0; counted up where they were counted down."""
    steps = without_negatives(points.steps)
    if steps is points.steps:
        return points
    keep = ~np.isnan(steps)
    return Series(steps[keep], points.values[keep], None if points.times is None else points.times[keep])


def _series(blocks: Sequence[Block]) -> Series:
    """The points of one tag in file order."""
    if len(blocks) == 1:
        return Series(blocks[0].steps, blocks[0].values, blocks[0].times)
    order = np.argsort(np.concatenate([block.places for block in blocks]), kind="stable")
    steps = np.concatenate([block.steps for block in blocks])[order]
    values = np.concatenate([block.values for block in blocks])[order]
    return Series(steps, values, np.concatenate([block.times for block in blocks])[order])


def _options(texts: Mapping[str, bytes]) -> dict[str, object]:
    """The settings in ``model_config`` and ``args`` (JSON, by transformers) and in the hparams plugin's records."""
    options: dict[str, object] = {}
    for tag, raw in texts.items():
        if tag.startswith("_hparams_/"):
            options |= hparams(raw)
    model = _json(texts.get("model_config" + TEXT, b""))
    options |= {key: model[key] for key in MODEL_KEYS & model.keys()}
    arguments = _json(texts.get("args" + TEXT, b""))
    if "transformers_version" in model:
        options["transformers_version"] = model["transformers_version"]
    return options | {key: value for key, value in arguments.items() if value is not None}


def _json(raw: bytes) -> dict[str, object]:
    """The JSON object in a text, empty when there is none."""
    try:
        found = json.loads(raw.decode("utf-8", "replace")) if raw else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
